-- Default privileges of the database (ALTER DEFAULT PRIVILEGES … GRANT EXECUTE ON FUNCTIONS, … ON TABLES)
-- reach our objects too, and REVOKE … FROM PUBLIC does not take them back.
DO $$
DECLARE
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
  LOOP
    EXECUTE format('REVOKE ALL ON %s %s FROM %s', v_function.kind, v_function.signature, v_function.grantee);
  END LOOP;
END
$$;

-- The roles that applications of the field use, where they exist. sql/crm does the same for roles that
-- are made later.
DO $$
DECLARE
  v_role text;
BEGIN
  FOR v_role IN SELECT r.rolname FROM pg_catalog.pg_roles r WHERE r.rolname IN ('authenticated', 'service_role') LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION public.refresh_deal_health_scores(uuid, integer), public.refresh_relationship_health_scores(uuid, integer), crm_health.explain_deal(uuid, timestamptz), crm_health.explain_contact(uuid, timestamptz), crm_health.needs_attention(uuid[], integer, timestamptz), crm_health.link_replies(uuid), crm_health.score_deal(jsonb), crm_health.score_relationship(jsonb, text) TO %I', v_role);
  END LOOP;
  IF EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = 'service_role') THEN
    GRANT EXECUTE ON FUNCTION crm_health.refresh_deals(uuid[], integer, timestamptz), crm_health.refresh_relationships(uuid[], integer, timestamptz), crm_health.active_users(timestamptz), crm_health.post_notification(text, uuid, text, text, text, text, text, text, jsonb) TO service_role;
    GRANT SELECT ON crm_health.notifications, crm_health.recent_notifications TO service_role;
  END IF;
END
$$;
