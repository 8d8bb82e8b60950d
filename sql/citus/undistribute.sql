-- The tables come home, then what was replaced, the last first.
DO $$
DECLARE
    v_found record;
BEGIN
    FOR v_found IN
        SELECT k.conname, k.conrelid::regclass AS relation
        FROM pg_catalog.pg_constraint k
        JOIN pg_temp.crm_spread s ON s.relation = k.conrelid AND s.is_done
        WHERE k.contype = 'f' ORDER BY 2, 1 LOOP
        EXECUTE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', v_found.relation, v_found.conname);
    END LOOP;
    FOR v_found IN SELECT t.relation FROM pg_temp.crm_spread t WHERE t.is_done ORDER BY t.key IS NULL, t.name LOOP
        PERFORM pg_catalog.undistribute_table(v_found.relation);
    END LOOP;
    FOR v_found IN SELECT r.restore FROM crm_health_citus.replaced r ORDER BY r.id DESC LOOP
        EXECUTE v_found.restore;
    END LOOP;
    DROP SCHEMA crm_health_citus CASCADE;
END
$$;
