-- What the daemon's role may do, and no more: psql -v ON_ERROR_STOP=1 -v role=crm_health_sync -f grants.sql
-- Another schema of the CRM tables: -v crm_schema=crm. Run as their owner or a superuser. A second run changes nothing.
-- The role itself is yours to create: CREATE ROLE crm_health_sync LOGIN PASSWORD '…' (no superuser, no BYPASSRLS).
\set ON_ERROR_STOP on
\if :{?crm_schema}
\else
    \set crm_schema public
\endif
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL client_min_messages = warning;

GRANT USAGE ON SCHEMA crm_health_sync, :"crm_schema" TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA crm_health_sync TO :"role";

GRANT SELECT (id, last_login_at) ON :"crm_schema".profiles TO :"role";
GRANT SELECT (id, email, company_id, owner_id) ON :"crm_schema".contacts TO :"role";
GRANT SELECT (id, owner_id, status, primary_contact_id) ON :"crm_schema".deals TO :"role";
GRANT SELECT, INSERT ON :"crm_schema".google_integrations TO :"role";
GRANT UPDATE (access_token, refresh_token, expires_at, scopes, is_active, token_status, last_token_refresh, updated_at)
    ON :"crm_schema".google_integrations TO :"role";
GRANT SELECT, INSERT ON :"crm_schema".communication_events TO :"role";
GRANT UPDATE (thread_position, previous_event_id, is_thread_start) ON :"crm_schema".communication_events TO :"role";
-- What a language model finds in mail, where the table has places for it.
SELECT format('GRANT UPDATE (%s) ON %s TO %I', string_agg(quote_ident(a.attname), ', '), a.attrelid::regclass, :'role')
FROM pg_attribute a
WHERE a.attrelid = format('%I.communication_events', :'crm_schema')::regclass AND NOT a.attisdropped
  AND a.attname IN ('sentiment_score', 'sentiment_label', 'ai_analyzed', 'ai_model', 'key_topics', 'urgency', 'response_required')
GROUP BY a.attrelid
\gexec

-- Row level security hides all rows from a role without a policy.
SELECT format('CREATE POLICY crm_health_sync ON %s TO %I USING (true) WITH CHECK (true)', c.oid::regclass, :'role')
FROM pg_class c
WHERE c.oid IN (format('%I.profiles', :'crm_schema')::regclass, format('%I.contacts', :'crm_schema')::regclass,
                format('%I.deals', :'crm_schema')::regclass, format('%I.google_integrations', :'crm_schema')::regclass,
                format('%I.communication_events', :'crm_schema')::regclass)
  AND c.relrowsecurity
  AND NOT EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'crm_health_sync')
\gexec

-- The extension, where it is installed: the daemon links replies, refreshes anyone's scores, posts and reads
-- notifications, and runs the job of everyone's scores, as trusted roles may.
SELECT format('GRANT EXECUTE ON FUNCTION %s TO %I', f.oid, :'role')
FROM unnest(ARRAY[to_regprocedure('crm_health.link_replies(uuid)'),
                  to_regprocedure('public.refresh_deal_health_scores(uuid, integer)'),
                  to_regprocedure('public.refresh_relationship_health_scores(uuid, integer)'),
                  to_regprocedure('crm_health.post_notification(text, uuid, text, text, text, text, text, text, jsonb)'),
                  to_regprocedure('crm_health.needs_attention(uuid[], integer, timestamptz)'),
                  -- What the job calls; each asks for a trusted role itself.
                  to_regprocedure('crm_health.require_trusted()'),
                  to_regprocedure('crm_health.setting(text)'),
                  to_regprocedure('crm_health.active_users(timestamptz)'),
                  to_regprocedure('crm_health.refresh_deals(uuid[], integer, timestamptz)'),
                  to_regprocedure('crm_health.refresh_relationships(uuid[], integer, timestamptz)'),
                  to_regprocedure('crm_health.refresh_on_workers(uuid[], integer, timestamptz)'),
                  to_regprocedure('crm_health.worker_count()'),
                  to_regprocedure('crm_health.run_started(text, integer)'),
                  to_regprocedure('crm_health.run_progress(uuid, integer, bigint, bigint, jsonb, text)')]) AS f(oid)
WHERE f.oid IS NOT NULL
\gexec
SELECT format('GRANT EXECUTE ON PROCEDURE %s TO %I', p.oid, :'role')
FROM (VALUES (to_regprocedure('crm_health.refresh_active_users(text, integer, timestamptz, jsonb)'))) AS p(oid)
WHERE p.oid IS NOT NULL
\gexec
SELECT format('GRANT SELECT ON crm_health.runs, crm_health.last_run TO %I', :'role')
WHERE to_regclass('crm_health.last_run') IS NOT NULL
\gexec
SELECT format('GRANT SELECT ON crm_health.notifications, crm_health.recent_notifications TO %I', :'role')
WHERE to_regclass('crm_health.notifications') IS NOT NULL
\gexec
SELECT format('GRANT USAGE ON SCHEMA crm_health TO %I', :'role')
WHERE to_regnamespace('crm_health') IS NOT NULL
\gexec
-- Numbers alone, for /metrics.
SELECT format('GRANT SELECT ON crm_health.metrics TO %1$I; GRANT EXECUTE ON FUNCTION crm_health.score_metrics() TO %1$I', :'role')
WHERE to_regclass('crm_health.metrics') IS NOT NULL
\gexec
SELECT format($sql$UPDATE crm_health.settings SET value = concat_ws(',', nullif(value, ''), %1$L)
               WHERE name = 'trusted_roles' AND %1$L <> ALL (regexp_split_to_array(value, '\s*,\s*'))$sql$, :'role')
WHERE to_regclass('crm_health.settings') IS NOT NULL
\gexec
COMMIT;
