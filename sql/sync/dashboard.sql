-- What the dashboard reads beyond grants.sql, and no more: psql -v ON_ERROR_STOP=1 -v role=crm_health_sync -f dashboard.sql
-- Another schema of the CRM tables: -v crm_schema=crm. Run after grants.sql, as their owner or a superuser; again when the extension
-- or a table was added. A second run changes nothing. Names, scores and reasons become readable; mail and tokens do not.
\set ON_ERROR_STOP on
\if :{?crm_schema}
\else
    \set crm_schema public
\endif
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL client_min_messages = warning;

-- The names of people and things: those columns that this CRM has.
SELECT format('GRANT SELECT (%s) ON %s TO %I', string_agg(quote_ident(a.attname), ', '), c.oid::regclass, :'role')
FROM (VALUES
  ('profiles', '{id,email,first_name,last_name}'::text[]),
  ('contacts', '{id,owner_id,email,full_name,first_name,last_name,company_id}'),
  ('deals', '{id,owner_id,name,company,value,status,stage_id,expected_close_date}'),
  ('deal_stages', '{id,name}')) AS t (relation, columns)
JOIN pg_class c ON c.relname = t.relation AND c.relnamespace = to_regnamespace(quote_ident(:'crm_schema'))
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = ANY (t.columns) AND NOT a.attisdropped
GROUP BY c.oid
\gexec

-- Scores and what follows from them: in the CRM's schema, else in public.
CREATE TEMPORARY TABLE dashboard_reads ON COMMIT DROP AS
SELECT DISTINCT ON (t.relation) c.oid::regclass AS relation, c.relrowsecurity
FROM unnest(ARRAY['deal_health_scores', 'relationship_health_scores', 'deal_health_history', 'relationship_health_history',
                  'deal_health_alerts', 'ghost_detection_signals']) AS t (relation)
JOIN pg_class c ON c.relname = t.relation AND c.relkind IN ('r', 'p', 'v', 'm')
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN (:'crm_schema', 'public')
ORDER BY t.relation, n.nspname <> :'crm_schema';
SELECT format('GRANT SELECT ON %s TO %I', r.relation, :'role') FROM pg_temp.dashboard_reads r
\gexec

-- Row level security hides all rows from a role without a policy. This one lets it read, and nothing else.
SELECT format('CREATE POLICY crm_health_dashboard ON %s FOR SELECT TO %I USING (true)', t.relation, :'role')
FROM (
  SELECT r.relation FROM pg_temp.dashboard_reads r WHERE r.relrowsecurity
  UNION ALL
  SELECT c.oid::regclass FROM pg_class c
  WHERE c.relname IN ('profiles', 'contacts', 'deals', 'deal_stages') AND c.relrowsecurity
    AND c.relnamespace = to_regnamespace(quote_ident(:'crm_schema'))
) t
WHERE NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = t.relation AND p.polname = 'crm_health_dashboard')
\gexec

-- The extension, where it is installed.
SELECT format('GRANT SELECT ON %s TO %I', c.oid::regclass, :'role')
FROM pg_class c
WHERE c.relnamespace = to_regnamespace('crm_health') AND c.relname IN ('runs', 'notifications', 'status_cutoffs')
\gexec
SELECT format('GRANT EXECUTE ON FUNCTION %s TO %I', f.oid::regprocedure, :'role')
FROM pg_proc f
WHERE f.pronamespace = to_regnamespace('crm_health')
  AND f.proname IN ('daily_job', 'needs_attention', 'explain_deal', 'explain_contact', 'ghost_model_report', 'deal_model_report')
\gexec
COMMIT;
