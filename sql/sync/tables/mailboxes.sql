-- One row for each Google integration that was ever due: its cursor, its lease and what became of the last attempt.
-- The row is the fence: each write of a sync updates it under its lease token, or writes nothing at all.
CREATE TABLE IF NOT EXISTS crm_health_sync.mailboxes (
    user_id            uuid NOT NULL,
    integration_id     uuid NOT NULL,
    state              text NOT NULL DEFAULT 'new',
    reason             text,
    history_id         text,
    own_addresses      text[] NOT NULL DEFAULT '{}',
    addresses_read_at  timestamptz,
    list_without_query boolean NOT NULL DEFAULT false,
    last_good_at       timestamptz,
    last_full_at       timestamptz,
    last_finished_at   timestamptz,
    next_attempt_at    timestamptz,
    refresh_due        boolean NOT NULL DEFAULT false,
    quota_units        double precision,
    quota_at           timestamptz,
    lease_token        bigint NOT NULL DEFAULT 0,
    lease_owner        text,
    lease_purpose      text,
    lease_until        timestamptz,
    messages_seen      bigint NOT NULL DEFAULT 0,
    events_written     bigint NOT NULL DEFAULT 0,
    messages_unmatched bigint NOT NULL DEFAULT 0,
    messages_skipped   bigint NOT NULL DEFAULT 0,
    messages_gone      bigint NOT NULL DEFAULT 0,
    messages_poison    bigint NOT NULL DEFAULT 0,
    units_spent        bigint NOT NULL DEFAULT 0,
    created_at         timestamptz NOT NULL DEFAULT now(),
    gone_since         timestamptz,
    address            text,
    CONSTRAINT mailboxes_pkey PRIMARY KEY (user_id, integration_id),
    CONSTRAINT mailboxes_state_known
        CHECK (state IN ('new', 'ok', 'paused', 'failing', 'reconnect_required')),
    CONSTRAINT mailboxes_purpose_known CHECK (lease_purpose IN ('sync', 'backfill'))
);

-- Tables of an earlier version have no such columns.
ALTER TABLE crm_health_sync.mailboxes ADD COLUMN IF NOT EXISTS gone_since timestamptz;
ALTER TABLE crm_health_sync.mailboxes ADD COLUMN IF NOT EXISTS address text;

-- The order in which mailboxes are claimed: longest unattended first.
CREATE INDEX IF NOT EXISTS mailboxes_claim_order
    ON crm_health_sync.mailboxes (last_finished_at NULLS FIRST, integration_id);

COMMENT ON TABLE crm_health_sync.mailboxes IS 'One row for each mailbox: cursor, lease, last outcome, counters';
COMMENT ON COLUMN crm_health_sync.mailboxes.history_id IS 'Gmail history id up to which every change is in the ledger; NULL before the first full listing. Text: some servers exceed 64 bits';
COMMENT ON COLUMN crm_health_sync.mailboxes.own_addresses IS 'Addresses that are the mailbox itself: they decide the direction of a mail';
COMMENT ON COLUMN crm_health_sync.mailboxes.last_good_at IS 'Start of the last sync that discovered everything there was';
COMMENT ON COLUMN crm_health_sync.mailboxes.lease_token IS 'Fencing token: grows with each claim; a write under an older one changes nothing';
COMMENT ON COLUMN crm_health_sync.mailboxes.refresh_due IS 'Events were written whose scores are not refreshed yet';
COMMENT ON COLUMN crm_health_sync.mailboxes.quota_units IS 'Units left in the mailbox''s own quota bucket as of quota_at';
COMMENT ON COLUMN crm_health_sync.mailboxes.gone_since IS 'When the integration was first missing; a week later the mailbox goes too. NULL: it is there';
COMMENT ON COLUMN crm_health_sync.mailboxes.address IS 'Address of the integration that cursor and ledger are of; with another one the mailbox starts anew';
