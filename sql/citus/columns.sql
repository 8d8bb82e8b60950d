-- Snapshots of deal scores had no user. A refresh fills the column where it is there.
DO $$
DECLARE
    v_found record;
    v_nobody bigint;
BEGIN
    FOR v_found IN
        SELECT h.relation AS history, d.relation AS deals FROM pg_temp.crm_spread h, pg_temp.crm_spread d
        WHERE h.name = 'deal_health_history' AND NOT h.is_done AND d.name = 'deals' AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = h.relation AND a.attname = 'user_id' AND NOT a.attisdropped) LOOP
        EXECUTE pg_catalog.format('ALTER TABLE %s ADD COLUMN user_id uuid', v_found.history);
        EXECUTE pg_catalog.format('UPDATE %s h SET user_id = d.owner_id FROM %s d WHERE d.id = h.deal_id', v_found.history, v_found.deals);
        EXECUTE pg_catalog.format('COMMENT ON COLUMN %s.user_id IS %L', v_found.history, 'owner of the deal');
    END LOOP;
    FOR v_found IN SELECT t.relation, t.key FROM pg_temp.crm_spread t WHERE t.key IS NOT NULL AND NOT t.is_done ORDER BY t.name LOOP
        EXECUTE pg_catalog.format('SELECT count(*) FROM %s WHERE %I IS NULL', v_found.relation, v_found.key) INTO v_nobody;
        IF v_nobody > 0 THEN
            RAISE EXCEPTION '% rows of % have no %, by which the table is to be distributed', v_nobody, v_found.relation, v_found.key
                USING ERRCODE = 'not_null_violation',
                      HINT = pg_catalog.format('DELETE FROM %s WHERE %I IS NULL, or give them one', v_found.relation, v_found.key);
        END IF;
    END LOOP;
END
$$;
