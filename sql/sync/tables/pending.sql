-- The ledger of messages that are known to exist and not dealt with yet. An id enters it in the transaction that
-- moves the cursor past it, and leaves it in the transaction that writes its events.
CREATE TABLE IF NOT EXISTS crm_health_sync.pending (
    user_id        uuid NOT NULL,
    integration_id uuid NOT NULL,
    message_id     text NOT NULL,
    priority       smallint NOT NULL DEFAULT 0,
    attempts       smallint NOT NULL DEFAULT 0,
    state          text NOT NULL DEFAULT 'waiting',
    reason         text,
    discovered_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pending_pkey PRIMARY KEY (user_id, integration_id, message_id),
    CONSTRAINT pending_mailbox_fkey FOREIGN KEY (user_id, integration_id)
        REFERENCES crm_health_sync.mailboxes (user_id, integration_id) ON DELETE CASCADE,
    CONSTRAINT pending_state_known CHECK (state IN ('waiting', 'poison')),
    CONSTRAINT pending_priority_known CHECK (priority IN (0, 1))
);

-- The order in which a mailbox is drained: live mail before history.
CREATE INDEX IF NOT EXISTS pending_drain_order
    ON crm_health_sync.pending (user_id, integration_id, priority, message_id) WHERE state = 'waiting';

COMMENT ON TABLE crm_health_sync.pending IS 'Messages discovered and not dealt with yet; poison ones stay here, set aside, to be looked at';
COMMENT ON COLUMN crm_health_sync.pending.priority IS '0 live mail, 1 backfill';
COMMENT ON COLUMN crm_health_sync.pending.attempts IS 'How often the message itself was refused or unreadable; at 3 it is set aside';
