-- Row level security: Citus takes no subquery. Those of sql/crm lose the one around the subject, which only spared time;
-- those that look into another table go, and the rows are then seen by service_role alone.
SET LOCAL citus.enable_ddl_propagation = off;
CREATE FUNCTION pg_temp.crm_definition(p_policy oid) RETURNS text
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
    SELECT pg_catalog.format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', p.polname, p.polrelid::regclass,
        CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
        CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
        (SELECT pg_catalog.string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE r::regrole::text END, ', ') FROM pg_catalog.unnest(p.polroles) r),
        ' USING (' || pg_catalog.pg_get_expr(p.polqual, p.polrelid) || ')',
        ' WITH CHECK (' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) || ')')
    FROM pg_catalog.pg_policy p WHERE p.oid = p_policy
$$;
SET LOCAL citus.enable_ddl_propagation = on;

DO $$
DECLARE
    v_policy record;
    v_subject CONSTANT text := $subject$COALESCE(NULLIF(NULLIF(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', ''),
        NULLIF(current_setting('request.jwt.claim.sub', true), ''))::uuid$subject$;
BEGIN
    FOR v_policy IN
        SELECT p.oid, p.polname, s.relation, s.name, CASE s.name WHEN 'companies' THEN 'owner_id' ELSE s.key END AS key
        FROM pg_catalog.pg_policy p JOIN pg_temp.crm_spread s ON s.relation = p.polrelid
        WHERE NOT s.is_done AND concat(p.polqual::text, p.polwithcheck::text) LIKE '%{SUBLINK %'
        ORDER BY s.name, p.polname LOOP
        IF v_policy.polname NOT IN ('crm_own_rows', 'crm_companies_of_own_contacts') THEN
            RAISE EXCEPTION 'policy % of % has a subquery, which Citus does not take', v_policy.polname, v_policy.relation
                USING ERRCODE = 'feature_not_supported',
                      HINT = 'write it without one, or drop it; docs/citus.md tells what policies see on the workers';
        END IF;
        CALL pg_temp.crm_note(pg_catalog.format('policy %I of %s', v_policy.polname, v_policy.relation),
            pg_catalog.format('DROP POLICY IF EXISTS %I ON %s; ', v_policy.polname, v_policy.relation) || pg_temp.crm_definition(v_policy.oid));
        EXECUTE pg_catalog.format('DROP POLICY %I ON %s', v_policy.polname, v_policy.relation);
        IF v_policy.polname = 'crm_own_rows' AND v_policy.key IS NOT NULL THEN
            EXECUTE pg_catalog.format('CREATE POLICY crm_own_rows ON %s USING (%I = %s)', v_policy.relation, v_policy.key, v_subject);
        END IF;
    END LOOP;
END
$$;
