-- Everything crm-health-sync remembers between runs lives in this schema: plain tables, owned by whoever installs
-- them, no extension involved. Dropping it costs cursors and counters, never an event.
DO $$
DECLARE
    v_owner oid := (SELECT n.nspowner FROM pg_catalog.pg_namespace n WHERE n.nspname OPERATOR(pg_catalog.=) 'crm_health_sync');
BEGIN
    IF v_owner IS NULL THEN
        CREATE SCHEMA crm_health_sync;
    ELSIF NOT EXISTS (
        SELECT FROM pg_catalog.pg_roles r
        WHERE r.oid OPERATOR(pg_catalog.=) v_owner AND (r.rolsuper OR r.rolname OPERATOR(pg_catalog.=) current_user
            OR r.oid OPERATOR(pg_catalog.=) (SELECT d.datdba FROM pg_catalog.pg_database d
                                             WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()))
    ) THEN
        -- Whoever made it first could have left something in it for us to run.
        RAISE EXCEPTION 'schema crm_health_sync belongs to another role, %', v_owner::pg_catalog.regrole
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'Look into the schema; drop it, or run this as its owner.';
    END IF;
END
$$;

COMMENT ON SCHEMA crm_health_sync IS 'Working state of the crm-health-sync daemon: mailbox cursors, leases, the pending ledger, quota';
