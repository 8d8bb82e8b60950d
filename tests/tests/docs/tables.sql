-- The relations and types of schema crm_health with their columns.
SELECT n.nspname || '.' || c.relname,
       (SELECT array_agg(a.attname::text ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'crm_health' AND c.relkind IN ('r', 'p', 'v', 'm', 'c')
ORDER BY 1
