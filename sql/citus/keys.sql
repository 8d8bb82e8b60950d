-- Unique keys get the user as their last column: the look-up by id alone still has its index.
DO $$
DECLARE
    v_index record;
BEGIN
    FOR v_index IN
        SELECT i.indexrelid, i.indexrelid::regclass AS index, c.relname AS name, s.relation, s.key, k.oid AS key_constraint, k.contype,
               i.indexprs IS NOT NULL AS is_computed,
               (SELECT a.attnotnull FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indrelid AND a.attname = s.key) AS is_not_null,
               (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY p.place)
                FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS p (attnum, place)
                JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = p.attnum) AS columns,
               pg_catalog.pg_get_expr(i.indpred, i.indrelid) AS predicate,
               pg_catalog.obj_description(i.indexrelid, 'pg_class') AS comment
        FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
        JOIN pg_temp.crm_spread s ON s.relation = i.indrelid AND s.key IS NOT NULL AND NOT s.is_done
        LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
        WHERE (i.indisunique OR k.contype = 'x') AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = i.indrelid AND a.attname = s.key AND a.attnum = ANY (i.indkey))
        ORDER BY 2 LOOP
        IF v_index.is_computed OR v_index.contype = 'x' THEN
            RAISE EXCEPTION 'unique key % of % cannot hold across servers', v_index.name, v_index.relation
                USING ERRCODE = 'feature_not_supported', HINT = 'drop it, or make it one over plain columns';
        END IF;
        -- In a primary key it cannot be NULL, and it shall be as it was afterwards.
        IF v_index.contype = 'p' AND NOT v_index.is_not_null THEN
            CALL pg_temp.crm_note(pg_catalog.format('column %I of %s', v_index.key, v_index.relation),
                pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', v_index.relation, v_index.key));
        END IF;
        IF v_index.key_constraint IS NULL THEN
            CALL pg_temp.crm_note(pg_catalog.format('key %s', v_index.index),
                pg_catalog.format('DROP INDEX IF EXISTS %s; ', v_index.index) || pg_catalog.pg_get_indexdef(v_index.indexrelid));
            EXECUTE pg_catalog.format('DROP INDEX %s', v_index.index);
            EXECUTE pg_catalog.format('CREATE UNIQUE INDEX %I ON %s (%s, %I)%s', v_index.name, v_index.relation, v_index.columns,
                v_index.key, ' WHERE ' || v_index.predicate);
        ELSE
            CALL pg_temp.crm_note(pg_catalog.format('key %I of %s', v_index.name, v_index.relation),
                pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I; ALTER TABLE %1$s ADD CONSTRAINT %2$I %3$s',
                    v_index.relation, v_index.name, pg_catalog.pg_get_constraintdef(v_index.key_constraint)));
            EXECUTE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', v_index.relation, v_index.name);
            EXECUTE pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s (%s, %I)', v_index.relation, v_index.name,
                CASE v_index.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, v_index.columns, v_index.key);
        END IF;
    END LOOP;
END
$$;
