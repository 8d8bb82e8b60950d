-- Which notification goes to which channel, and what became of it. A notification is known by its id and its time: an
-- extension that was dropped and created again counts its ids anew.
CREATE TABLE IF NOT EXISTS crm_health_sync.deliveries (
    notification_id bigint NOT NULL,
    notification_at timestamptz NOT NULL,
    channel         text NOT NULL,
    severity        text NOT NULL,
    state           text NOT NULL DEFAULT 'waiting',
    reason          text,
    batch           uuid,
    attempts        integer NOT NULL DEFAULT 0,
    taken_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    delivered_at    timestamptz,
    CONSTRAINT deliveries_pkey PRIMARY KEY (notification_id, notification_at, channel),
    CONSTRAINT deliveries_state_known CHECK (state IN ('waiting', 'delivered', 'skipped', 'expired')),
    CONSTRAINT deliveries_delivered_at_is_of_delivered CHECK ((state = 'delivered') = (delivered_at IS NOT NULL))
);

CREATE INDEX IF NOT EXISTS deliveries_waiting
    ON crm_health_sync.deliveries (channel, notification_id) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS deliveries_batch
    ON crm_health_sync.deliveries (batch) WHERE state = 'waiting' AND batch IS NOT NULL;
CREATE INDEX IF NOT EXISTS deliveries_by_time ON crm_health_sync.deliveries (taken_at);

COMMENT ON TABLE crm_health_sync.deliveries IS 'One row for each notification and channel; kept for 30 days';
COMMENT ON COLUMN crm_health_sync.deliveries.channel IS 'Name of the channel; - for a notification that goes nowhere';
COMMENT ON COLUMN crm_health_sync.deliveries.state IS 'waiting, delivered, skipped (muted, not severe enough, or sent elsewhere because the channel was given up), expired (too old to be of use)';
COMMENT ON COLUMN crm_health_sync.deliveries.batch IS 'The message that it went out in, or was last tried in';
COMMENT ON COLUMN crm_health_sync.deliveries.attempts IS 'How often a message with it was sent, or begun to be';
