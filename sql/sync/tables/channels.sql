-- Where notifications go to, one row for each channel that a daemon was configured with: its lease, its pause, its
-- last outcome. Who holds the lease is the only one to send there, so that what waits goes out as one message.
CREATE TABLE IF NOT EXISTS crm_health_sync.channels (
    name              text NOT NULL,
    state             text NOT NULL DEFAULT 'ok',
    reason            text,
    failures          integer NOT NULL DEFAULT 0,
    next_attempt_at   timestamptz,
    lease_token       bigint NOT NULL DEFAULT 0,
    lease_owner       text,
    lease_until       timestamptz,
    last_delivered_at timestamptz,
    last_digest_at    timestamptz NOT NULL DEFAULT now(),
    created_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT channels_pkey PRIMARY KEY (name),
    CONSTRAINT channels_state_known CHECK (state IN ('ok', 'failing', 'misconfigured'))
);

COMMENT ON TABLE crm_health_sync.channels IS 'One row for each notification channel: lease, pause, last outcome';
COMMENT ON COLUMN crm_health_sync.channels.lease_token IS 'Fencing token: grows with each claim';
COMMENT ON COLUMN crm_health_sync.channels.last_digest_at IS 'The time that the last daily digest was due, not when it went out';
