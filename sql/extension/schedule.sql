CREATE FUNCTION crm_health.purge(p_as_of timestamptz DEFAULT now()) RETURNS jsonb
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off
AS 'MODULE_PATHNAME', 'purge';
COMMENT ON FUNCTION crm_health.purge(timestamptz)
  IS 'Deletes what is older than the retention settings: score history (one snapshot a day is kept after 7 days), the run log and notifications';
REVOKE ALL ON FUNCTION crm_health.purge(timestamptz) FROM PUBLIC;

CREATE FUNCTION crm_health.jobs(p_schedule text) RETURNS TABLE (name text, at text, what text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  VALUES
    ('crm_health_refresh', p_schedule, $cmd$CALL crm_health.refresh_active_users(p_triggered_by => 'pg_cron')$cmd$),
    ('crm_health_purge', '30 3 * * *', 'SELECT crm_health.purge()'),
    ('crm_health_fit', '0 4 * * 0', 'SELECT * FROM crm_health.fit_ghost_model()'),
    ('crm_health_fit_deals', '30 4 * * 0', 'SELECT * FROM crm_health.fit_deal_model()'),
    ('crm_health_purge_job_log', '40 3 * * *',
     $cmd$DELETE FROM cron.job_run_details d USING cron.job j WHERE d.jobid = j.jobid AND j.jobname LIKE 'crm\_health\_%' AND d.end_time < now() - interval '30 days'$cmd$)
$$;
COMMENT ON FUNCTION crm_health.jobs(text) IS 'The jobs of a deployment: name, when in UTC, and command';

-- The database in which pg_cron keeps its jobs, where that is another one.
CREATE FUNCTION crm_health.other_cron_database() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  -- A setting that nobody reads may stand in the configuration: only a loaded pg_cron makes it one of the server's.
  SELECT s.setting FROM pg_settings s
  WHERE s.name = 'cron.database_name' AND s.context = 'postmaster' AND s.setting <> current_database()
    AND NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'pg_cron')
$$;
COMMENT ON FUNCTION crm_health.other_cron_database() IS 'The database in which pg_cron keeps its jobs, where that is not this one';

-- SECURITY INVOKER: pg_cron runs a job as the user who registered it.
CREATE FUNCTION crm_health.schedule(schedule text DEFAULT '0 7 * * *')
RETURNS TABLE (job_name text, job_schedule text, command text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  v_schedule ALIAS FOR $1;
  v_job record;
  v_other record;
  v_elsewhere text;
BEGIN
  IF v_schedule IS NULL OR btrim(v_schedule) = '' THEN
    RAISE EXCEPTION 'schedule must not be empty'
      USING ERRCODE = 'invalid_parameter_value', HINT = 'five fields in UTC, for example ''0 7 * * *'' for 07:00 every day';
  END IF;
  PERFORM crm_health.require_trusted();
  v_elsewhere := crm_health.other_cron_database();
  IF v_elsewhere IS NOT NULL THEN
    -- There jobs have this database's name in theirs, and pg_cron's log is its own.
    RAISE EXCEPTION 'pg_cron keeps its jobs in database "%", not in this one', v_elsewhere
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('set cron.database_name = %1$L and restart; or run in database %2$s: SELECT cron.schedule_in_database(j.name, j.at, j.command, j.database) FROM (VALUES %3$s) AS j (name, at, command, database)',
                          current_database(), v_elsewhere, (
                            SELECT string_agg(CASE j.name WHEN 'crm_health_purge_job_log' THEN format('(%L, %L, %L, %L)', j.name, j.at, j.what, v_elsewhere)
                                                          ELSE format('(%L, %L, %L, %L)', j.name || '_' || current_database(), j.at, j.what, current_database()) END, ', ')
                            FROM crm_health.jobs(v_schedule) j));
  END IF;
  PERFORM crm_health.require_pg_cron();
  FOR v_job IN SELECT * FROM crm_health.jobs(v_schedule)
  LOOP
    -- pg_cron knows a job by its name and its role, and would leave it to the other database.
    EXECUTE 'SELECT j.jobid, j.database, j.schedule, j.command FROM cron.job j WHERE j.jobname = $1 AND j.username = current_user AND j.database <> current_database()'
      INTO v_other USING v_job.name;
    IF v_other.jobid IS NOT NULL THEN
      RAISE EXCEPTION 'pg_cron has a job % of this role already, for database "%"', v_job.name, v_other.database
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = format('SELECT cron.schedule_in_database(%L, %L, %L, %L), cron.unschedule(%s)', v_job.name || '_' || v_other.database,
                            v_other.schedule, v_other.command, v_other.database, v_other.jobid);
    END IF;
    EXECUTE 'SELECT cron.schedule($1, $2, $3)' USING v_job.name, v_job.at, v_job.what;
    RETURN QUERY SELECT v_job.name, v_job.at, v_job.what;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm_health.schedule(text)
  IS 'Registers the daily refresh, the purge jobs and the weekly fits of the ghost and deal models with pg_cron; a second call changes the time. Times are UTC';
REVOKE ALL ON FUNCTION crm_health.schedule(text) FROM PUBLIC;

CREATE FUNCTION crm_health.unschedule() RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_name text;
  v_job bigint;
  v_elsewhere text;
BEGIN
  PERFORM crm_health.require_trusted();
  v_elsewhere := crm_health.other_cron_database();
  IF v_elsewhere IS NOT NULL THEN
    RAISE EXCEPTION 'pg_cron keeps its jobs in database "%", not in this one', v_elsewhere
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('run in database %s: SELECT j.jobname, cron.unschedule(j.jobid) FROM cron.job j WHERE j.database = %L AND (j.jobname LIKE ''crm\_health\_%%'' OR j.command ~* ''crm_health[.]'')',
                          v_elsewhere, current_database());
  END IF;
  PERFORM crm_health.require_pg_cron();
  FOR v_name, v_job IN EXECUTE
    $q$SELECT j.jobname::text, j.jobid FROM cron.job j
       WHERE j.jobname IN (SELECT n.name FROM crm_health.jobs('') n UNION ALL SELECT n.name || '_' || current_database() FROM crm_health.jobs('') n)
         AND j.database = current_database() AND j.username = current_user ORDER BY 1$q$
  LOOP
    EXECUTE 'SELECT cron.unschedule($1::bigint)' USING v_job;
    RETURN NEXT v_name;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm_health.unschedule()
  IS 'Removes the caller''s jobs of this extension and database from pg_cron and returns their names';
REVOKE ALL ON FUNCTION crm_health.unschedule() FROM PUBLIC;

CREATE FUNCTION crm_health.require_pg_cron() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'pg_cron') THEN
    RETURN;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_available_extensions a WHERE a.name = 'pg_cron') THEN
    RAISE EXCEPTION 'pg_cron is not installed on this server'
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('install the package postgresql-%s-cron, set shared_preload_libraries = ''pg_cron'' and cron.database_name = ''%s'', restart, and CREATE EXTENSION pg_cron',
                          current_setting('server_version_num')::integer / 10000, current_database());
  END IF;
  IF NOT pg_has_role('pg_read_all_settings', 'USAGE') THEN
    RAISE EXCEPTION 'pg_cron is not in this database, and % may not see whether it is loaded, and for which', current_user
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('GRANT pg_monitor TO %I, and ask again', current_user);
  END IF;
  -- A setting that nobody reads may stand in the configuration: only a loaded pg_cron makes it one of the server's.
  IF NOT EXISTS (SELECT FROM pg_settings s WHERE s.name = 'cron.database_name' AND s.context = 'postmaster') THEN
    RAISE EXCEPTION 'pg_cron is installed but not loaded'
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('set shared_preload_libraries = ''pg_cron'' and cron.database_name = ''%s'', restart, and CREATE EXTENSION pg_cron', current_database());
  END IF;
  RAISE EXCEPTION 'pg_cron is loaded, but not created in this database'
    USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'CREATE EXTENSION pg_cron';
END
$$;
COMMENT ON FUNCTION crm_health.require_pg_cron() IS 'Fails with what to install and set unless pg_cron can be used in this database';
REVOKE ALL ON FUNCTION crm_health.require_pg_cron() FROM PUBLIC;
