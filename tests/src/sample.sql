-- A small CRM around 2024-06-15, the same on every run: 3 users, each with 4 companies, 20 contacts, 10 active deals,
-- and mail, meetings and activities of 100 days, with NULLs wherever a column allows them now and then.

CREATE FUNCTION pg_temp.pick(p_what text, p_number bigint, p_below integer) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$ SELECT (hashtextextended(p_what || p_number, 0) & 2147483647)::bigint % p_below $$;
CREATE FUNCTION pg_temp.key(p_what text, p_number bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$ SELECT md5(p_what || p_number)::uuid $$;

INSERT INTO profiles (id, last_login_at)
SELECT pg_temp.key('user', n), '2024-06-14' FROM generate_series(0, 2) n;

INSERT INTO companies (id, name)
SELECT pg_temp.key('company', n), 'Company ' || n FROM generate_series(0, 11) n;

INSERT INTO contacts (id, owner_id, email, full_name, company_id)
SELECT pg_temp.key('contact', n), pg_temp.key('user', n / 20), 'contact-' || n || '@example.com', 'Contact ' || n,
       CASE WHEN n % 5 < 4 THEN pg_temp.key('company', n / 20 * 4 + n % 5) END
FROM generate_series(0, 59) n;

INSERT INTO deals (id, owner_id, name, value, stage_id, created_at, stage_changed_at, primary_contact_id, company_id)
SELECT pg_temp.key('deal', n), pg_temp.key('user', n / 10), 'Deal ' || n,
       nullif(pg_temp.pick('value', n, 9), 0) * 1000,
       CASE WHEN n % 7 < 6 THEN (SELECT s.id FROM deal_stages s WHERE s.name = (ARRAY['SQL', 'Opportunity', 'Verbal'])[1 + n % 3]) END,
       '2024-06-15 11:00+00'::timestamptz - pg_temp.pick('age', n, 100) * interval '1 day' - interval '30 days',
       CASE WHEN n % 4 < 3 THEN '2024-06-15 11:00+00'::timestamptz - pg_temp.pick('stage', n, 60) * interval '1 day' END,
       CASE WHEN n % 6 < 5 THEN pg_temp.key('contact', n / 10 * 20 + n % 20) END,
       CASE WHEN n % 3 < 2 THEN pg_temp.key('company', n / 10 * 4 + n % 4) END
FROM generate_series(0, 29) n;

INSERT INTO meetings (id, owner_user_id, title, meeting_start, primary_contact_id, company_id, sentiment_score)
SELECT pg_temp.key('meeting', n), pg_temp.key('user', n % 3), CASE WHEN n % 2 = 0 THEN 'Meeting ' || n END,
       '2024-06-20 10:00+00'::timestamptz - pg_temp.pick('start', n, 110) * interval '1 day',
       CASE WHEN n % 5 < 4 THEN pg_temp.key('contact', n % 3 * 20 + pg_temp.pick('who', n, 15)) END,
       CASE WHEN n % 4 = 0 THEN pg_temp.key('company', n % 3 * 4 + n % 4) END,
       CASE WHEN n % 3 < 2 THEN (pg_temp.pick('mood', n, 21) - 10) / 10.0 END
FROM generate_series(0, 149) n;

INSERT INTO deal_meetings (deal_id, meeting_id)
SELECT pg_temp.key('deal', n % 3 * 10 + pg_temp.pick('deal', n, 8)), pg_temp.key('meeting', n) FROM generate_series(0, 99) n;

INSERT INTO meeting_contacts (meeting_id, contact_id)
SELECT pg_temp.key('meeting', n), pg_temp.key('contact', n % 3 * 20 + pg_temp.pick('guest', n, 15))
FROM generate_series(0, 149) n WHERE n % 2 = 0;

INSERT INTO activities (id, user_id, deal_id, created_at, type)
SELECT pg_temp.key('activity', n), pg_temp.key('user', n % 3),
       CASE WHEN n % 9 < 8 THEN pg_temp.key('deal', n % 3 * 10 + pg_temp.pick('for', n, 9)) END,
       '2024-06-15 09:00+00'::timestamptz - pg_temp.pick('when', n, 90) * interval '1 day', 'call'
FROM generate_series(0, 119) n;

INSERT INTO communication_events (id, user_id, contact_id, company_id, deal_id, event_type, direction, subject, was_opened,
                                  was_replied, response_time_hours, sentiment_score, thread_id, thread_position, external_id,
                                  external_source, event_timestamp)
SELECT pg_temp.key('event', n), pg_temp.key('user', n % 3),
       CASE WHEN n % 11 < 10 THEN pg_temp.key('contact', n % 3 * 20 + pg_temp.pick('with', n, 18)) END,
       CASE WHEN n % 7 = 0 THEN pg_temp.key('company', n % 3 * 4 + pg_temp.pick('at', n, 4)) END,
       CASE WHEN n % 4 = 0 THEN pg_temp.key('deal', n % 3 * 10 + pg_temp.pick('about', n, 9)) END,
       k.event_type, k.direction, CASE WHEN n % 3 < 2 THEN 'Subject ' || n END,
       CASE WHEN n % 8 < 7 THEN n % 2 = 0 END, CASE WHEN n % 8 > 0 THEN pg_temp.pick('replied', n, 2) = 1 END,
       CASE WHEN k.direction = 'inbound' AND n % 2 = 0 THEN pg_temp.pick('hours', n, 80) END,
       CASE WHEN n % 3 = 0 THEN (pg_temp.pick('tone', n, 21) - 10) / 10.0 END,
       CASE WHEN n % 2 = 0 THEN 'thread-' || pg_temp.pick('thread', n, 200) END,
       CASE WHEN n % 6 = 0 THEN 1 + n % 5 END,
       CASE WHEN n % 5 > 0 THEN 'message-' || n - n % 40 / 39 * 3 END, CASE WHEN n % 5 > 0 THEN 'gmail' END,
       '2024-06-17 08:00+00'::timestamptz - pg_temp.pick('day', n, 130) * interval '1 day' - n % 600 * interval '1 minute'
FROM generate_series(0, 2399) n
CROSS JOIN LATERAL (
  SELECT * FROM (VALUES (0, 'email_sent', 'outbound'), (1, 'email_received', 'inbound'), (2, 'email_received', 'inbound'),
                        (3, 'email_sent', 'outbound'), (4, 'call_made', 'outbound'), (5, 'meeting_held', 'system'),
                        (6, 'meeting_rescheduled', 'inbound'), (7, 'document_viewed', 'inbound')) v (place, event_type, direction)
  WHERE v.place = pg_temp.pick('kind', n, 8)
) k
ON CONFLICT DO NOTHING;
