-- The demo's CRM: six reps, sixty companies, 250 contacts, a hundred deals and a year of interactions, made up and the
-- same on every run: everything follows from numbers and md5, and every time is relative to one instant.
--
--   psql -d mydb [-v as_of='2026-01-15 09:00+00'] [-v crm_schema=public] -f demo/crm.sql
--
-- Contract: one transaction, on the tables of sql/crm. A second run takes the rows of the first away (those of the six
-- demo users, with their scores) and writes them again. Nothing else is touched. as_of is truncated to the hour.
-- Shaped so that every deal status, every relationship status and all seven ghost signals occur as of that instant:
-- each company has a mood, which gives its deals their pace and each of its contacts a character (demo_phase).

\set ON_ERROR_STOP on
\if :{?as_of}
\else
\set as_of now
\endif
\if :{?crm_schema}
\else
\set crm_schema public
\endif

BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL timezone = 'UTC';

CREATE TEMPORARY TABLE demo_now ON COMMIT DROP AS
SELECT date_trunc('hour', CAST(:'as_of' AS timestamptz)) AS as_of;

-- A number from 0 to 1, by chance as it seems, the same for the same words.
CREATE FUNCTION pg_temp.demo_chance(p_words text) RETURNS double precision
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT ('x' || substr(md5(p_words), 1, 7))::bit(28)::integer / 268435456.0::double precision $$;

CREATE FUNCTION pg_temp.demo_pick(p_words text, p_choices text[]) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT p_choices[1 + ('x' || substr(md5(p_words), 1, 7))::bit(28)::integer % cardinality(p_choices)] $$;

\ir crm/people.sql
\ir crm/characters.sql
\ir crm/interactions.sql
\ir crm/deals.sql

DROP FUNCTION pg_temp.demo_chance(text);
DROP FUNCTION pg_temp.demo_pick(text, text[]);
COMMIT;

ANALYZE :"crm_schema".profiles, :"crm_schema".companies, :"crm_schema".contacts, :"crm_schema".deals,
        :"crm_schema".meetings, :"crm_schema".activities, :"crm_schema".communication_events;
