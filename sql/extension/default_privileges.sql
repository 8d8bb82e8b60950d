-- Default privileges of the database (ALTER DEFAULT PRIVILEGES … GRANT EXECUTE ON FUNCTIONS, … ON TABLES)
-- reach our objects too, and REVOKE … FROM PUBLIC does not take them back. An upgrade names the members that
-- were there before it: who was granted something on them keeps it.
DO $$
DECLARE
  v_before text[] := string_to_array(coalesce(current_setting('crm_health.members_before', true), ''), ',');
  v_function record;
  v_relation record;
BEGIN
  FOR v_relation IN
    SELECT DISTINCT c.oid::regclass AS name, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END AS grantee
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'crm_health'
    CROSS JOIN LATERAL aclexplode(c.relacl) g
    WHERE c.relkind IN ('r', 'v', 'S') AND g.grantee NOT IN (c.relowner, 'pg_monitor'::regrole)
      AND concat_ws(':', d.classid, d.objid) <> ALL (v_before)
  LOOP
    EXECUTE format('REVOKE ALL ON %s FROM %s', v_relation.name, v_relation.grantee);
  END LOOP;
  FOR v_function IN
    SELECT p.oid::regprocedure AS signature, CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind,
           g.grantee::regrole AS grantee
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'crm_health'
    CROSS JOIN LATERAL aclexplode(p.proacl) g
    WHERE g.grantee NOT IN (0, p.proowner, 'pg_monitor'::regrole)
      AND concat_ws(':', d.classid, d.objid) <> ALL (v_before)
  LOOP
    EXECUTE format('REVOKE ALL ON %s %s FROM %s', v_function.kind, v_function.signature, v_function.grantee);
  END LOOP;
END
$$;
