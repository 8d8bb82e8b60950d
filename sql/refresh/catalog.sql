-- The CRM's tables and views with their columns, the CRM's own schema first.
-- Then, whether a trigger of the application writes a history of its rows: scores have theirs in …_history; the id; which
-- columns PostgreSQL works out by itself; and the indexes and triggers there are.
-- $1 schema, $2 names.
SELECT n.nspname::text, c.relname::text, c.relkind::text, c.relowner,
       array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attnum IS NOT NULL),
       array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) FILTER (WHERE a.attnum IS NOT NULL),
       EXISTS (
         SELECT FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
         WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
           AND p.prosrc ~* ('\minsert\s+into\s+(\S+\.)?"?' || replace(c.relname, '_scores', '_history') || '\M')),
       c.oid,
       coalesce(array_agg(a.attname::text) FILTER (WHERE a.attgenerated <> ''), '{}'),
       concat(
         (SELECT string_agg(format('%s %s', i.indexrelid, i.indisvalid), ',' ORDER BY i.indexrelid)
          FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid),
         ';', (SELECT string_agg(format('%s %s %s', t.oid, t.tgenabled, hashtext(p.prosrc)), ',' ORDER BY t.oid)
          FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
          WHERE t.tgrelid = c.oid AND NOT t.tgisinternal))
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname IN ($1, 'public') AND c.relname = ANY ($2) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
GROUP BY c.oid, n.nspname, c.relname, c.relkind, c.relowner
ORDER BY (n.nspname = $1) DESC
