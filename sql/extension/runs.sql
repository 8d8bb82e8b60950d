-- The log of the runs of refresh_active_users. A run's row is committed before its work and after
-- each batch, so that whoever watches sees it move, and a failure leaves it behind.

CREATE TABLE crm_health.runs (
  id                      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  started_at              timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at             timestamptz,
  state                   text NOT NULL DEFAULT 'running',
  triggered_by            text NOT NULL,
  version                 text NOT NULL,
  backend_pid             integer NOT NULL DEFAULT pg_backend_pid(),
  users_total             integer NOT NULL DEFAULT 0,
  users_done              integer NOT NULL DEFAULT 0,
  deals_refreshed         bigint NOT NULL DEFAULT 0,
  relationships_refreshed bigint NOT NULL DEFAULT 0,
  errors                  jsonb NOT NULL DEFAULT '[]',
  CONSTRAINT runs_state_is_known CHECK (state IN ('running', 'succeeded', 'failed', 'interrupted')),
  CONSTRAINT runs_finished_when_not_running CHECK ((state = 'running') = (finished_at IS NULL))
);
CREATE INDEX runs_started_at ON crm_health.runs (started_at DESC);
COMMENT ON TABLE crm_health.runs IS 'One row for each run of refresh_active_users; kept for the setting run_log_retention_days';
COMMENT ON COLUMN crm_health.runs.errors IS 'Array of {"userId", "reason", "sqlState"}; userId is null where the run itself failed';
SELECT pg_catalog.pg_extension_config_dump('crm_health.runs', '');

CREATE VIEW crm_health.last_run AS
  SELECT r.*, coalesce(r.finished_at, clock_timestamp()) - r.started_at AS duration
  FROM crm_health.runs r ORDER BY r.started_at DESC LIMIT 1;
COMMENT ON VIEW crm_health.last_run IS 'The newest run, also while it runs';

CREATE VIEW crm_health.last_success AS
  SELECT r.*, clock_timestamp() - r.finished_at AS age
  FROM crm_health.runs r WHERE r.state = 'succeeded' ORDER BY r.started_at DESC LIMIT 1;
COMMENT ON VIEW crm_health.last_success IS 'The newest run without an error, and how long ago it finished';

CREATE VIEW crm_health.run_failures AS
  SELECT r.id AS run_id, r.started_at, r.state, r.triggered_by,
         (e.error ->> 'userId')::uuid AS user_id, e.error ->> 'reason' AS reason, e.error ->> 'sqlState' AS sql_state
  FROM crm_health.runs r
  LEFT JOIN LATERAL jsonb_array_elements(r.errors) e (error) ON true
  WHERE r.state IN ('failed', 'interrupted');
COMMENT ON VIEW crm_health.run_failures IS 'What went wrong: one row for each error of each run that failed or was interrupted';

GRANT SELECT ON crm_health.runs, crm_health.last_run, crm_health.last_success, crm_health.run_failures TO pg_monitor;
GRANT SELECT ON crm_health.settings, crm_health.stage_thresholds, crm_health.signal_weights, crm_health.status_cutoffs TO pg_monitor;

CREATE FUNCTION crm_health.require_trusted() RETURNS void
LANGUAGE c STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'require_trusted_wrapper';
COMMENT ON FUNCTION crm_health.require_trusted() IS 'Fails with 42501 unless the caller is a trusted role';
REVOKE ALL ON FUNCTION crm_health.require_trusted() FROM PUBLIC;

CREATE FUNCTION crm_health.active_users(p_as_of timestamptz DEFAULT now()) RETURNS SETOF uuid
LANGUAGE c STABLE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off
AS 'MODULE_PATHNAME', 'active_users';
COMMENT ON FUNCTION crm_health.active_users(timestamptz) IS 'Users whose last login is within the setting active_window_days';
REVOKE ALL ON FUNCTION crm_health.active_users(timestamptz) FROM PUBLIC;

CREATE FUNCTION crm_health.run_started(p_triggered_by text, p_users integer) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_id uuid;
BEGIN
  PERFORM crm_health.require_trusted();
  -- The caller holds the lock of the job: what still says running has died.
  UPDATE crm_health.runs r
  SET state = 'interrupted', finished_at = clock_timestamp(),
      errors = r.errors || jsonb_build_array(jsonb_build_object(
        'userId', NULL, 'sqlState', '57P01', 'reason', 'the session that ran it ended before the run did'))
  WHERE r.state = 'running';
  INSERT INTO crm_health.runs (triggered_by, version, users_total)
  VALUES (p_triggered_by, (SELECT e.extversion FROM pg_extension e WHERE e.extname = 'crm_health'), p_users)
  RETURNING id INTO v_id;
  RETURN v_id;
END
$$;
COMMENT ON FUNCTION crm_health.run_started(text, integer) IS 'Opens the row of a run';
REVOKE ALL ON FUNCTION crm_health.run_started(text, integer) FROM PUBLIC;

CREATE FUNCTION crm_health.run_progress(
  p_id uuid, p_users_done integer, p_deals bigint, p_relationships bigint, p_errors jsonb, p_state text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM crm_health.require_trusted();
  UPDATE crm_health.runs r
  SET users_done = p_users_done, deals_refreshed = p_deals, relationships_refreshed = p_relationships,
      errors = coalesce(p_errors, r.errors), state = p_state,
      finished_at = CASE WHEN p_state = 'running' THEN NULL ELSE clock_timestamp() END
  WHERE r.id = p_id;
END
$$;
COMMENT ON FUNCTION crm_health.run_progress(uuid, integer, bigint, bigint, jsonb, text) IS 'Writes how far a run is, or how it ended; with NULL for the errors, those that are there stay';
REVOKE ALL ON FUNCTION crm_health.run_progress(uuid, integer, bigint, bigint, jsonb, text) FROM PUBLIC;
