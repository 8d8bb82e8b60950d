-- Creates the daemon's own tables: psql -v ON_ERROR_STOP=1 -f install.sql. A second run changes nothing.
-- `crm-health-sync migrate` applies the same files from inside the binary.
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL client_min_messages = warning;
\ir tables/schema.sql
\ir tables/mailboxes.sql
\ir tables/pending.sql
\ir tables/backfills.sql
\ir tables/project_quota.sql
\ir tables/model_usage.sql
\ir tables/runs.sql
\ir tables/outbox.sql
\ir tables/channels.sql
\ir tables/deliveries.sql
\ir tables/routes.sql
COMMIT;
