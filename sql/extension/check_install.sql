CREATE FUNCTION crm_health.crm_columns()
RETURNS TABLE (table_name text, table_role text, column_name text, column_type text, is_required boolean)
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_columns';
COMMENT ON FUNCTION crm_health.crm_columns() IS 'The tables and columns of a CRM that a refresh reads and writes';

CREATE FUNCTION crm_health.check_install()
RETURNS TABLE (severity text, problem text, hint text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_schema text;
  v_owner oid;
  v_job bigint;
  v_is_active boolean;
  v_last timestamptz;
  v_rules regclass;
  v_profiles regclass;
  v_days integer;
  v_is_idle boolean;
  v_rule jsonb;
BEGIN
  RETURN QUERY
    SELECT 'error', format('the encoding of this database is %s: names and subjects are read as UTF8', pg_encoding_to_char(d.encoding)),
           format('CREATE DATABASE … ENCODING ''UTF8'' TEMPLATE template0, and bring a dump of %I into it', d.datname)
    FROM pg_database d WHERE d.datname = current_database() AND pg_encoding_to_char(d.encoding) <> 'UTF8';
  SELECT s.value INTO v_schema FROM crm_health.settings s WHERE s.name = 'crm_schema';
  IF to_regnamespace(quote_ident(v_schema)) IS NULL THEN
    RETURN QUERY SELECT 'error', format('schema "%s", named by the setting crm_schema, does not exist', v_schema),
      $h$UPDATE crm_health.settings SET value = 'public' WHERE name = 'crm_schema'$h$;
    RETURN;
  END IF;

  RETURN QUERY SELECT * FROM crm_health.check_columns(v_schema);
  RETURN QUERY
    SELECT 'error', format('%s refers to %s, and its rows are read from %s', c.oid::regclass, f.confrelid::regclass,
                           crm_health.crm_relation(v_schema, t.relname)),
           format('psql -v crm_schema=%1$I -f sql/crm/install.sql makes score tables in schema %1$I, or ALTER TABLE %2$s DROP CONSTRAINT %3$I',
                  v_schema, c.oid::regclass, f.conname)
    FROM (VALUES ('deal_health_scores'), ('relationship_health_scores')) k (table_name)
    JOIN pg_class c ON c.oid = crm_health.crm_relation(v_schema, k.table_name)
    JOIN pg_constraint f ON f.conrelid = c.oid AND f.contype = 'f'
    JOIN pg_class t ON t.oid = f.confrelid
    WHERE f.confrelid <> crm_health.crm_relation(v_schema, t.relname);

  -- Who computes.
  SELECT c.relowner INTO v_owner FROM pg_class c
  WHERE c.oid = crm_health.crm_relation(v_schema, 'relationship_health_scores');
  RETURN QUERY
    SELECT 'error', format('%s belongs to %I and relationship_health_scores to %I', c.oid::regclass, c.relowner::regrole::text, v_owner::regrole::text),
           format('ALTER TABLE %s OWNER TO %s', c.oid::regclass, v_owner::regrole)
    FROM pg_class c
    WHERE c.oid = crm_health.crm_relation(v_schema, 'deal_health_scores') AND c.relowner <> v_owner;
  RETURN QUERY
    SELECT 'error', format('%s belongs to superuser %s: scores are never computed as a superuser', c.oid::regclass, r.rolname),
           format('ALTER TABLE %s OWNER TO crm_health_owner', c.oid::regclass)
    FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
    WHERE c.oid IN (crm_health.crm_relation(v_schema, 'deal_health_scores'), crm_health.crm_relation(v_schema, 'relationship_health_scores'))
      AND r.rolsuper;
  IF v_owner IS NOT NULL THEN
    RETURN QUERY
      SELECT 'error', format('%s, who computes the scores, may not use schema %I', v_owner::regrole, v_schema),
             format('GRANT USAGE ON SCHEMA %I TO %s', v_schema, v_owner::regrole)
      WHERE NOT has_schema_privilege(v_owner, v_schema, 'USAGE');
    RETURN QUERY
      SELECT 'error', format('%s, who computes the scores, may not read %s', v_owner::regrole, c.oid::regclass),
             format('GRANT SELECT ON %s TO %s', c.oid::regclass, v_owner::regrole)
      FROM (SELECT DISTINCT t.table_name FROM crm_health.crm_columns() t) k
      JOIN pg_class c ON c.oid = crm_health.crm_relation(v_schema, k.table_name)
      WHERE NOT has_table_privilege(v_owner, c.oid, 'SELECT');
    RETURN QUERY
      SELECT 'error', format('%s, who computes the scores, may not write %s', v_owner::regrole, c.oid::regclass),
             format('GRANT INSERT, UPDATE, DELETE ON %s TO %s', c.oid::regclass, v_owner::regrole)
      FROM (SELECT DISTINCT w.table_name FROM crm_health.written_columns() w) k
      JOIN pg_class c ON c.oid = crm_health.crm_relation(v_schema, k.table_name)
      WHERE NOT (has_table_privilege(v_owner, c.oid, 'INSERT') AND has_table_privilege(v_owner, c.oid, 'UPDATE')
                 AND has_table_privilege(v_owner, c.oid, 'DELETE'));
    -- Without the two columns the reply flags are not kept here.
    RETURN QUERY
      SELECT 'warning', format('%s, who computes the scores, may not note on a mail of %s that it was answered: crm_health.link_replies fails', v_owner::regrole, c.oid::regclass),
             format('GRANT UPDATE (was_replied, response_time_hours) ON %s TO %s', c.oid::regclass, v_owner::regrole)
      FROM pg_class c
      WHERE c.oid = crm_health.crm_relation(v_schema, 'communication_events')
        AND crm_health.has_columns(c.oid, 'was_replied, response_time_hours')
        AND EXISTS (
          SELECT FROM pg_attribute a
          WHERE a.attrelid = c.oid AND a.attname IN ('was_replied', 'response_time_hours')
            AND pg_column_is_updatable(a.attrelid, a.attnum, true) AND NOT has_column_privilege(v_owner, a.attrelid, a.attnum, 'UPDATE'));
    -- What the statements of a refresh call: it reads and writes no table, and is granted to everyone. Two are for the servers of a Citus cluster.
    RETURN QUERY
      SELECT 'error', format('%s, who computes the scores, may not execute %s, which a refresh calls', v_owner::regrole, p.oid::regprocedure),
             format('GRANT EXECUTE ON FUNCTION %s TO %s', p.oid::regprocedure, v_owner::regrole)
      FROM pg_proc p
      JOIN pg_language l ON l.oid = p.prolang
      JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
      JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'crm_health'
      WHERE NOT p.prosecdef AND (l.lanname = 'c' OR p.prokind = 'a') AND p.proname NOT IN ('on_shard', 'on_worker') AND NOT has_function_privilege(v_owner, p.oid, 'EXECUTE')
      ORDER BY 2;
    RETURN QUERY
      SELECT 'error', format('row security of %s would hide rows from %s, who computes the scores', c.oid::regclass, v_owner::regrole),
             format('ALTER ROLE %s BYPASSRLS', v_owner::regrole)
      FROM (SELECT DISTINCT t.table_name FROM crm_health.crm_columns() t) k
      JOIN pg_class c ON c.oid = crm_health.crm_relation(v_schema, k.table_name)
      WHERE c.relrowsecurity AND (c.relowner <> v_owner OR c.relforcerowsecurity)
        AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = v_owner AND (r.rolbypassrls OR r.rolsuper));
  END IF;

  -- Who may plant there what the owner of the scores would run.
  RETURN QUERY
    SELECT 'warning', format('anyone may create objects in schema %I, and so stand in for a table or view that a refresh reads', n.nspname),
           format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', n.nspname)
    FROM pg_namespace n
    WHERE n.nspname IN (v_schema, 'public')
      AND EXISTS (SELECT FROM aclexplode(n.nspacl) g WHERE g.grantee = 0 AND g.privilege_type = 'CREATE');

  RETURN QUERY SELECT * FROM crm_health.check_indexes(v_schema);

  -- Who keeps the history. The same test as in sql/refresh/catalog.sql.
  RETURN QUERY
    SELECT 'warning', format('trigger %I of %s writes %s: a refresh leaves that to it', t.tgname, c.oid::regclass, k.history),
           format('DROP TRIGGER %I ON %s, for snapshots with reasons written by the refresh', t.tgname, c.oid::regclass)
    FROM (VALUES ('deal_health_scores', 'deal_health_history'), ('relationship_health_scores', 'relationship_health_history')) k (scores, history)
    JOIN pg_class c ON c.oid = crm_health.crm_relation(v_schema, k.scores)
    JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
    JOIN pg_proc p ON p.oid = t.tgfoid AND p.prosrc ~* ('\minsert\s+into\s+(\S+\.)?"?' || k.history || '\M');

  -- Triggers of the application run under the search path of whoever fires them: a refresh has no schema of theirs in it.
  RETURN QUERY
    SELECT DISTINCT 'error', format('trigger %I of %s fails in a refresh: its function %s names %I without a schema and sets no search_path',
                                    t.tgname, c.oid::regclass, p.oid::regprocedure, r.relname),
           format('ALTER FUNCTION %s SET search_path = %I, pg_temp', p.oid::regprocedure, r.relnamespace::regnamespace::text)
    FROM (SELECT DISTINCT k.table_name FROM crm_health.crm_columns() k WHERE k.table_role IN ('score', 'history')
                                             OR k.table_name IN ('deal_health_alerts', 'ghost_detection_signals')) k
    JOIN pg_class c ON c.oid = crm_health.crm_relation(v_schema, k.table_name)
    JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
    JOIN pg_proc p ON p.oid = t.tgfoid AND NOT EXISTS (SELECT FROM unnest(p.proconfig) x WHERE x LIKE 'search_path=%')
    CROSS JOIN LATERAL regexp_matches(p.prosrc,
      '\m(?:insert\s+into|delete\s+from|from|join|update)\s+(?:only\s+)?"?([a-z_]\w*)\M"?(?!\s*\.)', 'gi') AS named (words)
    JOIN pg_class r ON r.relname = lower(named.words[1]) AND r.relkind IN ('r', 'p', 'v', 'm', 'f')
                   AND r.relnamespace IN (c.relnamespace, to_regnamespace('public'));

  -- Configuration.
  RETURN QUERY
    SELECT 'error', format('the weights of model %s sum to zero', w.model),
           format('UPDATE crm_health.signal_weights SET weight = 1 WHERE model = %L', w.model)
    FROM crm_health.signal_weights w GROUP BY w.model HAVING sum(w.weight) = 0;

  RETURN QUERY
    SELECT 'error', format('the cut-offs of model %s do not descend', m),
           format('UPDATE crm_health.status_cutoffs SET min_score = CASE status WHEN ''healthy'' THEN %s WHEN ''critical'' THEN 25 ELSE 50 END WHERE model = %L',
                  CASE m WHEN 'deal' THEN 75 ELSE 70 END, m)
    FROM crm_health.disordered_cutoffs() m;

  -- Rules that a refresh passes over.
  v_rules := crm_health.crm_relation(v_schema, 'deal_health_rules');
  IF v_rules IS NOT NULL AND has_table_privilege(v_rules, 'SELECT')
     AND (SELECT has_schema_privilege(c.relnamespace, 'USAGE') FROM pg_class c WHERE c.oid = v_rules) THEN
    FOR v_rule IN EXECUTE format('SELECT to_jsonb(r) FROM %s r', v_rules) LOOP
      BEGIN
        CONTINUE WHEN v_rule ->> 'is_active' = 'false';
        PERFORM crm_health.check_deal_rule(v_rule);
      EXCEPTION WHEN check_violation THEN
        RETURN QUERY SELECT 'warning', SQLERRM,
          format('UPDATE %s SET is_active = false WHERE rule_name = %L, or mend it: docs/alerts.md says what a rule may be', v_rules, v_rule ->> 'rule_name');
      END;
    END LOOP;
  END IF;

  -- Privileges of the functions.
  RETURN QUERY
    SELECT 'error', format('anyone may execute %s', p.oid::regprocedure),
           format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', p.oid::regprocedure)
    FROM pg_proc p
    JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'crm_health'
    WHERE p.prosecdef
      AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g
                  WHERE g.grantee = 0 AND g.privilege_type = 'EXECUTE');

  -- A name that is left over would be trusted again with whoever bears it next. The one that ships may be of no use.
  RETURN QUERY
    SELECT 'warning', format('the setting trusted_roles names %I, and there is no such role: one that is made would be trusted', t.name),
           format('UPDATE crm_health.settings SET value = %L WHERE name = %L', (
             SELECT coalesce(string_agg(btrim(o.name), ', ' ORDER BY o.place), '')
             FROM string_to_table(s.value, ',') WITH ORDINALITY AS o (name, place) WHERE btrim(o.name) <> t.name), s.name)
    FROM crm_health.settings s
    CROSS JOIN LATERAL (SELECT DISTINCT btrim(n) AS name FROM string_to_table(s.value, ',') n) t
    WHERE s.name = 'trusted_roles' AND t.name NOT IN ('', 'service_role')
      AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = t.name)
    ORDER BY 2;

  -- Whom the job would refresh: a column that was added lately is empty until the next logins.
  v_profiles := crm_health.crm_relation(v_schema, 'profiles');
  IF EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = v_profiles AND a.attname = 'last_login_at'
             AND a.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype))
     AND has_table_privilege(v_profiles, 'SELECT')
     AND (SELECT has_schema_privilege(c.relnamespace, 'USAGE') FROM pg_class c WHERE c.oid = v_profiles) THEN
    SELECT s.value::integer INTO v_days FROM crm_health.settings s WHERE s.name = 'active_window_days';
    EXECUTE format('SELECT EXISTS (SELECT FROM %1$s) AND NOT EXISTS (SELECT FROM %1$s p WHERE p.last_login_at >= now() - make_interval(days => $1))', v_profiles)
      INTO v_is_idle USING v_days;
    RETURN QUERY
      SELECT 'warning', format('nobody in %s has a last_login_at within %s days: the daily refresh refreshes nobody', v_profiles, v_days),
             CASE WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass('auth.users') AND a.attname = 'last_sign_in_at')
                  THEN format('UPDATE %s p SET last_login_at = u.last_sign_in_at FROM auth.users u WHERE u.id = p.id', v_profiles)
                  ELSE 'have the application write it at each login, or raise the setting active_window_days' END
      WHERE v_is_idle;
  END IF;

  -- The daily job.
  IF NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'pg_cron') THEN
    -- Another scheduler, or a pg_cron that keeps its jobs in another database, will do.
    RETURN QUERY
      SELECT 'warning', 'pg_cron is not in this database, and no run of the daily refresh has succeeded within 26 hours',
             'SELECT crm_health.schedule() says what to install and set'
      WHERE NOT EXISTS (SELECT FROM crm_health.runs r WHERE r.state = 'succeeded' AND r.finished_at > now() - interval '26 hours');
    RETURN;
  END IF;
  SELECT j.job_id, j.is_active INTO v_job, v_is_active FROM crm_health.daily_job() j;
  IF NOT FOUND THEN
    RETURN QUERY SELECT 'warning', 'the daily refresh is not scheduled', 'SELECT * FROM crm_health.schedule()';
  ELSIF NOT v_is_active THEN
    RETURN QUERY SELECT 'warning', 'the daily refresh is scheduled, but switched off',
      format('SELECT cron.alter_job(%s, active := true)', v_job);
  ELSE
    SELECT max(r.finished_at) FILTER (WHERE r.state = 'succeeded') INTO v_last FROM crm_health.runs r;
    RETURN QUERY
      SELECT 'warning', CASE WHEN v_last IS NULL THEN 'no run of the daily refresh has succeeded yet'
                             ELSE format('the last success of the daily refresh is %s ago', justify_hours(date_trunc('minute', now() - v_last))) END,
             'SELECT * FROM crm_health.run_failures ORDER BY started_at DESC LIMIT 20'
      WHERE EXISTS (SELECT FROM crm_health.runs) AND coalesce(v_last < now() - interval '26 hours', true);
  END IF;
END
$$;
COMMENT ON FUNCTION crm_health.check_install()
  IS 'What is wrong with the installation, each with the statement that mends it; no rows where all is well';
REVOKE ALL ON FUNCTION crm_health.check_install() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crm_health.check_install() TO pg_monitor;

-- The table or view of this name: in the CRM's schema, or for what we write in public. Out of the catalog, for who
-- monitors may lack USAGE on the schema.
CREATE FUNCTION crm_health.crm_relation(p_schema text, p_table text) RETURNS regclass
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT c.oid::regclass
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relname = p_table AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND (n.nspname = p_schema
         OR n.nspname = 'public' AND EXISTS (
           SELECT FROM crm_health.crm_columns() k WHERE k.table_name = p_table AND k.table_role IN ('score', 'history')))
  ORDER BY n.nspname = p_schema DESC LIMIT 1
$$;
COMMENT ON FUNCTION crm_health.crm_relation(text, text) IS 'The table or view that a refresh uses under this name, NULL if there is none';
