-- Takes the helpers away again, so that a session that goes on after install.sql does not carry them.

DO $$
DECLARE
    v_routine text;
BEGIN
    FOR v_routine IN
        SELECT p.oid::pg_catalog.regprocedure::text FROM pg_catalog.pg_proc p
        WHERE p.pronamespace = pg_catalog.pg_my_temp_schema() AND pg_catalog.starts_with(p.proname::text, 'crm_')
    LOOP
        EXECUTE 'DROP ROUTINE ' || v_routine;
    END LOOP;
END
$$;
