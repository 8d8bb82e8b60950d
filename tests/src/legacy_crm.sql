-- Turns the sample into a CRM of another shape: other names, keys as text, codes for words, instants as seconds. Schema
-- sales shows it under the names that a refresh reads.

CREATE SCHEMA legacy;
CREATE TABLE legacy.reps AS SELECT id::text AS uid, extract(epoch FROM last_login_at) AS seen FROM public.profiles;
CREATE TABLE legacy.phases AS SELECT id::text AS uid, name AS label, is_final AS closed FROM public.deal_stages;
CREATE TABLE legacy.firms AS SELECT id::text AS uid, name AS label FROM public.companies;
CREATE TABLE legacy.people AS
SELECT id::text AS uid, owner_id::text AS rep, email AS mail, split_part(full_name, ' ', 1) AS given,
       split_part(full_name, ' ', 2) AS family, company_id::text AS firm
FROM public.contacts;
CREATE TABLE legacy.opportunities AS
SELECT id::text AS uid, owner_id::text AS rep, name AS title, (value * 100)::bigint AS cents, stage_id::text AS phase,
       true AS is_open, extract(epoch FROM created_at) AS opened, extract(epoch FROM stage_changed_at) AS phase_since,
       primary_contact_id::text AS person, company_id::text AS firm
FROM public.deals;
CREATE TABLE legacy.appointments AS
SELECT m.id::text AS uid, m.owner_user_id::text AS rep, m.title, extract(epoch FROM m.meeting_start) AS starts,
       m.primary_contact_id::text AS person, m.company_id::text AS firm, m.sentiment_score * 10 AS mood,
       (SELECT l.deal_id::text FROM public.deal_meetings l WHERE l.meeting_id = m.id) AS opportunity,
       ARRAY(SELECT c.contact_id::text FROM public.meeting_contacts c WHERE c.meeting_id = m.id) AS guests
FROM public.meetings m;
CREATE TABLE legacy.tasks AS
SELECT id::text AS uid, user_id::text AS rep, deal_id::text AS opportunity, extract(epoch FROM created_at) AS done FROM public.activities;
CREATE TABLE legacy.messages AS
SELECT e.id AS uid, e.user_id AS rep, e.contact_id AS person, e.company_id AS firm, e.deal_id AS opportunity,
       array_position(ARRAY['email_sent', 'email_received', 'call_made', 'meeting_held', 'meeting_rescheduled', 'document_viewed'], e.event_type) AS code,
       CASE e.direction WHEN 'inbound' THEN 'I' WHEN 'outbound' THEN 'O' ELSE 'S' END AS way,
       e.subject, e.was_opened AS seen, e.was_replied AS answered, e.response_time_hours AS answered_after,
       e.sentiment_score AS mood, e.thread_id AS conversation, e.thread_position AS place, e.external_id AS message_id,
       e.external_source AS mailbox, extract(epoch FROM e.event_timestamp) AS at
FROM public.communication_events e;
TRUNCATE public.profiles, public.deal_stages, public.companies, public.contacts, public.deals, public.meetings,
         public.deal_meetings, public.meeting_contacts, public.activities, public.communication_events,
         public.deal_health_scores, public.relationship_health_scores CASCADE;

CREATE SCHEMA sales;
CREATE VIEW sales.profiles AS SELECT uid::uuid AS id, to_timestamp(seen) AS last_login_at FROM legacy.reps;
CREATE VIEW sales.deal_stages AS SELECT uid::uuid AS id, label AS name, closed AS is_final FROM legacy.phases;
CREATE VIEW sales.companies AS SELECT uid::uuid AS id, label AS name FROM legacy.firms;
CREATE VIEW sales.contacts AS
SELECT uid::uuid AS id, rep::uuid AS owner_id, mail AS email, given AS first_name, family AS last_name, firm::uuid AS company_id
FROM legacy.people;
CREATE VIEW sales.deals AS
SELECT uid::uuid AS id, rep::uuid AS owner_id, title AS name, cents / 100.0 AS value, phase::uuid AS stage_id,
       CASE WHEN is_open THEN 'active' ELSE 'closed' END AS status, to_timestamp(opened) AS created_at,
       to_timestamp(phase_since) AS stage_changed_at, person::uuid AS primary_contact_id, firm::uuid AS company_id
FROM legacy.opportunities;
CREATE VIEW sales.meetings AS
SELECT uid::uuid AS id, rep::uuid AS owner_user_id, title, to_timestamp(starts) AS meeting_start,
       person::uuid AS primary_contact_id, firm::uuid AS company_id, mood / 10 AS sentiment_score, opportunity::uuid AS deal_id
FROM legacy.appointments;
CREATE VIEW sales.meeting_contacts AS
SELECT a.uid::uuid AS meeting_id, g::uuid AS contact_id FROM legacy.appointments a, unnest(a.guests) g;
CREATE VIEW sales.activities AS
SELECT uid::uuid AS id, rep::uuid AS user_id, opportunity::uuid AS deal_id, to_timestamp(done) AS created_at FROM legacy.tasks;
-- Simple enough to be written to: replies are linked through it.
CREATE VIEW sales.communication_events AS
SELECT uid AS id, rep AS user_id, person AS contact_id, firm AS company_id, opportunity AS deal_id,
       (ARRAY['email_sent', 'email_received', 'call_made', 'meeting_held', 'meeting_rescheduled', 'document_viewed'])[code] AS event_type,
       CASE way WHEN 'I' THEN 'inbound' WHEN 'O' THEN 'outbound' ELSE 'system' END AS direction,
       subject, seen AS was_opened, answered AS was_replied, answered_after AS response_time_hours, mood AS sentiment_score,
       conversation AS thread_id, place AS thread_position, message_id AS external_id, mailbox AS external_source,
       to_timestamp(at) AS event_timestamp
FROM legacy.messages;
