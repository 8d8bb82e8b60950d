-- The types of the columns that words are written to.
SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type
FROM pg_attribute a
WHERE a.attrelid = to_regclass('{crm}.communication_events') AND a.attname = ANY ($1::text[]) AND NOT a.attisdropped
