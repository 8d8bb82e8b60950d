-- How far the extension's outbox, crm_health.notifications, has been taken over. Ids are not committed in their order:
-- settled_id is the greatest below which nothing can appear any more, and everything above it is looked at each time.
CREATE TABLE IF NOT EXISTS crm_health_sync.outbox (
    only_row       boolean NOT NULL DEFAULT true,
    since          timestamptz NOT NULL DEFAULT now(),
    relation       oid,
    settled_id     bigint NOT NULL DEFAULT 0,
    candidate_id   bigint,
    candidate_xid  xid8,
    CONSTRAINT outbox_pkey PRIMARY KEY (only_row),
    CONSTRAINT outbox_single CHECK (only_row)
);

INSERT INTO crm_health_sync.outbox DEFAULT VALUES ON CONFLICT DO NOTHING;

COMMENT ON TABLE crm_health_sync.outbox IS 'How far the outbox of the extension was taken over into deliveries';
COMMENT ON COLUMN crm_health_sync.outbox.since IS 'Notifications older than this, the installation, are never delivered';
COMMENT ON COLUMN crm_health_sync.outbox.relation IS 'The table that the ids are of: an extension created anew begins again';
COMMENT ON COLUMN crm_health_sync.outbox.candidate_id IS 'Becomes settled_id when every transaction before candidate_xid has ended';
