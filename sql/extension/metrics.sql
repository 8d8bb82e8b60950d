-- What whoever watches reads: numbers, and when the daily job is due. No names, no ids.

CREATE FUNCTION crm_health.score_metrics()
RETURNS TABLE (name text, labels jsonb, value double precision)
LANGUAGE c STABLE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off
AS 'MODULE_PATHNAME', 'score_metrics';
COMMENT ON FUNCTION crm_health.score_metrics() IS 'Scores by kind and status, stale ones and active alerts, counted; for the view metrics';
REVOKE ALL ON FUNCTION crm_health.score_metrics() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crm_health.score_metrics() TO pg_monitor;

-- pg_cron shows a role its own jobs only, and whoever watches is another role. Its jobs are those of every database of the
-- server, and the names are free: what a job calls tells.
CREATE FUNCTION crm_health.daily_job()
RETURNS TABLE (job_schedule text, is_active boolean, job_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF to_regclass('cron.job') IS NOT NULL AND EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'pg_cron') THEN
    RETURN QUERY EXECUTE
      $q$SELECT j.schedule::text, j.active, j.jobid FROM cron.job j
         WHERE j.database = current_database()
           AND (j.jobname IN ('crm_health_refresh', 'crm_health_refresh_' || current_database())
                OR j.command ~* '\mcall\s+crm_health\.refresh_active_users\M')
         ORDER BY j.active DESC, j.jobid LIMIT 1$q$;
  END IF;
END
$$;
COMMENT ON FUNCTION crm_health.daily_job() IS 'When pg_cron runs the daily refresh, in UTC, and whether it is switched on; no row where it is not scheduled';
REVOKE ALL ON FUNCTION crm_health.daily_job() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crm_health.daily_job() TO pg_monitor;

CREATE VIEW crm_health.metrics AS
  WITH finished AS MATERIALIZED (
    SELECT r.* FROM crm_health.runs r WHERE r.state <> 'running' ORDER BY r.started_at DESC LIMIT 1
  ), sample (name, labels, value) AS (
    SELECT 'crm_health_info', jsonb_build_object('version', e.extversion), 1::double precision
    FROM pg_extension e WHERE e.extname = 'crm_health'
    UNION ALL
    SELECT 'crm_health_last_success_timestamp_seconds', '{}', extract(epoch FROM s.finished_at) FROM crm_health.last_success s
    UNION ALL
    SELECT 'crm_health_last_success_age_seconds', '{}', extract(epoch FROM s.age) FROM crm_health.last_success s
    UNION ALL
    SELECT v.name, '{}', v.value
    FROM finished f
    CROSS JOIN LATERAL (VALUES
      ('crm_health_last_run_duration_seconds', extract(epoch FROM f.finished_at - f.started_at)::double precision),
      ('crm_health_last_run_users', f.users_done),
      ('crm_health_last_run_deals', f.deals_refreshed),
      ('crm_health_last_run_relationships', f.relationships_refreshed),
      ('crm_health_last_run_errors', jsonb_array_length(f.errors))) v (name, value)
    UNION ALL
    SELECT 'crm_health_runs_logged', jsonb_build_object('state', k.state), count(r.id)
    FROM (VALUES ('running'), ('succeeded'), ('failed'), ('interrupted')) k (state)
    LEFT JOIN crm_health.runs r ON r.state = k.state GROUP BY k.state
    UNION ALL
    SELECT 'crm_health_notifications_last_day', jsonb_build_object('severity', k.severity), count(n.id)
    FROM (VALUES ('info'), ('warning'), ('critical')) k (severity)
    LEFT JOIN crm_health.notifications n ON n.severity = k.severity AND n.created_at > now() - interval '1 day'
    GROUP BY k.severity
    UNION ALL
    SELECT m.name, m.labels, m.value FROM crm_health.score_metrics() m
  )
  SELECT s.name, h.help, 'gauge'::text AS type, s.labels, s.value
  FROM sample s
  JOIN (VALUES
    ('crm_health_info', 'Always 1; the label is the version of the extension'),
    ('crm_health_last_success_timestamp_seconds', 'When the daily refresh last ended without errors (epoch)'),
    ('crm_health_last_success_age_seconds', 'How long ago the daily refresh last ended without errors'),
    ('crm_health_last_run_duration_seconds', 'Duration of the newest finished run'),
    ('crm_health_last_run_users', 'Users whose scores the newest finished run refreshed'),
    ('crm_health_last_run_deals', 'Deals that the newest finished run scored'),
    ('crm_health_last_run_relationships', 'Relationships that the newest finished run scored'),
    ('crm_health_last_run_errors', 'Errors of the newest finished run'),
    ('crm_health_runs_logged', 'Runs in the run log, by state'),
    ('crm_health_notifications_last_day', 'Notifications written within a day, by severity'),
    ('crm_health_score_tables_usable', '1 where scores can be computed, 0 where check_install() tells why not'),
    ('crm_health_scores', 'Stored scores, by kind and status'),
    ('crm_health_stale_scores', 'Stored scores older than the setting default_max_age_hours, also of users who no longer log in'),
    ('crm_health_active_alerts', 'Active alerts on deals, by severity')) h (name, help) USING (name);
COMMENT ON VIEW crm_health.metrics IS 'The metrics of the extension, one sample a row, for the daemon''s /metrics or any exporter';
GRANT SELECT ON crm_health.metrics TO pg_monitor;
