-- Adds unique keys and indexes unless an equivalent one is there, under whatever name.

-- "((status)::text = 'active'::text)" and "status = 'active'" are one predicate.
CREATE FUNCTION pg_temp.crm_predicate(p_predicate text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $sql$ SELECT pg_catalog.regexp_replace(p_predicate, '[()]|::text|::character varying', '', 'g') $sql$;

-- Every usable btree over plain columns of a relation, its key columns in order, and what it holds beside them.
CREATE FUNCTION pg_temp.crm_indexes(p_relation regclass)
RETURNS TABLE (columns text[], included text[], is_key boolean, predicate text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $sql$
    SELECT ARRAY(SELECT a.attname::text
                 FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
                 JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                 WHERE k.place <= i.indnkeyatts ORDER BY k.place),
           ARRAY(SELECT a.attname::text
                 FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
                 JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                 WHERE k.place > i.indnkeyatts),
           i.indisunique AND i.indimmediate, -- a deferrable key cannot stop a doubled insert in time
           pg_temp.crm_predicate(pg_catalog.pg_get_expr(i.indpred, i.indrelid))
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_am m ON m.oid = c.relam AND m.amname = 'btree'
    WHERE i.indrelid = p_relation AND i.indisvalid AND i.indexprs IS NULL
$sql$;

-- A key is the same key in any order of columns; "WHERE column IS NOT NULL" takes nothing from it, for NULLs never collide.
CREATE FUNCTION pg_temp.crm_has_key(p_name text, p_columns text[], p_predicate text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $sql$ SELECT EXISTS (
    SELECT FROM pg_temp.crm_indexes(pg_temp.crm_relation(p_name)) x
    WHERE x.is_key AND x.columns @> p_columns AND x.columns <@ p_columns
      AND (x.predicate IS NULL OR x.predicate = pg_temp.crm_predicate(p_predicate)
           OR x.predicate = ANY (SELECT c || ' IS NOT NULL' FROM pg_catalog.unnest(p_columns) AS c))) $sql$;

-- An index serves where its first columns are the wanted ones in their order; its direction does not matter, for it
-- can be read both ways. It must hold what is to be included, in whatever place. One over all rows serves for a part of
-- them, unless the part is looked for because it is small.
CREATE FUNCTION pg_temp.crm_has_index(
    p_name text, p_columns text[], p_included text[], p_predicate text, p_few boolean) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $sql$ SELECT EXISTS (
    SELECT FROM pg_temp.crm_indexes(pg_temp.crm_relation(p_name)) x
    WHERE x.columns[1:pg_catalog.cardinality(p_columns)] = p_columns
      AND x.columns || x.included @> p_included
      AND (x.predicate IS NULL AND NOT p_few OR x.predicate = pg_temp.crm_predicate(p_predicate))) $sql$;

-- crm_add_index("UNIQUE" or "", …): the DDL that keys and indexes share.
CREATE PROCEDURE pg_temp.crm_add_index(
    p_unique text, p_index text, p_name text, p_definition text, p_predicate text, p_comment text,
    p_include text DEFAULT NULL)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_index text := pg_temp.crm_free_name(p_index);
BEGIN
    EXECUTE pg_catalog.format('CREATE %s INDEX %I ON %I.%I (%s)', p_unique, v_index, pg_temp.crm_schema(), p_name, p_definition)
        || COALESCE(' INCLUDE (' || p_include || ')', '') || COALESCE(' WHERE ' || p_predicate, '');
    EXECUTE pg_catalog.format('COMMENT ON INDEX %I.%I IS %L', pg_temp.crm_schema(), v_index, p_comment);
END
$$;

-- A key that doubled rows stand against, or partitions that are not told apart by it, is an error on a score table
-- (p_required), elsewhere a warning: rows and partitions are the owner's to mend.
CREATE PROCEDURE pg_temp.crm_key(
    p_index text, p_name text, p_columns text[], p_comment text, p_predicate text DEFAULT NULL,
    p_required boolean DEFAULT false)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_list text := (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(c), ', ' ORDER BY place)
                    FROM pg_catalog.unnest(p_columns) WITH ORDINALITY AS u(c, place));
    v_hint text := pg_catalog.format('SELECT %s, count(*) FROM %s%s GROUP BY %s HAVING count(*) > 1; shows them',
                                     v_list, pg_temp.crm_relation(p_name), COALESCE(' WHERE ' || p_predicate, ''), v_list);
BEGIN
    IF NOT pg_temp.crm_is_table(p_name) OR pg_temp.crm_has_key(p_name, p_columns, p_predicate) THEN
        RETURN;
    END IF;
    CALL pg_temp.crm_add_index('UNIQUE', p_index, p_name, v_list, p_predicate, p_comment);
EXCEPTION WHEN unique_violation THEN
    IF p_required THEN
        RAISE EXCEPTION '%.% has doubled rows: its unique key on (%) cannot be added', pg_temp.crm_schema(), p_name, v_list
            USING ERRCODE = 'unique_violation', HINT = v_hint;
    END IF;
    RAISE WARNING '%.% has doubled rows: its unique key on (%) was not added', pg_temp.crm_schema(), p_name, v_list
        USING HINT = v_hint;
WHEN feature_not_supported THEN
    IF p_required THEN
        RAISE EXCEPTION '%.% is partitioned: its unique key on (%) cannot be added', pg_temp.crm_schema(), p_name, v_list
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'scores need a table that is not partitioned: rename this one, and run this script again';
    END IF;
    RAISE WARNING '%.% is partitioned: its unique key on (%) was not added', pg_temp.crm_schema(), p_name, v_list
        USING HINT = 'nothing needs it as long as whoever writes the rows does not double them';
END
$$;

-- p_definition may carry DESC after a column; p_include lists columns that the index holds beside it; p_few says that
-- p_predicate holds for few rows, and that an index over all of them is no help in finding those.
CREATE PROCEDURE pg_temp.crm_index(
    p_index text, p_name text, p_definition text, p_comment text, p_predicate text DEFAULT NULL, p_include text DEFAULT NULL,
    p_few boolean DEFAULT false)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_columns text[] := ARRAY(SELECT pg_catalog.split_part(pg_catalog.btrim(part), ' ', 1)
                              FROM pg_catalog.regexp_split_to_table(p_definition, ',') WITH ORDINALITY AS p(part, place)
                              ORDER BY place);
BEGIN
    IF pg_temp.crm_is_table(p_name) AND NOT pg_temp.crm_has_index(
            p_name, v_columns, pg_catalog.string_to_array(COALESCE(p_include, ''), ', '), p_predicate, p_few) THEN
        CALL pg_temp.crm_add_index('', p_index, p_name, p_definition, p_predicate, p_comment, p_include);
    END IF;
END
$$;
