-- References from a row of the user to one of the whole team are as they were.
DO $$
DECLARE
    v_reference record;
BEGIN
    FOR v_reference IN
        SELECT * FROM pg_temp.crm_references r WHERE r.key IS NOT NULL AND r.target_key IS NULL
        ORDER BY r.relation::text, r.name LOOP
        EXECUTE pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s', v_reference.relation, v_reference.name, v_reference.definition);
    END LOOP;
END
$$;

-- What follows from a row of the user goes with it, as before: by the user and the id. Events and activities may be a
-- colleague's, and keep no reference. Not validated: a row may be left from before its deal or contact changed hands.
DO $$
DECLARE
    v_reference record;
BEGIN
    FOR v_reference IN
        SELECT * FROM pg_temp.crm_references r
        WHERE r.cascades AND r.key IS NOT NULL AND r.target_key IS NOT NULL
          AND r.relation NOT IN (SELECT s.relation FROM pg_temp.crm_spread s WHERE s.name IN ('communication_events', 'activities'))
        ORDER BY r.relation::text, r.name LOOP
        EXECUTE pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I FOREIGN KEY (%I, %I) REFERENCES %s (%I, %I) ON DELETE CASCADE NOT VALID',
            v_reference.relation, v_reference.name, v_reference.column_name, v_reference.key,
            v_reference.target, v_reference.target_column, v_reference.target_key);
    END LOOP;
END
$$;
