-- The token bucket of the Google project, shared by all daemons of this database, and what was spent each day.
CREATE TABLE IF NOT EXISTS crm_health_sync.project_quota (
    only_row      boolean NOT NULL DEFAULT true,
    units         double precision NOT NULL DEFAULT 0,
    refilled_at   timestamptz NOT NULL DEFAULT 'epoch',
    paused_until  timestamptz,
    paused_reason text,
    CONSTRAINT project_quota_pkey PRIMARY KEY (only_row),
    CONSTRAINT project_quota_single CHECK (only_row)
);

INSERT INTO crm_health_sync.project_quota DEFAULT VALUES ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS crm_health_sync.project_usage (
    day   date NOT NULL,
    units bigint NOT NULL,
    CONSTRAINT project_usage_pkey PRIMARY KEY (day)
);

COMMENT ON TABLE crm_health_sync.project_quota IS 'The one token bucket of the Google project; paused_until is set when the daily limit was hit';
COMMENT ON TABLE crm_health_sync.project_usage IS 'Gmail quota units spent on each day (UTC)';
