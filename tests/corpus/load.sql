-- Loads a corpus of real mail, CSV with a header "src,dst,unix_ts", as a CRM: every person is a user, and a contact of
-- everybody he or she exchanged mail with. A mail is two events: sent, for the sender with the receiver; received, for
-- the receiver with the sender.
--
--   psql -d mydb -v csv=/path/to/mail.csv [-v crm_schema=public] -f tests/corpus/load.sql
--
-- Contract: one transaction, on the tables of sql/crm without other rows of this corpus. Ids follow from the person and
-- the line alone, so two loads of one file are the same to the byte: person n is md5('person:n'), the contact m of
-- person n is md5('contact:n:m'), the events of line k are md5('sent:k') and md5('received:k'), all cast to uuid.
-- last_login_at of a person is the time of the newest mail he or she sent or got.

\set ON_ERROR_STOP on
\if :{?crm_schema}
\else
\set crm_schema public
\endif

BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL timezone = 'UTC';

CREATE TEMPORARY TABLE corpus_mail (
    line bigint GENERATED ALWAYS AS IDENTITY,
    src text NOT NULL,
    dst text NOT NULL,
    unix_ts bigint NOT NULL
) ON COMMIT DROP;

-- \copy takes no psql variables; the environment carries the path to its command.
\setenv CORPUS_CSV :csv
\copy pg_temp.corpus_mail (src, dst, unix_ts) FROM PROGRAM 'cat "$CORPUS_CSV"' WITH (FORMAT csv, HEADER)

-- Each mail seen by either end.
CREATE TEMPORARY TABLE corpus_event ON COMMIT DROP AS
SELECT md5('sent:' || line)::uuid AS id, md5('person:' || src)::uuid AS user_id, src AS person, dst AS other,
       'email_sent' AS event_type, 'outbound' AS direction, line, to_timestamp(unix_ts) AS at
FROM pg_temp.corpus_mail
UNION ALL
SELECT md5('received:' || line)::uuid, md5('person:' || dst)::uuid, dst, src,
       'email_received', 'inbound', line, to_timestamp(unix_ts)
FROM pg_temp.corpus_mail;

INSERT INTO :"crm_schema".profiles (id, email, first_name, last_name, last_login_at)
SELECT user_id, 'person-' || person || '@corpus.test', 'Person', person, max(at)
FROM pg_temp.corpus_event
GROUP BY user_id, person;

INSERT INTO :"crm_schema".contacts (id, email, first_name, last_name, full_name, owner_id)
SELECT md5('contact:' || person || ':' || other)::uuid, 'person-' || other || '@corpus.test',
       'Person', other, 'Person ' || other, user_id
FROM pg_temp.corpus_event
GROUP BY user_id, person, other;

-- In the order of time, as a mailbox would have brought them in.
INSERT INTO :"crm_schema".communication_events (id, user_id, contact_id, event_type, direction, external_id, external_source,
                                  event_timestamp, communication_date, created_at)
SELECT id, user_id, md5('contact:' || person || ':' || other)::uuid, event_type, direction, 'line-' || line, 'corpus',
       at, at, at
FROM pg_temp.corpus_event
ORDER BY at, line, direction;
COMMIT;

ANALYZE :"crm_schema".profiles, :"crm_schema".contacts, :"crm_schema".communication_events;
