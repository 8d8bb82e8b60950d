-- Keeps deal_stage_history from deals: a row for each change of stage or status. It begins with where each deal stands,
-- from the dates on the deal; what came before is not known and not made up.

DO $outer$
DECLARE
    v_deals regclass := pg_temp.crm_relation('deals');
    v_function text := pg_catalog.format('%I.crm_keep_deal_stages()', pg_temp.crm_schema());
    v_owner oid := (SELECT relowner FROM pg_catalog.pg_class WHERE oid = pg_temp.crm_relation('deal_stage_history'));
BEGIN
    -- A history that was there is kept by whoever made it.
    IF NOT pg_temp.crm_was_created('deal_stage_history') OR NOT pg_temp.crm_is_table('deals') THEN
        RETURN;
    END IF;
    EXECUTE pg_catalog.format($seed$
        INSERT INTO %1$I.deal_stage_history (deal_id, owner_id, stage_id, status, entered_at, recorded_at)
        SELECT d.id, d.owner_id, d.stage_id, d.status, least(coalesce(d.stage_changed_at, d.created_at), now()), now()
        FROM %1$I.deals d
        WHERE coalesce(d.stage_changed_at, d.created_at) IS NOT NULL
        $seed$, pg_temp.crm_schema());
    EXECUTE pg_catalog.format($function$
        CREATE OR REPLACE FUNCTION %1$s RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
        BEGIN
            IF to_regclass(%2$L) IS NULL THEN
                RETURN NULL;
            END IF;
            INSERT INTO %2$s (deal_id, owner_id, stage_id, status, entered_at, recorded_at)
            VALUES (NEW.id, NEW.owner_id, NEW.stage_id, NEW.status,
                    CASE WHEN TG_OP = 'INSERT' THEN least(coalesce(NEW.stage_changed_at, NEW.created_at, now()), now())
                         ELSE now() END, now());
            RETURN NULL;
        END
        $body$
        $function$, v_function, pg_catalog.format('%I.deal_stage_history', pg_temp.crm_schema()));
    EXECUTE pg_catalog.format('COMMENT ON FUNCTION %s IS %L', v_function, 'trigger of deals: keeps deal_stage_history');
    EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_function);
    EXECUTE pg_catalog.format('CREATE TRIGGER crm_keep_new_deal AFTER INSERT ON %s FOR EACH ROW EXECUTE FUNCTION %s',
        v_deals, v_function);
    EXECUTE pg_catalog.format('CREATE TRIGGER crm_keep_deal_stages AFTER UPDATE ON %s FOR EACH ROW '
        'WHEN (OLD.stage_id IS DISTINCT FROM NEW.stage_id OR OLD.status IS DISTINCT FROM NEW.status) '
        'EXECUTE FUNCTION %s', v_deals, v_function);
    IF pg_temp.crm_is_superuser() THEN
        EXECUTE pg_catalog.format('ALTER FUNCTION %s OWNER TO %I', v_function, pg_catalog.pg_get_userbyid(v_owner));
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'the stages of deals are not kept: %', SQLERRM;
END
$outer$;

CALL pg_temp.crm_index('deal_stage_history_deal_id_entered_at_idx', 'deal_stage_history', 'deal_id, entered_at',
    'the course of a deal');
