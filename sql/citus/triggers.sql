-- Triggers that cannot run on a distributed table. The cache of the ghost model is not kept then, and a refresh reads every
-- event; a rule is not checked when it is saved, and a refresh passes over one that it cannot use. Both scores are the same.
DO $$
DECLARE
    v_trigger record;
BEGIN
    -- What was kept would never be told of a change.
    IF pg_catalog.to_regclass(pg_catalog.format('%I.contact_streams', crm_health.setting('crm_schema'))) IS NOT NULL
       AND EXISTS (SELECT FROM pg_temp.crm_spread s WHERE s.name = 'communication_events' AND NOT s.is_done) THEN
        EXECUTE pg_catalog.format('TRUNCATE %I.contact_streams', crm_health.setting('crm_schema'));
    END IF;
    FOR v_trigger IN
        SELECT t.oid, t.tgname, t.tgrelid::regclass AS relation, t.tgenabled
        FROM pg_catalog.pg_trigger t JOIN pg_temp.crm_spread s ON s.relation = t.tgrelid
        WHERE NOT s.is_done AND NOT t.tgisinternal
          AND (t.tgname LIKE 'crm\_forget\_streams\_%' OR t.tgname = 'crm_check_deal_rule')
        ORDER BY t.tgname LOOP
        CALL pg_temp.crm_note(pg_catalog.format('trigger %I of %s', v_trigger.tgname, v_trigger.relation),
            pg_catalog.pg_get_triggerdef(v_trigger.oid)
            || CASE v_trigger.tgenabled WHEN 'A' THEN pg_catalog.format('; ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', v_trigger.relation, v_trigger.tgname)
                                        WHEN 'D' THEN pg_catalog.format('; ALTER TABLE %s DISABLE TRIGGER %I', v_trigger.relation, v_trigger.tgname)
                                        ELSE '' END);
        EXECUTE pg_catalog.format('DROP TRIGGER %I ON %s', v_trigger.tgname, v_trigger.relation);
    END LOOP;
    FOR v_trigger IN
        SELECT t.tgname, t.tgrelid::regclass AS relation
        FROM pg_catalog.pg_trigger t JOIN pg_temp.crm_spread s ON s.relation = t.tgrelid
        WHERE NOT s.is_done AND NOT t.tgisinternal AND t.tgname NOT IN ('crm_keep_new_deal', 'crm_keep_deal_stages')
        ORDER BY 2, 1 LIMIT 1 LOOP
        RAISE EXCEPTION 'trigger % of % would run on the workers, where it may not find what it needs', v_trigger.tgname, v_trigger.relation
            USING ERRCODE = 'feature_not_supported',
                  HINT = pg_catalog.format('DROP TRIGGER %I ON %s, distribute, and create it again with citus.enable_unsafe_triggers on, '
                                           'if all that it does is on rows of the same user', v_trigger.tgname, v_trigger.relation);
    END LOOP;
END
$$;
