-- Brings the CRM back to one server: takes back what sql/citus.sql did.
--
--   psql -d mydb -f sql/uncitus.sql        (on the coordinator, as a superuser; it needs the room for all rows)
--
-- Contract: one transaction. Every table of the CRM that Citus holds becomes a plain table of the coordinator with all its
-- rows, and the keys, references, triggers and policies that were replaced come back as they were. References are
-- not checked for the rows that are there: ALTER TABLE … VALIDATE CONSTRAINT does it. A second run changes nothing.

\set ON_ERROR_STOP on
\set crm_quiet :QUIET
\set QUIET on

BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;

DO $$
BEGIN
    IF NOT (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER) THEN
        RAISE EXCEPTION 'only a superuser can bring the tables back'
            USING ERRCODE = 'insufficient_privilege', HINT = 'connect as a superuser; nothing was changed';
    END IF;
    IF pg_catalog.to_regclass('crm_health_citus.replaced') IS NULL THEN
        RAISE NOTICE 'sql/citus.sql has not run in this database: there is nothing to take back';
    ELSIF NOT EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = 'citus') THEN
        RAISE EXCEPTION 'extension citus is not in this database, and without it the rows cannot be brought back'
            USING ERRCODE = 'undefined_object', HINT = 'CREATE EXTENSION citus';
    END IF;
END
$$;

SELECT pg_catalog.to_regclass('crm_health_citus.replaced') IS NOT NULL AS crm_is_spread \gset
\if :crm_is_spread
SET LOCAL citus.multi_shard_modify_mode = 'sequential';
SET LOCAL citus.enable_unsafe_triggers = on;
SET LOCAL client_min_messages = warning;

\ir citus/tables.sql
\ir citus/undistribute.sql
\endif

COMMIT;

\unset crm_is_spread
\set QUIET :crm_quiet
\unset crm_quiet
