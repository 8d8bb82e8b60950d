-- The tables of the whole team first, for others refer to them; then those of the users, all together; then the function by
-- which the coordinator has work done where a user is.
DO $$
DECLARE
    v_table record;
    v_anchor text := (SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
                      FROM pg_temp.crm_spread t
                      JOIN pg_catalog.pg_class c ON c.oid = t.relation
                      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                      WHERE t.name = 'relationship_health_scores');
BEGIN
    FOR v_table IN SELECT t.relation FROM pg_temp.crm_spread t WHERE t.key IS NULL AND NOT t.is_done ORDER BY t.name LOOP
        PERFORM pg_catalog.create_reference_table(v_table.relation);
    END LOOP;
    FOR v_table IN SELECT t.* FROM pg_temp.crm_spread t WHERE t.key IS NOT NULL AND NOT t.is_done
                   ORDER BY t.name <> 'relationship_health_scores', t.name LOOP
        PERFORM pg_catalog.create_distributed_table(v_table.relation, v_table.key,
            colocate_with => CASE v_table.name WHEN 'relationship_health_scores' THEN 'none' ELSE v_anchor END);
    END LOOP;
    PERFORM pg_catalog.create_distributed_function('crm_health.on_worker(uuid, text, jsonb, jsonb)', 'p_user_id',
        colocate_with => v_anchor, force_delegation => true);
END
$$;
