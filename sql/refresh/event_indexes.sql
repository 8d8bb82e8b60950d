-- The key columns, the included columns and the predicate of the btree indexes of a table. $1 the table.
SELECT array_agg(a.attname::text ORDER BY k.place) FILTER (WHERE k.place <= i.indnkeyatts),
       array_agg(a.attname::text) FILTER (WHERE k.place > i.indnkeyatts),
       pg_get_expr(i.indpred, i.indrelid)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = c.relam AND m.amname = 'btree'
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = $1::regclass AND i.indisvalid AND i.indexprs IS NULL
GROUP BY i.indexrelid, i.indpred, i.indrelid
