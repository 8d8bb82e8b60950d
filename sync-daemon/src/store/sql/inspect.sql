-- What is wrong with the database, one row each, with the mend. $1: whether mail is read for
-- its mood, $2: by the language model, afterwards.
WITH needed(relation, privilege, columns) AS (
    VALUES ('{crm}.profiles', 'SELECT', '{id,last_login_at}'::text[]),
           ('{crm}.contacts', 'SELECT', '{id,email,company_id,owner_id}'),
           ('{crm}.deals', 'SELECT', '{id,owner_id,status,primary_contact_id}'),
           ('{crm}.google_integrations', 'SELECT', '{id,user_id,email,access_token,refresh_token,expires_at,scopes,is_active}'),
           ('{crm}.google_integrations', 'UPDATE', '{access_token,refresh_token,expires_at,is_active,token_status,last_token_refresh,updated_at}'),
           ('{crm}.communication_events', 'SELECT', '{id,user_id,contact_id,event_timestamp,external_source,external_id,metadata,thread_id,thread_position,previous_event_id}'),
           ('{crm}.communication_events', 'INSERT', '{user_id,contact_id,company_id,deal_id,event_type,direction,subject,thread_id,external_id,external_source,sync_source,metadata,event_timestamp,communication_date}'),
           ('{crm}.communication_events', 'UPDATE', '{thread_position,previous_event_id,is_thread_start}'),
           ('{crm}.communication_events', 'INSERT', CASE WHEN $1 THEN '{sentiment_score,sentiment_label,ai_analyzed,ai_model}'::text[]
                                                         ELSE '{id}' END),
           ('{crm}.communication_events', 'UPDATE', CASE WHEN $2 THEN '{sentiment_score,sentiment_label,ai_analyzed,ai_model,key_topics,urgency,response_required}'::text[]
                                                         ELSE '{thread_position}' END),
           ('crm_health_sync.model_usage', 'SELECT, INSERT, UPDATE', '{}'),
           ('crm_health_sync.mailboxes', 'SELECT, INSERT, UPDATE, DELETE', '{}'),
           ('crm_health_sync.mailboxes', 'SELECT', '{gone_since,address}'),
           ('crm_health_sync.pending', 'SELECT, INSERT, UPDATE, DELETE', '{}'),
           ('crm_health_sync.backfills', 'SELECT, INSERT, UPDATE, DELETE', '{}'),
           ('crm_health_sync.project_quota', 'SELECT, UPDATE', '{}'),
           ('crm_health_sync.project_usage', 'SELECT, INSERT, UPDATE', '{}'),
           ('crm_health_sync.runs', 'SELECT, INSERT, DELETE', '{}'),
           ('crm_health_sync.outbox', 'SELECT, UPDATE', '{}'),
           ('crm_health_sync.channels', 'SELECT, INSERT, UPDATE', '{}'),
           ('crm_health_sync.deliveries', 'SELECT, INSERT, UPDATE, DELETE', '{}'),
           ('crm_health_sync.routes', 'SELECT', '{}')
), found AS (
    SELECT n.*, to_regclass(n.relation) AS oid FROM needed n
), missing_column AS (
    SELECT f.relation, f.oid, f.privilege, c.name
    FROM found f CROSS JOIN LATERAL unnest(f.columns) AS c(name)
    WHERE f.oid IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM pg_attribute a
                      WHERE a.attrelid = f.oid AND a.attname = c.name AND NOT a.attisdropped)
), problems(rank, problem, mend) AS (
    SELECT DISTINCT 1, format('table %s does not exist', f.relation),
           CASE WHEN f.relation LIKE 'crm_health_sync.%' THEN 'run: crm-health-sync migrate'
                ELSE 'run sql/crm/install.sql, or set database.crm_schema' END
    FROM found f WHERE f.oid IS NULL
    UNION ALL
    SELECT DISTINCT 2, format('table %s has no column %s', m.relation, m.name),
           CASE WHEN m.relation LIKE 'crm_health_sync.%' THEN 'run: crm-health-sync migrate'
                ELSE 'run sql/crm/install.sql: it adds what is missing' END
    FROM missing_column m
    UNION ALL
    SELECT 3, format('role %s lacks %s on %s', current_user, f.privilege, f.relation),
           format('run sql/sync/grants.sql with -v role=%I', current_user)
    FROM found f
    WHERE f.oid IS NOT NULL AND f.columns = '{}'
      AND EXISTS (SELECT 1 FROM unnest(string_to_array(f.privilege, ', ')) AS p(name)
                  WHERE NOT has_table_privilege(f.oid, p.name))
    UNION ALL
    SELECT DISTINCT 3, format('role %s lacks %s on %s (%s)', current_user, f.privilege, f.relation, c.name),
           format('run sql/sync/grants.sql with -v role=%I', current_user)
    FROM found f CROSS JOIN LATERAL unnest(f.columns) AS c(name)
    JOIN pg_attribute a ON a.attrelid = f.oid AND a.attname = c.name AND NOT a.attisdropped
    -- CASE: the planner must not ask for a list of privileges on a column.
    WHERE CASE WHEN f.columns = '{}' THEN false ELSE NOT has_column_privilege(f.oid, a.attnum, f.privilege) END
    UNION ALL
    SELECT DISTINCT 4, format('row level security hides rows of %s from role %s', f.relation, current_user),
           format('run sql/sync/grants.sql with -v role=%I', current_user)
    FROM found f
    WHERE f.oid IS NOT NULL AND row_security_active(f.oid)
      AND NOT EXISTS (SELECT 1 FROM pg_policy p
                      WHERE p.polrelid = f.oid AND p.polcmd = '*' AND pg_get_expr(p.polqual, p.polrelid) = 'true'
                        AND EXISTS (SELECT 1 FROM unnest(p.polroles) AS r(oid)
                                    WHERE r.oid = 0 OR pg_has_role(r.oid, 'USAGE')))
    UNION ALL
    SELECT 5, 'communication_events has no unique key over (user_id, external_source, external_id, contact_id)',
           'run sql/crm/install.sql: it adds the key that keeps mail from being doubled'
    WHERE to_regclass('{crm}.communication_events') IS NOT NULL
      AND NOT EXISTS (
        SELECT 1 FROM pg_index i
        WHERE i.indrelid = to_regclass('{crm}.communication_events') AND i.indisunique AND i.indpred IS NULL
          AND (SELECT array_agg(a.attname::text ORDER BY a.attname)
               FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey))
              = '{contact_id,external_id,external_source,user_id}')
    UNION ALL
    SELECT 6, 'the extension crm_health is not there: replies are not linked and scores not refreshed',
           'CREATE EXTENSION crm_health, or set sync.refresh_scores = false'
    WHERE to_regprocedure('crm_health.link_replies(uuid)') IS NULL
       OR to_regprocedure('public.refresh_deal_health_scores(uuid, integer)') IS NULL
    UNION ALL
    SELECT 7, format('role %s may not execute %s', current_user, w.name),
           format('run sql/sync/grants.sql with -v role=%I', current_user)
    FROM (VALUES ('crm_health.link_replies(uuid)'),
                 ('public.refresh_deal_health_scores(uuid, integer)'),
                 ('public.refresh_relationship_health_scores(uuid, integer)'),
                 ('crm_health.refresh_active_users(text, integer, timestamptz, jsonb)'),
                 ('crm_health.post_notification(text, uuid, text, text, text, text, text, text, jsonb)'),
                 ('crm_health.needs_attention(uuid[], integer, timestamptz)')) AS w(name)
    WHERE to_regprocedure(w.name) IS NOT NULL
      AND NOT has_function_privilege(to_regprocedure(w.name), 'EXECUTE')
    UNION ALL
    SELECT 7, format('role %s may not read crm_health.notifications: none is delivered', current_user),
           format('run sql/sync/grants.sql with -v role=%I', current_user)
    WHERE to_regclass('crm_health.notifications') IS NOT NULL
      AND NOT has_table_privilege(to_regclass('crm_health.notifications'), 'SELECT')
)
SELECT problem, mend FROM problems ORDER BY rank, problem
