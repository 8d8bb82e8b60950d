-- Who may do what on the tables that this run created; what the owner of the scores needs on tables of other owners;
-- and who may call the refresh, where the extension is installed. Roles are granted to only where they exist, and
-- anon gets nothing.

-- What each role held before: it is not granted again what somebody revoked.
CREATE TEMPORARY TABLE crm_grants_before ON COMMIT DROP AS
SELECT c.relname::text AS table_name, r.rolname::text AS role_name
FROM pg_catalog.pg_class c
CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) x
JOIN pg_catalog.pg_roles r ON r.oid = x.grantee
WHERE c.relnamespace = pg_catalog.to_regnamespace(pg_catalog.quote_ident(pg_temp.crm_schema()))
  AND NOT pg_temp.crm_was_created(c.relname::text)
UNION
SELECT c.relname::text, r.rolname::text
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
CROSS JOIN LATERAL pg_catalog.aclexplode(a.attacl) x
JOIN pg_catalog.pg_roles r ON r.oid = x.grantee
WHERE c.relnamespace = pg_catalog.to_regnamespace(pg_catalog.quote_ident(pg_temp.crm_schema()))
  AND NOT pg_temp.crm_was_created(c.relname::text);

-- privileges of "authenticated" by table; tokens, roles and scores are not hers to read or write
DO $$
DECLARE
    v_grant record;
BEGIN
    FOR v_grant IN SELECT * FROM (VALUES
        ('profiles', 'SELECT, UPDATE (first_name, last_name)'),
        ('deal_stages', 'SELECT'),
        ('companies', 'SELECT, INSERT, UPDATE, DELETE'),
        ('contacts', 'SELECT, INSERT, UPDATE, DELETE'),
        ('deals', 'SELECT, INSERT, UPDATE, DELETE'),
        ('meetings', 'SELECT, INSERT, UPDATE, DELETE'),
        ('meeting_contacts', 'SELECT, INSERT, UPDATE, DELETE'),
        ('deal_meetings', 'SELECT, INSERT, UPDATE, DELETE'),
        ('activities', 'SELECT, INSERT, UPDATE, DELETE'),
        ('communication_events', 'SELECT, INSERT, UPDATE, DELETE'),
        ('google_integrations', 'SELECT (id, user_id, email, expires_at, scopes, is_active, token_status, '
                                'last_token_refresh, created_at, updated_at), UPDATE (is_active), DELETE'),
        ('deal_health_scores', 'SELECT'),
        ('relationship_health_scores', 'SELECT'),
        ('deal_health_history', 'SELECT'),
        ('relationship_health_history', 'SELECT'),
        ('deal_health_rules', 'SELECT'),
        ('deal_health_alerts', 'SELECT, UPDATE (status, acknowledged_at, acknowledged_by, resolved_at, dismissed_at, updated_at)'),
        ('ghost_detection_signals', 'SELECT'),
        ('contact_streams', 'SELECT'),
        ('deal_stage_history', 'SELECT')) AS g(table_name, privileges)
    LOOP
        CALL pg_temp.crm_close_table(v_grant.table_name);
        CALL pg_temp.crm_grant('authenticated', v_grant.privileges, v_grant.table_name);
        CALL pg_temp.crm_grant('service_role', 'SELECT, INSERT, UPDATE, DELETE', v_grant.table_name);
    END LOOP;
END
$$;

-- The refresh reads and writes as the owner of the score tables: the schema, the tables of other owners.
DO $$
DECLARE
    v_owner record;
    v_table record;
BEGIN
    FOR v_owner IN
        SELECT DISTINCT r.oid, r.rolname, r.rolbypassrls FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
        WHERE NOT r.rolsuper AND c.oid IN (pg_temp.crm_relation('deal_health_scores'), pg_temp.crm_relation('relationship_health_scores'))
    LOOP
        IF NOT pg_catalog.has_schema_privilege(v_owner.oid, pg_temp.crm_schema(), 'USAGE') THEN
            CALL pg_temp.crm_try(pg_catalog.format('GRANT USAGE ON SCHEMA %I TO %I', pg_temp.crm_schema(), v_owner.rolname));
        END IF;
        FOR v_table IN
            SELECT c.oid::regclass AS relation, t.privilege, c.relrowsecurity
            FROM (VALUES ('profiles', 'SELECT'), ('deal_stages', 'SELECT'), ('companies', 'SELECT'), ('contacts', 'SELECT'),
                         ('deals', 'SELECT'), ('meetings', 'SELECT'), ('meeting_contacts', 'SELECT'), ('deal_meetings', 'SELECT'),
                         ('activities', 'SELECT'), ('communication_events', 'SELECT'), ('deal_health_rules', 'SELECT'),
                         ('deal_health_scores', 'SELECT, INSERT, UPDATE, DELETE'),
                         ('relationship_health_scores', 'SELECT, INSERT, UPDATE, DELETE'),
                         ('deal_health_history', 'SELECT, INSERT, UPDATE, DELETE'),
                         ('relationship_health_history', 'SELECT, INSERT, UPDATE, DELETE'),
                         ('deal_health_alerts', 'SELECT, INSERT, UPDATE, DELETE'),
                         ('ghost_detection_signals', 'SELECT, INSERT, UPDATE, DELETE'),
                         ('deal_stage_history', 'SELECT')) AS t(table_name, privilege)
            JOIN pg_catalog.pg_class c ON c.oid = pg_temp.crm_relation(t.table_name)
            WHERE NOT pg_catalog.pg_has_role(v_owner.oid, c.relowner, 'USAGE')
        LOOP
            IF EXISTS (SELECT FROM pg_catalog.regexp_split_to_table(v_table.privilege, ', ') AS p(privilege)
                       WHERE NOT pg_catalog.has_table_privilege(v_owner.oid, v_table.relation, p.privilege)) THEN
                CALL pg_temp.crm_try(pg_catalog.format('GRANT %s ON %s TO %I', v_table.privilege, v_table.relation, v_owner.rolname));
            END IF;
            IF v_table.relrowsecurity AND NOT v_owner.rolbypassrls THEN
                RAISE NOTICE '% has row level security and another owner: a refresh, which runs as %, cannot read it', v_table.relation, v_owner.rolname
                    USING HINT = pg_catalog.format('as a superuser: ALTER ROLE %I BYPASSRLS;', v_owner.rolname);
            END IF;
        END LOOP;
        -- crm_health.link_replies notes on a mail that it was answered, and how fast.
        -- Through a view too, where the view can be written to.
        IF (SELECT pg_catalog.count(*) = 2
                   AND NOT pg_catalog.bool_and(pg_catalog.has_column_privilege(v_owner.oid, a.attrelid, a.attnum, 'UPDATE'))
            FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = pg_temp.crm_relation('communication_events')
              AND a.attname IN ('was_replied', 'response_time_hours')
              AND pg_catalog.pg_column_is_updatable(a.attrelid, a.attnum, true)) THEN
            CALL pg_temp.crm_try(pg_catalog.format('GRANT UPDATE (was_replied, response_time_hours) ON %s TO %I',
                pg_temp.crm_relation('communication_events'), v_owner.rolname));
        END IF;
    END LOOP;
END
$$;

-- A refresh never runs as a superuser: score tables of one have to be handed over.
DO $$
DECLARE
    v_table record;
    v_owner text := pg_catalog.current_setting('crm_install.owner');
BEGIN
    FOR v_table IN
        SELECT c.oid::regclass AS relation, r.rolname
        FROM pg_catalog.unnest(ARRAY['deal_health_scores', 'relationship_health_scores', 'deal_health_history',
            'relationship_health_history', 'deal_health_alerts', 'deal_health_rules', 'ghost_detection_signals']) AS t(table_name)
        JOIN pg_catalog.pg_class c ON c.oid = pg_temp.crm_relation(t.table_name)
        JOIN pg_catalog.pg_roles r ON r.oid = c.relowner AND r.rolsuper
    LOOP
        RAISE NOTICE '% belongs to %, a superuser: a refresh, which runs as the owner of the scores, will refuse',
            v_table.relation, v_table.rolname
            USING HINT = CASE WHEN v_owner = v_table.rolname THEN 'give it to an ordinary role'
                ELSE pg_catalog.format('ALTER TABLE %s OWNER TO %I; and run this script again', v_table.relation, v_owner) END;
    END LOOP;
END
$$;

-- The app reads the schema, and calls the extension where it is there: what sql/extension/grants.sql grants to roles that
-- were there before it. The owner of the scores may refresh anyone, and so may call what does.
DO $$
DECLARE
    v_role text;
    v_function regprocedure;
BEGIN
    FOREACH v_role IN ARRAY ARRAY['authenticated', 'service_role'] LOOP
        CONTINUE WHEN NOT pg_temp.crm_role_exists(v_role);
        IF NOT pg_catalog.has_schema_privilege(v_role, pg_temp.crm_schema(), 'USAGE') THEN
            CALL pg_temp.crm_try(pg_catalog.format('GRANT USAGE ON SCHEMA %I TO %I', pg_temp.crm_schema(), v_role));
        END IF;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'crm_health') THEN
        RETURN;
    END IF;
    FOR v_role, v_function IN
        SELECT r.rolname, p.oid::regprocedure
        FROM (VALUES
            ('everyone', 'public.refresh_deal_health_scores(uuid,integer)'),
            ('everyone', 'public.refresh_relationship_health_scores(uuid,integer)'),
            ('everyone', 'crm_health.explain_deal(uuid,timestamptz)'),
            ('everyone', 'crm_health.explain_contact(uuid,timestamptz)'),
            ('everyone', 'crm_health.needs_attention(uuid[],integer,timestamptz)'),
            ('everyone', 'crm_health.link_replies(uuid)'),
            ('everyone', 'crm_health.acknowledge_alert(uuid)'),
            ('everyone', 'crm_health.dismiss_alert(uuid)'),
            ('everyone', 'crm_health.export_contact(uuid)'),
            ('everyone', 'crm_health.forget_contact(uuid)'),
            ('everyone', 'crm_health.score_deal(jsonb)'),
            ('everyone', 'crm_health.ghost_probability(uuid,integer,timestamptz)'),
            ('everyone', 'crm_health.score_relationship(jsonb,text)'),
            ('everyone', 'crm_health.replay(uuid,timestamptz,timestamptz,interval)'),
            ('everyone', 'crm_health.fill_history(uuid,timestamptz,timestamptz,interval)'),
            ('trusted', 'crm_health.refresh_deals(uuid[],integer,timestamptz)'),
            ('trusted', 'crm_health.refresh_relationships(uuid[],integer,timestamptz)'),
            ('trusted', 'crm_health.fit_ghost_model(timestamptz,text)'),
            ('trusted', 'crm_health.use_ghost_model(text)'),
            ('trusted', 'crm_health.ghost_model_report(text)'),
            ('trusted', 'crm_health.backtest(timestamptz,timestamptz,integer,text)'),
            ('trusted', 'crm_health.fit_deal_model(timestamptz,text)'),
            ('trusted', 'crm_health.use_deal_model(text)'),
            ('trusted', 'crm_health.deal_model_report(text)'),
            ('trusted', 'crm_health.backtest_deals(timestamptz,timestamptz,integer)'),
            ('trusted', 'crm_health.post_notification(text,uuid,text,text,text,text,text,text,jsonb)'),
            ('trusted', 'crm_health.active_users(timestamptz)')) AS f (callers, signature)
        JOIN pg_catalog.pg_proc p ON p.oid = pg_catalog.to_regprocedure(f.signature)
        JOIN pg_catalog.pg_roles r
            ON r.rolname = 'service_role' OR r.rolname = 'authenticated' AND f.callers = 'everyone'
            OR r.oid = (SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid = pg_temp.crm_relation('deal_health_scores'))
        WHERE NOT pg_catalog.has_function_privilege(r.oid, p.oid, 'EXECUTE')
    LOOP
        CALL pg_temp.crm_try(pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO %I', v_function, v_role));
    END LOOP;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = 'service_role'
               AND NOT pg_catalog.has_table_privilege(r.oid, pg_catalog.to_regclass('crm_health.notifications'), 'SELECT')) THEN
        CALL pg_temp.crm_try('GRANT SELECT ON crm_health.notifications, crm_health.recent_notifications TO service_role');
    END IF;
END
$$;
