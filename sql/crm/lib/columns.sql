-- Reads the column list of a table file. One column a line: name, type (no blanks), NOT NULL, DEFAULT expression,
-- and after " -- " the comment that COMMENT ON COLUMN gets.

CREATE FUNCTION pg_temp.crm_columns(p_columns text)
RETURNS TABLE (place bigint, column_name text, column_type text, not_null boolean, default_expr text, remark text)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $sql$
    SELECT l.place, m.part[1], m.part[2], m.part[3] IS NOT NULL, m.part[4],
           NULLIF(pg_catalog.btrim(pg_catalog.split_part(l.line, ' -- ', 2)), '')
    FROM pg_catalog.regexp_split_to_table(p_columns, '\n') WITH ORDINALITY AS l(line, place)
    CROSS JOIN LATERAL pg_catalog.regexp_match(pg_catalog.btrim(pg_catalog.split_part(l.line, ' -- ', 1)),
        '^(\w+)\s+(\S+)(\s+NOT NULL)?(?:\s+DEFAULT\s+(.+))?$') AS m(part)
    WHERE pg_catalog.btrim(l.line) <> ''
$sql$;

-- "name type NOT NULL DEFAULT …" of every column, for CREATE TABLE.
CREATE FUNCTION pg_temp.crm_column_list(p_columns text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_temp.crm_columns(p_columns) WHERE column_name IS NULL) THEN
        RAISE EXCEPTION 'unreadable column in: %', p_columns;
    END IF;
    RETURN (SELECT pg_catalog.string_agg(pg_catalog.format('%I %s', c.column_name, c.column_type)
                || CASE WHEN c.not_null THEN ' NOT NULL' ELSE '' END
                || COALESCE(' DEFAULT ' || c.default_expr, ''), E',\n    ' ORDER BY c.place)
            FROM pg_temp.crm_columns(p_columns) c);
END
$$;
