-- What docs/crm-tables.md takes for granted: an empty schema, a CRM of another shape, and a database that has functions
-- of the extension's names.
CREATE SCHEMA crm;

CREATE SCHEMA legacy;
CREATE TABLE legacy.users (uid uuid, mail text, seen_at timestamptz);
CREATE TABLE legacy.phases (uid uuid, label text, closed boolean);
CREATE TABLE legacy.people (uid uuid, mail text, firm_uid uuid, rep_uid uuid);
CREATE TABLE legacy.opportunities (
  uid uuid, title text, amount numeric, phase_uid uuid, rep_uid uuid, open boolean,
  opened_at timestamptz, phase_since timestamptz, person_uid uuid);
CREATE TABLE legacy.messages (
  uid uuid, rep_uid uuid, person_uid uuid, incoming boolean, sent_at timestamptz, thread_uid text);

DROP EXTENSION crm_health;
CREATE FUNCTION public.refresh_deal_health_scores(uuid) RETURNS void LANGUAGE sql AS '';
