-- Spreads the CRM over the servers of a Citus cluster, by user.
--
--   psql -d mydb -f sql/citus.sql        (on the coordinator, as a superuser)
--
-- Contract: one transaction; a second run changes nothing. Every table that has rows of a user is distributed by the user,
-- all of them together, so that one server has all that a refresh of the user reads and writes; what the whole team shares
-- is on every server; settings, the run log, profiles, mailboxes and the daemon's tables stay on the coordinator. Keys and
-- references get the user as a further column, for Citus asks it of them; references that cannot have it go. What goes
-- is written down in crm_health_citus.replaced, by which sql/uncitus.sql brings everything back.
-- How to set a cluster up, and what is different on it: docs/citus.md.

\set ON_ERROR_STOP on
\set crm_quiet :QUIET
\set QUIET on

BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;

\ir citus/check.sql

-- References to tables that are on every server need their shards made one after another.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';
-- The stages of deals are kept by a trigger, which writes the row of the same user: on the same server.
SET LOCAL citus.enable_unsafe_triggers = on;
SET LOCAL client_min_messages = warning;

\ir citus/tables.sql
\ir citus/columns.sql
\ir citus/triggers.sql
\ir citus/policies.sql
\ir citus/references.sql
\ir citus/keys.sql
\ir citus/distribute.sql
\ir citus/references_back.sql

COMMIT;

\set QUIET :crm_quiet
\unset crm_quiet
