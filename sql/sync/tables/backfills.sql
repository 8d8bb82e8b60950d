-- History still to be read, one row for each mailbox that asked for it. It is walked backwards in slices, so that an
-- interrupted backfill repeats one slice at most.
CREATE TABLE IF NOT EXISTS crm_health_sync.backfills (
    user_id        uuid NOT NULL,
    integration_id uuid NOT NULL,
    since          timestamptz NOT NULL,
    done_down_to   timestamptz NOT NULL,
    requested_at   timestamptz NOT NULL DEFAULT now(),
    listed_at      timestamptz,
    CONSTRAINT backfills_pkey PRIMARY KEY (user_id, integration_id),
    CONSTRAINT backfills_mailbox_fkey FOREIGN KEY (user_id, integration_id)
        REFERENCES crm_health_sync.mailboxes (user_id, integration_id) ON DELETE CASCADE
);

COMMENT ON TABLE crm_health_sync.backfills IS 'History to read: everything between since and done_down_to is still to be listed';
COMMENT ON COLUMN crm_health_sync.backfills.listed_at IS 'When the whole span was in the ledger; NULL while slices are left';
