-- A procedure that commits can be neither SECURITY DEFINER nor have SET clauses. It pins the path
-- itself, anew after each commit, and everything privileged is in functions that it calls.
CREATE PROCEDURE crm_health.refresh_active_users(
  p_triggered_by text DEFAULT 'manual', p_max_age_hours integer DEFAULT NULL,
  p_as_of timestamptz DEFAULT NULL, INOUT p_result jsonb DEFAULT NULL)
LANGUAGE plpgsql
AS $$
DECLARE
  -- One refresh of everyone at a time: advisory lock (class, job).
  c_lock_class CONSTANT integer := 1668444520;
  c_lock_job   CONSTANT integer := 1;
  -- Types are qualified: what stands before BEGIN is looked up by the caller's path.
  v_run pg_catalog.uuid;
  v_users pg_catalog.uuid[];
  v_batch pg_catalog.uuid[];
  v_user pg_catalog.uuid;
  v_size integer;
  v_age integer;
  v_as_of pg_catalog.timestamptz;
  v_done integer := 0;
  v_processed integer := 0;
  v_deals bigint := 0;
  v_relationships bigint := 0;
  v_batch_deals bigint;
  v_batch_relationships bigint;
  v_errors pg_catalog.jsonb[] := '{}';
  v_logged integer := 0;
  v_news pg_catalog.jsonb;
  v_cancelled boolean := false;
  v_failed boolean;
  v_message pg_catalog.text;
  v_state pg_catalog.text;
  v_spread pg_catalog.jsonb;
  v_workers integer := 0;
BEGIN
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION 'cannot refresh scores on a standby'
      USING ERRCODE = 'read_only_sql_transaction', HINT = 'schedule the job on the primary';
  END IF;
  PERFORM crm_health.require_trusted();
  IF p_triggered_by IS NULL OR p_triggered_by = '' THEN
    RAISE EXCEPTION 'p_triggered_by must name what triggered the run'
      USING ERRCODE = 'invalid_parameter_value', HINT = 'for example ''pg_cron'' or ''manual''';
  END IF;
  v_as_of := coalesce(p_as_of, now());
  IF v_as_of NOT BETWEEN '0001-01-01 00:00:00+00' AND '9999-12-31 23:59:59.999999+00' THEN
    RAISE EXCEPTION 'p_as_of must be a finite time within 1 to 9999 AD' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  v_age := coalesce(p_max_age_hours, crm_health.setting('default_max_age_hours')::integer);
  v_size := crm_health.setting('refresh_batch_users')::integer;
  -- Granted to whoever runs the job on a Citus cluster; without it the users are refreshed there one after the other.
  IF has_function_privilege('crm_health.refresh_on_workers(uuid[], integer, timestamptz)', 'EXECUTE')
     AND has_function_privilege('crm_health.worker_count()', 'EXECUTE') THEN
    v_workers := crm_health.worker_count();
  END IF;
  v_size := v_size * greatest(v_workers, 1);

  -- Within a transaction block this fails, before there is a lock that a rollback would not give back.
  COMMIT;
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  IF NOT pg_try_advisory_lock(c_lock_class, c_lock_job) THEN
    RAISE NOTICE 'a refresh of all active users is running already; this call leaves it to that one'
      USING HINT = 'SELECT * FROM crm_health.last_run shows how far it is';
    p_result := jsonb_build_object(
      'success', false, 'usersProcessed', 0, 'dealsRefreshed', 0, 'relationshipsRefreshed', 0,
      'errors', jsonb_build_array(jsonb_build_object('userId', NULL, 'sqlState', '55P03',
        'reason', 'a refresh of all active users is running already')),
      'triggeredBy', p_triggered_by, 'timestamp', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'));
    RETURN;
  END IF;

  -- From here on every error is kept: the lock must be given back and the log told.
  BEGIN
    SELECT coalesce(array_agg(u ORDER BY u), '{}') INTO v_users FROM crm_health.active_users(v_as_of) u;
  EXCEPTION WHEN query_canceled OR OTHERS THEN
    GET STACKED DIAGNOSTICS v_message = MESSAGE_TEXT, v_state = RETURNED_SQLSTATE;
    v_users := '{}';
    v_cancelled := v_state = '57014';
    v_errors := array_append(v_errors, jsonb_build_object('userId', NULL, 'reason', v_message, 'sqlState', v_state));
  END;
  BEGIN
    v_run := crm_health.run_started(p_triggered_by, cardinality(v_users));
  EXCEPTION WHEN query_canceled OR OTHERS THEN
    PERFORM pg_advisory_unlock(c_lock_class, c_lock_job);
    RAISE;
  END;
  COMMIT;
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);

  WHILE v_done < cardinality(v_users) AND NOT v_cancelled LOOP
    v_batch := v_users[v_done + 1 : v_done + v_size];
    BEGIN
      v_failed := false;
      v_spread := NULL;
      -- Where Citus spreads the users, their servers do it, and keep one's failure to itself.
      IF v_workers > 0 THEN
        v_spread := crm_health.refresh_on_workers(v_batch, v_age, v_as_of);
      END IF;
      v_batch_deals := v_spread -> 'deals';
      v_batch_relationships := v_spread -> 'relationships';
      IF v_spread IS NULL THEN
        SELECT count(*) FILTER (WHERE d.updated) INTO v_batch_deals
        FROM crm_health.refresh_deals(v_batch, v_age, v_as_of) d;
        SELECT count(*) FILTER (WHERE r.updated) INTO v_batch_relationships
        FROM crm_health.refresh_relationships(v_batch, v_age, v_as_of) r;
      END IF;
      -- What was deferred would fail the COMMIT, and with it the run.
      SET CONSTRAINTS ALL IMMEDIATE;
    EXCEPTION WHEN query_canceled THEN
      v_cancelled := true;
    WHEN OTHERS THEN
      v_failed := true;
    END;
    IF v_cancelled THEN
      EXIT;
    END IF;
    IF v_spread IS NOT NULL THEN
      v_processed := v_processed + (v_spread ->> 'done')::integer;
      v_errors := v_errors || ARRAY(SELECT jsonb_array_elements(v_spread -> 'errors'));
    ELSIF v_failed THEN
      -- One of them spoils the batch: each alone, so that the others get their scores.
      v_batch_deals := 0;
      v_batch_relationships := 0;
      FOREACH v_user IN ARRAY v_batch LOOP
        DECLARE
          v_user_deals bigint;
          v_user_relationships bigint;
        BEGIN
          SELECT count(*) FILTER (WHERE d.updated) INTO v_user_deals
          FROM crm_health.refresh_deals(ARRAY[v_user], v_age, v_as_of) d;
          SELECT count(*) FILTER (WHERE r.updated) INTO v_user_relationships
          FROM crm_health.refresh_relationships(ARRAY[v_user], v_age, v_as_of) r;
          SET CONSTRAINTS ALL IMMEDIATE;
          v_batch_deals := v_batch_deals + v_user_deals;
          v_batch_relationships := v_batch_relationships + v_user_relationships;
          v_processed := v_processed + 1;
        EXCEPTION WHEN query_canceled THEN
          v_cancelled := true;
        WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS v_message = MESSAGE_TEXT, v_state = RETURNED_SQLSTATE;
          v_errors := array_append(v_errors, jsonb_build_object(
            'userId', v_user, 'reason', v_message, 'sqlState', v_state));
          RAISE WARNING 'scores of user % were not refreshed: %', v_user, v_message;
        END;
        EXIT WHEN v_cancelled;
        -- The next user's constraints are deferred again.
        COMMIT;
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
      END LOOP;
    ELSE
      v_processed := v_processed + cardinality(v_batch);
    END IF;
    v_deals := v_deals + v_batch_deals;
    v_relationships := v_relationships + v_batch_relationships;
    EXIT WHEN v_cancelled;
    v_done := least(v_done + v_size, cardinality(v_users));
    -- Where everyone fails, the errors grow with each batch: they are written anew when there are twice as many.
    v_news := NULL;
    IF cardinality(v_errors) >= 2 * v_logged THEN
      v_news := to_jsonb(v_errors);
      v_logged := cardinality(v_errors);
    END IF;
    BEGIN
      PERFORM crm_health.run_progress(v_run, v_done, v_deals, v_relationships, v_news, 'running');
    EXCEPTION WHEN query_canceled OR OTHERS THEN
      PERFORM pg_advisory_unlock(c_lock_class, c_lock_job);
      RAISE;
    END;
    COMMIT;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  END LOOP;

  IF v_cancelled THEN
    v_errors := array_append(v_errors, jsonb_build_object(
      'userId', NULL, 'reason', 'the run was cancelled', 'sqlState', '57014'));
  END IF;
  BEGIN
    PERFORM crm_health.run_progress(
      v_run, v_done, v_deals, v_relationships, to_jsonb(v_errors),
      CASE WHEN v_cancelled THEN 'interrupted' WHEN v_errors = '{}' THEN 'succeeded' ELSE 'failed' END);
  EXCEPTION WHEN query_canceled OR OTHERS THEN
    PERFORM pg_advisory_unlock(c_lock_class, c_lock_job);
    RAISE;
  END;
  p_result := jsonb_build_object(
    'success', v_errors = '{}', 'usersProcessed', v_processed, 'dealsRefreshed', v_deals,
    'relationshipsRefreshed', v_relationships, 'errors', to_jsonb(v_errors), 'triggeredBy', p_triggered_by,
    'timestamp', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'));
  PERFORM pg_advisory_unlock(c_lock_class, c_lock_job);
  COMMIT;
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  IF v_cancelled THEN
    RAISE EXCEPTION 'the refresh of all active users was cancelled after % of % users', v_done, cardinality(v_users)
      USING ERRCODE = 'query_canceled', HINT = 'what was done is kept; the next call goes on with what is stale';
  END IF;
END
$$;
COMMENT ON PROCEDURE crm_health.refresh_active_users(text, integer, timestamptz, jsonb)
  IS 'Refreshes the stale scores of every user who logged in lately, in batches, committing as it goes; one user''s failure does not stop the others. For pg_cron';
REVOKE ALL ON PROCEDURE crm_health.refresh_active_users(text, integer, timestamptz, jsonb) FROM PUBLIC;
