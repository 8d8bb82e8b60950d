-- What is there. $1 schemas, $2 names. Not by to_regclass, which fails in a schema that may not be used.
SELECT current_user::text AS role,
       (SELECT coalesce(json_agg(f), '[]') FROM (
          SELECT c.relname::text AS name, n.nspname::text AS schema, 'relation' AS kind,
                 format('%I.%I', n.nspname, c.relname) AS qualified,
                 has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT') AS is_readable,
                 c.relrowsecurity
                 AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = current_user AND (r.rolsuper OR r.rolbypassrls))
                 AND (c.relforcerowsecurity OR NOT pg_has_role(c.relowner, 'USAGE'))
                 AND NOT EXISTS (SELECT FROM pg_policy p CROSS JOIN unnest(p.polroles) AS g(role)
                                 WHERE p.polrelid = c.oid AND p.polcmd IN ('*', 'r')
                                   AND CASE g.role WHEN 0 THEN false ELSE pg_has_role(g.role, 'USAGE') END) AS is_hidden
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = ANY ($1) AND c.relname = ANY ($2) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
          UNION ALL
          SELECT DISTINCT ON (n.nspname, p.proname) p.proname::text, n.nspname::text, 'function',
                 format('%I.%I', n.nspname, p.proname),
                 has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE'), false
          FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
          WHERE n.nspname = ANY ($1) AND p.proname = ANY ($2)
        ) f) AS found
