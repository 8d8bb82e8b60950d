-- Marks the kept streams that a changed event belongs to: one that arrives late, is deleted, or is given another time,
-- direction, type, subject or contact, or an answer. The mark is a change of the row that a refresh under way would write, so that it waits or gives
-- way. Only where events and streams are plain tables of one owner; elsewhere a refresh keeps no streams.
--
-- The extension is not needed for it, and a refresh that finds the triggers missing or switched off reads every event.

DO $outer$
DECLARE
    v_events regclass := pg_temp.crm_relation('communication_events');
    v_function text := pg_catalog.format('%I.crm_forget_streams()', pg_temp.crm_schema());
    v_owner oid := (SELECT relowner FROM pg_catalog.pg_class WHERE oid = pg_temp.crm_relation('contact_streams'));
    v_kind "char" := (SELECT relkind FROM pg_catalog.pg_class WHERE oid = v_events);
    v_company text;
    v_trigger record;
BEGIN
    -- An earlier version of the function did not look at the subject, nor at whether an event was answered.
    IF v_kind IS DISTINCT FROM 'r' OR v_owner IS NULL
       OR (SELECT pg_catalog.count(*) FROM pg_catalog.pg_trigger WHERE tgrelid = v_events
           AND tgname LIKE 'crm\_forget\_streams\_%') = 4
          AND EXISTS (SELECT FROM pg_catalog.pg_proc WHERE oid = pg_catalog.to_regprocedure(v_function)
                      AND prosrc LIKE '%e.subject%') THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_proc WHERE oid = pg_catalog.to_regprocedure(v_function) AND proowner <> v_owner) THEN
        RAISE NOTICE 'streams are not kept: function % belongs to somebody else', v_function;
        RETURN;
    END IF;
    -- An event of a contact counts for the company that the contact is with.
    IF EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = pg_temp.crm_relation('contacts')
               AND attname = 'company_id' AND NOT attisdropped) THEN
        v_company := pg_catalog.format('(SELECT k.company_id FROM %I.contacts k WHERE k.id = c.contact_id)', pg_temp.crm_schema());
    ELSE
        v_company := 'NULL::uuid';
    END IF;
    EXECUTE pg_catalog.format($function$
        CREATE OR REPLACE FUNCTION %1$s RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
        DECLARE
            v_users uuid[];
            v_contacts uuid[];
            v_companies uuid[];
            v_oldest timestamptz[];
        BEGIN
            IF to_regclass(%2$L) IS NULL THEN
                RETURN NULL;
            ELSIF TG_OP = 'TRUNCATE' THEN
                UPDATE %2$s s SET changes = s.changes + 1, sealed_day = NULL, state = NULL;
                RETURN NULL;
            ELSIF TG_OP = 'INSERT' THEN
                SELECT array_agg(c.user_id), array_agg(c.contact_id), array_agg(c.company_id), array_agg(c.oldest)
                INTO v_users, v_contacts, v_companies, v_oldest
                FROM (SELECT e.user_id, e.contact_id, e.company_id, min(e.event_timestamp) AS oldest
                      FROM come e GROUP BY 1, 2, 3) c;
            ELSIF TG_OP = 'DELETE' THEN
                -- What goes is told no longer, however new it was.
                SELECT array_agg(c.user_id), array_agg(c.contact_id), array_agg(c.company_id), array_agg(c.oldest)
                INTO v_users, v_contacts, v_companies, v_oldest
                FROM (SELECT DISTINCT e.user_id, e.contact_id, e.company_id, '-infinity'::timestamptz AS oldest FROM gone e) c;
            ELSE
                WITH before AS (
                    SELECT e.id, e.user_id, e.contact_id, e.company_id, e.event_timestamp, e.direction,
                           e.event_type, e.was_replied, e.external_source, e.external_id, e.subject,
                           e.metadata ->> 'automated' AS automated FROM gone e
                ), after AS (
                    SELECT e.id, e.user_id, e.contact_id, e.company_id, e.event_timestamp, e.direction,
                           e.event_type, e.was_replied, e.external_source, e.external_id, e.subject,
                           e.metadata ->> 'automated' AS automated FROM come e
                ), changed AS (
                    (TABLE before EXCEPT TABLE after) UNION ALL (TABLE after EXCEPT TABLE before)
                ), retold AS (
                    -- So is what is told otherwise.
                    SELECT c.id FROM changed c GROUP BY c.id
                    HAVING count(DISTINCT (c.event_timestamp, c.event_type, c.contact_id, c.subject)) > 1
                )
                SELECT array_agg(c.user_id), array_agg(c.contact_id), array_agg(c.company_id), array_agg(c.oldest)
                INTO v_users, v_contacts, v_companies, v_oldest
                FROM (SELECT e.user_id, e.contact_id, e.company_id,
                             min(CASE WHEN r.id IS NULL THEN e.event_timestamp ELSE '-infinity' END) AS oldest
                      FROM changed e LEFT JOIN retold r ON r.id = e.id GROUP BY 1, 2, 3) c;
            END IF;
            IF v_users IS NULL THEN
                RETURN NULL;
            END IF;
            -- A refresh under way seals up to 29 days ago at the latest; a state that was sealed is looked up.
            INSERT INTO %2$s AS s (user_id, target_id, changes)
            SELECT t.user_id, t.target_id, 1
            FROM (
                SELECT c.user_id, v.target_id, min(c.oldest) AS oldest
                FROM unnest(v_users, v_contacts, v_companies, v_oldest) AS c (user_id, contact_id, company_id, oldest)
                CROSS JOIN LATERAL (VALUES (c.contact_id), (c.company_id), (%3$s)) AS v (target_id)
                WHERE c.user_id IS NOT NULL AND v.target_id IS NOT NULL AND c.oldest IS NOT NULL
                GROUP BY 1, 2
            ) t
            LEFT JOIN %2$s k ON k.user_id = t.user_id AND k.target_id = t.target_id
            WHERE t.oldest < now() - interval '28 days'
               OR t.oldest < to_timestamp((k.sealed_day + 1) * 86400.0)
            ORDER BY 1, 2
            ON CONFLICT (user_id, target_id) DO UPDATE
            SET changes = s.changes + 1, sealed_day = NULL, state = NULL;
            RETURN NULL;
        END
        $body$
        $function$, v_function, pg_catalog.format('%I.contact_streams', pg_temp.crm_schema()), v_company);
    EXECUTE pg_catalog.format('COMMENT ON FUNCTION %s IS %L', v_function,
        'trigger of communication_events: marks the kept streams that a changed event belongs to');
    EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_function);
    FOR v_trigger IN SELECT * FROM (VALUES
        ('insert', 'INSERT', 'REFERENCING NEW TABLE AS come'),
        ('update', 'UPDATE', 'REFERENCING OLD TABLE AS gone NEW TABLE AS come'),
        ('delete', 'DELETE', 'REFERENCING OLD TABLE AS gone'),
        ('truncate', 'TRUNCATE', '')) AS t (name, event, transition)
    LOOP
        IF EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = v_events AND tgname = 'crm_forget_streams_' || v_trigger.name) THEN
            EXECUTE pg_catalog.format('DROP TRIGGER crm_forget_streams_%s ON %s', v_trigger.name, v_events);
        END IF;
        EXECUTE pg_catalog.format('CREATE TRIGGER crm_forget_streams_%s AFTER %s ON %s %s FOR EACH STATEMENT EXECUTE FUNCTION %s',
            v_trigger.name, v_trigger.event, v_events, v_trigger.transition, v_function);
        -- Also for rows that replication brings.
        EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER crm_forget_streams_%s', v_events, v_trigger.name);
    END LOOP;
    IF pg_temp.crm_is_superuser() THEN
        EXECUTE pg_catalog.format('ALTER FUNCTION %s OWNER TO %I', v_function, pg_catalog.pg_get_userbyid(v_owner));
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'streams are not kept: %', SQLERRM;
END
$outer$;
