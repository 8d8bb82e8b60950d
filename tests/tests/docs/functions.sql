-- The extension's functions as docs/reference.md writes them: signature, name, result, grants.
-- The owner of the score tables is granted what service_role has by sql/crm/install.sql, not by the extension.
SELECT n.nspname || '.' || p.proname || '(' || replace(
         regexp_replace(pg_get_function_arguments(p.oid), '::(text|integer|jsonb|uuid\[\]|timestamp with time zone)|\mIN ', '', 'g'),
         'timestamp with time zone', 'timestamptz') || ')' AS signature,
       p.proname::text,
       coalesce('Returns `' || replace(pg_get_function_result(p.oid), 'timestamp with time zone', 'timestamptz') || '`.', '') AS returns,
       'Granted to ' || coalesce((
         SELECT string_agg(DISTINCT CASE a.grantee WHEN 0 THEN 'everyone' ELSE '`' || a.grantee::regrole || '`' END, ', ')
         FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
         WHERE a.grantee <> p.proowner AND a.grantee IS DISTINCT FROM to_regrole('crm_health_owner')), 'nobody') || '.' AS grants
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'crm_health'
ORDER BY 1
