-- Installs the CRM tables that crm_health reads and writes, or completes the ones that are there.
--
--   psql -d mydb -f sql/crm/install.sql                      tables in schema public
--   psql -d mydb -v crm_schema=crm -f sql/crm/install.sql    tables in an existing schema of your choice
--
-- Contract: one transaction; run by a superuser or by an ordinary owner of the database; a second run changes
-- nothing. On a table that exists already it adds missing columns (NULL in the rows that are there), keys and
-- indexes, and nothing else: no type is changed, no row is touched. The one exception is
-- relationship_health_scores, where doubled rows of one relationship are merged into the newest.
-- What is created, who owns it and who may read it: docs/crm-tables.md.

\set ON_ERROR_STOP on
\if :{?crm_schema}
\else
\set crm_schema public
\endif
\set crm_quiet :QUIET
\set QUIET on

BEGIN;
-- Nothing below is looked up outside pg_catalog: no object planted in another schema can stand in for a built-in.
SET LOCAL search_path = pg_catalog, pg_temp;
-- Predicates of indexes are compared.
SET LOCAL quote_all_identifiers = off;
SELECT pg_catalog.set_config('crm_install.schema', :'crm_schema', true) AS crm_setting \gset

\ir lib/context.sql
\ir lib/columns.sql
\ir lib/table.sql
\ir lib/index.sql
\ir lib/foreign_key.sql
\ir lib/access.sql

CALL pg_temp.crm_open();

\ir tables/profiles.sql
\ir tables/deal_stages.sql
\ir tables/companies.sql
\ir tables/contacts.sql
\ir tables/deals.sql
\ir tables/meetings.sql
\ir tables/meeting_contacts.sql
\ir tables/deal_meetings.sql
\ir tables/activities.sql
\ir tables/communication_events.sql
\ir tables/google_integrations.sql
\ir tables/deal_health_scores.sql
\ir tables/relationship_health_scores.sql
\ir tables/deal_health_history.sql
\ir tables/relationship_health_history.sql
\ir tables/deal_health_rules.sql
\ir tables/deal_health_alerts.sql
\ir tables/ghost_detection_signals.sql
\ir tables/contact_streams.sql
\ir tables/deal_stage_history.sql

\ir merge_relationships.sql
\ir keys.sql
\ir indexes.sql
\ir foreign_keys.sql
\ir policies.sql
\ir grants.sql
\ir rules.sql
\ir triggers/last_login.sql
\ir triggers/contact_streams.sql
\ir triggers/deal_stage_history.sql
\ir triggers/deal_health_rules.sql

CALL pg_temp.crm_close();
\ir lib/drop.sql
COMMIT;

\set QUIET :crm_quiet
\unset crm_quiet
\unset crm_setting
