-- Whether what models find can be stored: the columns $1 are there, and this role may do $2 (INSERT or UPDATE) to them.
SELECT count(*) = cardinality($1::text[])
FROM pg_attribute a
WHERE a.attrelid = to_regclass('{crm}.communication_events') AND NOT a.attisdropped
  AND a.attname = ANY ($1::text[])
  AND has_column_privilege(a.attrelid, a.attnum, $2)
