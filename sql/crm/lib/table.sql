-- Creates a CRM table, or completes the one that is there. p_kind: "source" for what the refresh reads (may be a view),
-- "result" for what it writes (has to be a table).

CREATE PROCEDURE pg_temp.crm_create_table(
    p_name text, p_comment text, p_columns text, p_constraints text, p_options text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_column record;
    v_constraints text := p_constraints;
    v_key text;
BEGIN
    FOR v_key IN SELECT m.part[1] FROM pg_catalog.regexp_matches(p_constraints, 'CONSTRAINT (\w+) (?:PRIMARY KEY|UNIQUE)', 'g') AS m(part) LOOP
        v_constraints := pg_catalog.replace(v_constraints, 'CONSTRAINT ' || v_key || ' ', 'CONSTRAINT ' || pg_temp.crm_free_name(v_key) || ' ');
    END LOOP;
    EXECUTE pg_catalog.format('CREATE TABLE %I.%I (%s, %s)', pg_temp.crm_schema(), p_name,
        pg_temp.crm_column_list(p_columns), v_constraints)
        || COALESCE(' WITH (' || p_options || ')', '');
    EXECUTE pg_catalog.format('COMMENT ON TABLE %I.%I IS %L', pg_temp.crm_schema(), p_name, p_comment);
    FOR v_column IN SELECT c.* FROM pg_temp.crm_columns(p_columns) c WHERE c.remark IS NOT NULL LOOP
        EXECUTE pg_catalog.format('COMMENT ON COLUMN %I.%I.%I IS %L',
            pg_temp.crm_schema(), p_name, v_column.column_name, v_column.remark);
    END LOOP;
    EXECUTE pg_catalog.format('ALTER TABLE %I.%I OWNER TO %I', pg_temp.crm_schema(), p_name,
        pg_catalog.current_setting('crm_install.owner'));
    INSERT INTO pg_temp.crm_created VALUES (p_name);
END
$$;

-- Missing columns only. They are added without a value for the rows that are there (nothing is rewritten, nothing is
-- made up); the default counts for rows to come.
CREATE PROCEDURE pg_temp.crm_complete_table(p_name text, p_columns text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_column record;
    v_relation regclass := pg_temp.crm_relation(p_name);
    v_added text[] := '{}';
BEGIN
    FOR v_column IN
        SELECT c.column_name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS present_type
        FROM pg_temp.crm_columns(p_columns) c
        JOIN pg_catalog.pg_attribute a ON a.attrelid = v_relation AND a.attname = c.column_name AND NOT a.attisdropped
        JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
        WHERE c.column_type = 'uuid' AND t.typcategory = 'N' ORDER BY c.place
    LOOP
        RAISE EXCEPTION '%.%.% is %, and keys have to be uuid', pg_temp.crm_schema(), p_name, v_column.column_name, v_column.present_type
            USING ERRCODE = 'datatype_mismatch',
                  HINT = 'leave the table as it is, and map it by a view in another schema: docs/crm-tables.md tells how numbers become keys';
    END LOOP;
    FOR v_column IN
        SELECT c.* FROM pg_temp.crm_columns(p_columns) c
        WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = v_relation
                          AND a.attname = c.column_name AND a.attnum > 0 AND NOT a.attisdropped)
        ORDER BY c.place
    LOOP
        IF v_column.column_name = 'id' THEN
            RAISE EXCEPTION 'table %.% has no column id', pg_temp.crm_schema(), p_name
                USING ERRCODE = 'undefined_column',
                      HINT = 'add a uuid key of that name, or map the table by a view: see docs/crm-tables.md';
        END IF;
        EXECUTE pg_catalog.format('ALTER TABLE %s ADD COLUMN %I %s', v_relation, v_column.column_name, v_column.column_type);
        IF v_column.default_expr IS NOT NULL THEN
            EXECUTE pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s',
                v_relation, v_column.column_name, v_column.default_expr);
        END IF;
        v_added := v_added || v_column.column_name;
    END LOOP;
    IF v_added <> '{}' THEN
        RAISE NOTICE 'added to %, NULL in the rows that are there: %', v_relation, pg_catalog.array_to_string(v_added, ', ');
    END IF;
END
$$;

-- Of a table that an earlier version of this script made: comments and storage as they are now.
CREATE PROCEDURE pg_temp.crm_renew_table(p_name text, p_comment text, p_columns text, p_options text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_relation regclass := pg_temp.crm_relation(p_name);
    v_column record;
BEGIN
    IF pg_catalog.obj_description(v_relation, 'pg_class') IS DISTINCT FROM p_comment THEN
        EXECUTE pg_catalog.format('COMMENT ON TABLE %s IS %L', v_relation, p_comment);
    END IF;
    FOR v_column IN
        SELECT c.column_name, c.remark FROM pg_temp.crm_columns(p_columns) c
        JOIN pg_catalog.pg_attribute a ON a.attrelid = v_relation AND a.attname = c.column_name AND NOT a.attisdropped
        WHERE c.remark IS NOT NULL AND pg_catalog.col_description(v_relation, a.attnum) IS DISTINCT FROM c.remark
    LOOP
        EXECUTE pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', v_relation, v_column.column_name, v_column.remark);
    END LOOP;
    -- Storage that somebody chose stays.
    IF p_options IS NOT NULL AND EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = v_relation AND c.reloptions IS NULL) THEN
        EXECUTE pg_catalog.format('ALTER TABLE %s SET (%s)', v_relation, p_options);
    END IF;
END
$$;

CREATE PROCEDURE pg_temp.crm_table(
    p_name text, p_kind text, p_comment text, p_columns text, p_constraints text, p_options text DEFAULT NULL)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_temp.crm_relation(p_name) IS NULL THEN
        CALL pg_temp.crm_create_table(p_name, p_comment, p_columns, p_constraints, p_options);
    ELSIF pg_temp.crm_is_table(p_name) THEN
        CALL pg_temp.crm_complete_table(p_name, p_columns);
        IF pg_temp.crm_is_ours(p_name) THEN
            CALL pg_temp.crm_renew_table(p_name, p_comment, p_columns, p_options);
        END IF;
    ELSIF p_kind = 'source' THEN
        RAISE NOTICE '%.% is not a table: left as it is', pg_temp.crm_schema(), p_name
            USING HINT = 'it must have the columns listed in docs/crm-tables.md';
    ELSE
        RAISE EXCEPTION '%.% is not a table, but scores are written to it', pg_temp.crm_schema(), p_name
            USING ERRCODE = 'wrong_object_type',
                  HINT = pg_catalog.format('rename it, for example ALTER VIEW %I.%I RENAME TO %I; and run this script again',
                                           pg_temp.crm_schema(), p_name, p_name || '_old');
    END IF;
END
$$;
