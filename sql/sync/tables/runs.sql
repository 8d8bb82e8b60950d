-- What each run did, as the JSON it answered with. Kept for 90 days.
CREATE TABLE IF NOT EXISTS crm_health_sync.runs (
    id           uuid NOT NULL DEFAULT gen_random_uuid(),
    daemon       text NOT NULL,
    triggered_by text NOT NULL,
    started_at   timestamptz NOT NULL,
    finished_at  timestamptz NOT NULL DEFAULT now(),
    report       jsonb NOT NULL,
    CONSTRAINT runs_pkey PRIMARY KEY (id)
);

CREATE INDEX IF NOT EXISTS runs_by_time ON crm_health_sync.runs (finished_at DESC);

COMMENT ON TABLE crm_health_sync.runs IS 'One row for each finished run of a daemon, with the JSON it reported';
