-- Takes sql/adopt.sql back: drops the extension and brings the functions back that it took the place of, with their
-- owners, grants and comments.
--
--   psql -d mydb -f sql/unadopt.sql      (as a superuser)
--
-- One transaction. The CRM tables, scores and history stay, and so does schema crm_health with config_changes, what was
-- configured; the run log and the outbox go with the extension. If other objects depend on the extension nothing is changed, and the error lists them.

\set ON_ERROR_STOP on

BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
-- What a function body names may not be there yet, or any more; it was accepted once.
SET LOCAL check_function_bodies = off;

DO $$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER) THEN
        RAISE EXCEPTION 'only a superuser can take the adoption back' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF pg_catalog.to_regclass('public.crm_adopted_functions') IS NULL THEN
        RAISE EXCEPTION 'there is no table public.crm_adopted_functions: nothing was adopted here'
            USING ERRCODE = 'undefined_table', HINT = 'DROP EXTENSION crm_health; removes the extension alone';
    END IF;
    -- Its text is run below with the rights of a superuser: it has to come from one.
    IF EXISTS (
        SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
        WHERE c.oid = pg_catalog.to_regclass('public.crm_adopted_functions')
          AND (NOT r.rolsuper OR c.relkind <> 'r' OR c.relhastriggers OR c.relhasrules OR EXISTS (
              SELECT FROM pg_catalog.aclexplode(c.relacl) x
              WHERE x.grantee <> c.relowner AND x.privilege_type <> 'SELECT'))) THEN
        RAISE EXCEPTION 'public.crm_adopted_functions can be written by others than a superuser: not used'
            USING ERRCODE = 'insufficient_privilege', HINT = 'look what stands in it, then REVOKE ALL on it and give it to a superuser';
    END IF;
END
$$;

-- The nightly jobs would go on without what they call. Those that pg_cron keeps in another database are taken away there.
DO $$
DECLARE
    v_hint text;
BEGIN
    IF pg_catalog.to_regprocedure('crm_health.unschedule()') IS NOT NULL
       AND EXISTS (SELECT FROM pg_catalog.pg_settings WHERE name = 'cron.database_name' AND context = 'postmaster'
                   AND (setting <> pg_catalog.current_database()
                        OR EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_cron'))) THEN
        PERFORM crm_health.unschedule();
    END IF;
EXCEPTION WHEN object_not_in_prerequisite_state THEN
    GET STACKED DIAGNOSTICS v_hint = PG_EXCEPTION_HINT;
    RAISE NOTICE '%: those that call this extension would go on, and fail', SQLERRM USING HINT = v_hint;
END
$$;

DROP EXTENSION IF EXISTS crm_health;

DO $$
DECLARE
    v_function record;
    v_grant text;
BEGIN
    FOR v_function IN SELECT f.* FROM public.crm_adopted_functions f ORDER BY f.signature LOOP
        EXECUTE v_function.definition;
        EXECUTE pg_catalog.format('ALTER ROUTINE %s OWNER TO %I', v_function.signature, v_function.owner);
        -- Off with what the default privileges of the schema granted just now, on with what there was.
        FOR v_grant IN
            SELECT DISTINCT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END
            FROM pg_catalog.pg_proc p
            CROSS JOIN LATERAL pg_catalog.aclexplode(COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner))) x
            WHERE p.oid = pg_catalog.to_regprocedure(v_function.signature)
        LOOP
            EXECUTE pg_catalog.format('REVOKE ALL ON %s %s FROM %s', v_function.kind, v_function.signature, v_grant);
        END LOOP;
        FOREACH v_grant IN ARRAY v_function.grants LOOP
            EXECUTE v_grant;
        END LOOP;
        IF v_function.remark IS NOT NULL THEN
            EXECUTE pg_catalog.format('COMMENT ON %s %s IS %L', v_function.kind, v_function.signature, v_function.remark);
        END IF;
        RAISE NOTICE 'brought back %', v_function.signature;
    END LOOP;
END
$$;

DROP TABLE public.crm_adopted_functions;
COMMIT;
