-- What the extension is made of, a line each: (object, property, value). Two databases with the same extension in
-- them have the same lines, however they came by it.
WITH member AS (
  SELECT d.classid, d.objid, i.type || ' ' || i.identity AS object, i.type, i.identity
  FROM pg_depend d
  JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'crm_health'
  CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) i
  WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
), relation AS (
  SELECT m.object, c.* , c.oid AS relation
  FROM member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid
), composite AS (
  -- The columns of tables, of views and of row types.
  SELECT r.object, r.relation FROM relation r
  UNION ALL
  SELECT m.object, t.typrelid FROM member m
  JOIN pg_type t ON m.classid = 'pg_type'::regclass AND t.oid = m.objid AND t.typrelid <> 0
), function AS (
  SELECT m.object, p.*, p.oid AS function
  FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid
)
SELECT object, 'membership', 'member' FROM member
UNION ALL
SELECT object, 'comment', obj_description(objid, classid::regclass::name) FROM member
UNION ALL
SELECT object, 'initial privileges', (SELECT string_agg(a::text, ', ' ORDER BY a::text) FROM unnest(i.initprivs) a)
FROM member JOIN pg_init_privs i ON i.classoid = classid AND i.objoid = objid AND i.objsubid = 0
UNION ALL
SELECT object, 'definition', CASE f.prokind WHEN 'a' THEN 'aggregate' ELSE pg_get_functiondef(function) END FROM function f
UNION ALL
SELECT object, 'definition of the aggregate',
       concat_ws(' ', a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggtranstype::regtype,
                 a.aggtransspace, a.aggfinalmodify, a.agginitval, f.proparallel)
FROM function f JOIN pg_aggregate a ON a.aggfnoid = f.function
UNION ALL
SELECT object, 'owner', proowner::regrole::text FROM function
UNION ALL
SELECT object, 'privileges', (SELECT string_agg(a::text, ', ' ORDER BY a::text) FROM unnest(coalesce(proacl, acldefault('f', proowner))) a)
FROM function
UNION ALL
SELECT object, 'owner', relowner::regrole::text FROM relation
UNION ALL
SELECT object, 'privileges',
       (SELECT string_agg(a::text, ', ' ORDER BY a::text)
        FROM unnest(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))) a)
FROM relation WHERE relkind <> 'i'
UNION ALL
SELECT object, 'kind and options', concat_ws(' ', relkind, relpersistence, relrowsecurity, relforcerowsecurity, reloptions::text) FROM relation
UNION ALL
SELECT object, 'view', pg_get_viewdef(relation) FROM relation WHERE relkind = 'v'
UNION ALL
SELECT c.object, 'column ' || row_number() OVER (PARTITION BY c.object ORDER BY a.attnum),
       concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), nullif(a.attidentity, ''), nullif(a.attgenerated, ''),
                 nullif(a.attcollation, 0)::regcollation, a.attacl::text, 'COMMENT ' || col_description(a.attrelid, a.attnum))
FROM composite c
JOIN pg_attribute a ON a.attrelid = c.relation AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
UNION ALL
SELECT r.object, 'constraint ' || c.conname, pg_get_constraintdef(c.oid) || CASE WHEN c.convalidated THEN '' ELSE ' NOT VALID' END
FROM relation r JOIN pg_constraint c ON c.conrelid = r.relation
UNION ALL
SELECT r.object, 'index ' || i.indexrelid::regclass, pg_get_indexdef(i.indexrelid)
FROM relation r JOIN pg_index i ON i.indrelid = r.relation
UNION ALL
SELECT r.object, 'trigger ' || t.tgname, concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
FROM relation r JOIN pg_trigger t ON t.tgrelid = r.relation AND NOT t.tgisinternal
UNION ALL
SELECT r.object, 'policy ' || p.polname,
       concat_ws(' ', p.polcmd, p.polpermissive, p.polroles::regrole[]::text, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
FROM relation r JOIN pg_policy p ON p.polrelid = r.relation
UNION ALL
SELECT 'table ' || c.name, 'carried by pg_dump', coalesce(nullif(c.condition, ''), 'whole')
FROM pg_extension e CROSS JOIN LATERAL ROWS FROM (unnest(e.extconfig::regclass[]), unnest(e.extcondition)) AS c (name, condition)
WHERE e.extname = 'crm_health'
UNION ALL
SELECT 'schema ' || nspname, 'privileges, owner and comment',
       concat_ws(' ', (SELECT string_agg(a::text, ', ' ORDER BY a::text) FROM unnest(nspacl) a), nspowner::regrole, obj_description(oid, 'pg_namespace'))
FROM pg_namespace WHERE nspname = 'crm_health'
UNION ALL
SELECT 'extension ' || extname, 'properties', concat_ws(' ', extnamespace::regnamespace, extrelocatable, extowner::regrole, obj_description(oid, 'pg_extension'))
FROM pg_extension WHERE extname = 'crm_health'
ORDER BY 1, 2, 3
