-- Refuses a rule that a refresh could not use, with what is wrong; and the deletion of a rule that ships, which would
-- only come back. The extension knows what a rule is: without it rules are saved as they are, and a refresh later passes
-- over those that it cannot use. A table that was there keeps its own ways; one that an earlier version of this script made
-- gets the trigger.

DO $outer$
DECLARE
    v_rules regclass := pg_temp.crm_relation('deal_health_rules');
    v_function text := pg_catalog.format('%I.crm_check_deal_rule()', pg_temp.crm_schema());
    v_owner oid := (SELECT relowner FROM pg_catalog.pg_class WHERE oid = v_rules);
BEGIN
    IF NOT pg_temp.crm_is_ours('deal_health_rules')
       OR EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = v_rules AND tgname = 'crm_check_deal_rule') THEN
        RETURN;
    END IF;
    EXECUTE pg_catalog.format($function$
        CREATE OR REPLACE FUNCTION %s RETURNS trigger
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
        BEGIN
            IF TG_OP <> 'INSERT' AND OLD.is_system_rule AND (TG_OP = 'DELETE' OR NEW.rule_name IS DISTINCT FROM OLD.rule_name) THEN
                RAISE EXCEPTION 'rule "%%" ships and cannot be deleted or renamed', OLD.rule_name
                    USING ERRCODE = 'restrict_violation',
                          HINT = format('UPDATE %%s SET is_active = false WHERE rule_name = %%L', TG_RELID::regclass, OLD.rule_name);
            END IF;
            IF TG_OP = 'DELETE' THEN
                RETURN OLD;
            END IF;
            IF to_regprocedure('crm_health.check_deal_rule(jsonb)') IS NOT NULL THEN
                PERFORM crm_health.check_deal_rule(to_jsonb(NEW));
            END IF;
            IF TG_OP = 'UPDATE' THEN
                NEW.is_system_rule := OLD.is_system_rule;
                NEW.updated_at := now();
            END IF;
            RETURN NEW;
        END
        $body$
        $function$, v_function);
    EXECUTE pg_catalog.format('COMMENT ON FUNCTION %s IS %L', v_function,
        'trigger of deal_health_rules: refuses a rule that cannot be used, and the end of one that ships');
    EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_function);
    EXECUTE pg_catalog.format('CREATE TRIGGER crm_check_deal_rule BEFORE INSERT OR UPDATE OR DELETE ON %s '
        'FOR EACH ROW EXECUTE FUNCTION %s', v_rules, v_function);
    IF pg_temp.crm_is_superuser() THEN
        EXECUTE pg_catalog.format('ALTER FUNCTION %s OWNER TO %I', v_function, pg_catalog.pg_get_userbyid(v_owner));
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'rules are not checked when they are saved: %', SQLERRM;
END
$outer$;
