-- Foreign keys go, to come back when the tables are distributed, as far as Citus can keep them: references_back.sql.
CREATE TEMPORARY TABLE crm_references ON COMMIT DROP AS
SELECT k.oid, k.conname AS name, k.conrelid::regclass AS relation, k.confrelid::regclass AS target, s.key AS key, t.key AS target_key,
       a.attname AS column_name, b.attname AS target_column, k.confdeltype = 'c' AS cascades,
       pg_catalog.pg_get_constraintdef(k.oid) AS definition, s.name IS NOT NULL AS is_ours, t.name IS NOT NULL AS is_to_ours
FROM pg_catalog.pg_constraint k
LEFT JOIN pg_temp.crm_spread s ON s.relation = k.conrelid
LEFT JOIN pg_temp.crm_spread t ON t.relation = k.confrelid
JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
JOIN pg_catalog.pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1]
WHERE k.contype = 'f' AND (NOT s.is_done OR NOT t.is_done);

DO $$
DECLARE
    v_reference record;
BEGIN
    FOR v_reference IN SELECT * FROM pg_temp.crm_references r WHERE NOT (r.is_ours AND r.is_to_ours) ORDER BY r.relation::text, r.name LIMIT 1 LOOP
        RAISE EXCEPTION 'foreign key % of % to % is between a table that is distributed and one that is not',
                v_reference.name, v_reference.relation, v_reference.target
            USING ERRCODE = 'feature_not_supported', DETAIL = v_reference.definition,
                  HINT = pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I, or distribute that table with the others', v_reference.relation, v_reference.name);
    END LOOP;
    FOR v_reference IN SELECT * FROM pg_temp.crm_references r ORDER BY r.relation::text, r.name LOOP
        CALL pg_temp.crm_note(pg_catalog.format('reference %I of %s', v_reference.name, v_reference.relation),
            pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID', v_reference.relation, v_reference.name, v_reference.definition));
        EXECUTE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', v_reference.relation, v_reference.name);
    END LOOP;
END
$$;
