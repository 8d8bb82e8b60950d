-- The tables, and the column that says whose a row is (NULL: the whole team's, on every server).
CREATE TEMPORARY TABLE crm_spread ON COMMIT DROP AS
SELECT t.name, t.key, pg_catalog.to_regclass(pg_catalog.format('%I.%I', crm_health.setting('crm_schema'), t.name)) AS relation,
       false AS is_done
FROM (VALUES
    ('deal_stages', NULL), ('companies', NULL), ('deal_health_rules', NULL),
    -- Rows of these have no user of their own.
    ('meeting_contacts', NULL), ('deal_meetings', NULL),
    ('relationship_health_scores', 'user_id'), ('deal_health_scores', 'user_id'),
    ('contacts', 'owner_id'), ('deals', 'owner_id'), ('meetings', 'owner_user_id'),
    ('activities', 'user_id'), ('communication_events', 'user_id'),
    ('deal_health_history', 'user_id'), ('relationship_health_history', 'user_id'),
    ('deal_health_alerts', 'user_id'), ('ghost_detection_signals', 'user_id'),
    ('deal_stage_history', 'owner_id')) AS t (name, key);

DO $$
DECLARE
    v_found record;
    v_schema text := crm_health.setting('crm_schema');
BEGIN
    -- Score tables may be in public where the CRM's own schema has none.
    UPDATE pg_temp.crm_spread t SET relation = pg_catalog.to_regclass(pg_catalog.format('public.%I', t.name))
    WHERE t.relation IS NULL AND t.name ~ '^(deal|relationship)_health_(scores|history)$';
    DELETE FROM pg_temp.crm_spread t
    WHERE t.relation IS NULL AND t.name NOT IN ('relationship_health_scores', 'deal_health_scores', 'contacts', 'deals', 'deal_stages',
                                                'meetings', 'activities', 'communication_events');
    FOR v_found IN SELECT t.name, c.relkind FROM pg_temp.crm_spread t LEFT JOIN pg_catalog.pg_class c ON c.oid = t.relation
                   WHERE c.relkind IS DISTINCT FROM 'r' ORDER BY t.name LOOP
        IF v_found.relkind IS NULL THEN
            RAISE EXCEPTION 'table "%.%" does not exist', v_schema, v_found.name
                USING ERRCODE = 'undefined_table', HINT = 'run sql/crm/install.sql first';
        END IF;
        RAISE EXCEPTION '"%.%" is not a plain table, and only plain tables can be distributed', v_schema, v_found.name
            USING ERRCODE = 'wrong_object_type', HINT = 'a CRM behind views stays on one server';
    END LOOP;
    UPDATE pg_temp.crm_spread t SET is_done = true
    FROM pg_catalog.pg_dist_partition p
    WHERE p.logicalrelid = t.relation AND (p.partmethod = 'h' OR p.repmodel = 't');
    FOR v_found IN
        SELECT t.name, t.key, pg_catalog.column_to_column_name(p.logicalrelid, p.partkey) AS is_by
        FROM pg_temp.crm_spread t JOIN pg_catalog.pg_dist_partition p ON p.logicalrelid = t.relation
        WHERE t.is_done ORDER BY t.name LOOP
        IF v_found.key IS DISTINCT FROM v_found.is_by THEN
            RAISE EXCEPTION 'table "%.%" is distributed already, by %', v_schema, v_found.name, coalesce(v_found.is_by, 'no column (a reference table)')
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      HINT = pg_catalog.format('SELECT undistribute_table(%L), and run this again', v_schema || '.' || v_found.name);
        END IF;
    END LOOP;
END
$$;

-- What is replaced, and how it comes back.
DO $$
BEGIN
    IF pg_catalog.to_regclass('crm_health_citus.replaced') IS NULL THEN
        SET LOCAL citus.enable_ddl_propagation = off;
        CREATE SCHEMA crm_health_citus;
        CREATE TABLE crm_health_citus.replaced (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            what text NOT NULL,
            restore text NOT NULL,
            at timestamptz NOT NULL DEFAULT now()
        );
        REVOKE ALL ON SCHEMA crm_health_citus FROM PUBLIC;
        COMMENT ON SCHEMA crm_health_citus IS 'What sql/citus.sql replaced, for sql/uncitus.sql';
        COMMENT ON TABLE crm_health_citus.replaced IS 'Statements that bring back what sql/citus.sql replaced, in their order';
        SET LOCAL citus.enable_ddl_propagation = on;
    END IF;
END
$$;

-- Writes down what is about to be replaced. Of this session alone, which Citus is not to be asked about.
SET LOCAL citus.enable_ddl_propagation = off;
CREATE PROCEDURE pg_temp.crm_note(p_what text, p_restore text)
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$ INSERT INTO crm_health_citus.replaced (what, restore) VALUES (p_what, p_restore) $$;
SET LOCAL citus.enable_ddl_propagation = on;
