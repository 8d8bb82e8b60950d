-- Mail, meetings and calls, from the characters.

-- Up to three mails a thread, to and fro. at_days is how long ago it began.
CREATE TEMPORARY TABLE demo_thread ON COMMIT DROP AS
SELECT c.id AS contact_id, c.company_id, c.user_id, p.*, 'demo-' || c.n || '-' || p.phase || '-' || k AS thread_id,
       p.from_days - p.period_days * (k + 0.5 + 0.3 * (pg_temp.demo_chance('day ' || c.n || p.phase || k) - 0.5)) AS at_days,
       p.name IN ('champion', 'steady', 'new') AND pg_temp.demo_chance('first ' || c.n || p.phase || k) < 0.3 AS contact_began
FROM demo_character c
JOIN demo_phase p ON p.name = c.name
CROSS JOIN LATERAL generate_series(0, (p.from_days - p.until_days) / p.period_days) AS k
WHERE p.from_days - p.period_days * (k + 0.65) > p.until_days + CASE WHEN p.stops THEN c.stop_days ELSE 0 END
  AND p.from_days - p.period_days * k < c.since_days;

-- hours is how long the answer took, from the mail before.
CREATE TEMPORARY TABLE demo_mail ON COMMIT DROP AS
SELECT t.contact_id, t.company_id, t.user_id, t.thread_id, m.place, m.hours, t.sentiment, t.open_chance,
       (m.place % 2 = 1) = t.contact_began AS is_inbound,
       n.as_of - t.at_days * interval '1 day'
               + sum(m.hours) OVER (PARTITION BY t.thread_id ORDER BY m.place) * interval '1 hour' AS at
FROM demo_thread t
CROSS JOIN demo_now n
CROSS JOIN LATERAL (
    SELECT 1 AS place, 0::double precision AS hours
    UNION ALL
    SELECT 2, CASE WHEN t.contact_began THEN 3 ELSE t.reply_hours END * (0.8 + 0.4 * pg_temp.demo_chance('second ' || t.thread_id))
    WHERE t.contact_began OR pg_temp.demo_chance('answer ' || t.thread_id) < t.reply_chance
    UNION ALL
    SELECT 3, CASE WHEN t.contact_began THEN t.reply_hours ELSE 4 END * (0.8 + 0.4 * pg_temp.demo_chance('third ' || t.thread_id))
    WHERE pg_temp.demo_chance('more ' || t.thread_id) < CASE WHEN t.contact_began THEN 0.6 ELSE 0.2 END
      AND (t.contact_began OR pg_temp.demo_chance('answer ' || t.thread_id) < t.reply_chance)) AS m;

-- The last thread with a ghost: three mails, none opened.
INSERT INTO demo_mail
SELECT c.id, c.company_id, c.user_id, 'demo-' || c.n || '-last', m.place, 0, 0, 0, false,
       n.as_of - m.days * interval '1 day'
FROM demo_character c CROSS JOIN demo_now n
CROSS JOIN (VALUES (1, 13), (2, 10), (3, 6)) AS m(place, days)
WHERE c.name = 'ghost';

DELETE FROM demo_mail WHERE at > (SELECT as_of FROM demo_now);

INSERT INTO :"crm_schema".communication_events (
    id, user_id, contact_id, company_id, event_type, direction, subject, was_opened, open_count, was_replied,
    response_time_hours, sentiment_score, sentiment_label, ai_analyzed, thread_id, is_thread_start, thread_position,
    external_id, external_source, sync_source, event_timestamp, communication_date, created_at)
SELECT md5(m.thread_id || ' ' || m.place)::uuid, m.user_id, m.contact_id, m.company_id,
       CASE WHEN m.is_inbound THEN 'email_received' ELSE 'email_sent' END,
       CASE WHEN m.is_inbound THEN 'inbound' ELSE 'outbound' END,
       CASE WHEN m.place > 1 THEN 'Re: ' ELSE '' END || pg_temp.demo_pick('subject ' || m.thread_id, ARRAY[
           'Next steps', 'Pricing for the second site', 'Security questionnaire', 'Pilot results', 'Who else should join?',
           'Agenda for Thursday', 'Contract redlines', 'Your question on integrations', 'Rollout plan', 'Quick follow-up',
           'Reference customer', 'Budget timing', 'Notes from our call', 'Data processing terms', 'Training for the team',
           'Revised proposal', 'Procurement steps', 'Demo recording', 'Renewal date', 'Checking in']),
       o.opened, o.opened::integer, m.replied, CASE WHEN m.place > 1 AND m.hours > 0 THEN round(m.hours::numeric, 1) END,
       s.score, CASE WHEN s.score > 0.6 THEN 'very_positive' WHEN s.score > 0.2 THEN 'positive' WHEN s.score >= -0.2 THEN 'neutral'
                     WHEN s.score >= -0.6 THEN 'negative' WHEN s.score < -0.6 THEN 'very_negative' END,
       s.score IS NOT NULL, m.thread_id, m.place = 1, m.place, m.thread_id || '-' || m.place, 'gmail', 'gmail', m.at, m.at, m.at
FROM (SELECT *, COALESCE(lead(is_inbound) OVER (PARTITION BY thread_id ORDER BY place) <> is_inbound, false) AS replied
      FROM demo_mail) AS m
CROSS JOIN LATERAL (SELECT NOT m.is_inbound
    AND (m.replied OR pg_temp.demo_chance('open ' || m.thread_id || m.place) < m.open_chance) AS opened) AS o
CROSS JOIN LATERAL (SELECT CASE WHEN m.is_inbound THEN
    round((m.sentiment + 0.3 * (pg_temp.demo_chance('tone ' || m.thread_id || m.place) - 0.5))::numeric, 2) END AS score) AS s;

CREATE TEMPORARY TABLE demo_meeting ON COMMIT DROP AS
SELECT c.n, c.id AS contact_id, c.company_id, c.user_id, k, d.days, n.as_of - d.days * interval '1 day' AS at,
       CASE WHEN d.days > 0 THEN CASE
           WHEN d.days = min(d.days) FILTER (WHERE d.days > 0) OVER (PARTITION BY c.n) THEN r.last_sentiment
           ELSE r.sentiment + 0.2 * (pg_temp.demo_chance('mood ' || c.n || ' ' || k) - 0.5) END END AS sentiment
FROM demo_character c
JOIN demo_rhythm r ON r.name = c.name
CROSS JOIN demo_now n
CROSS JOIN LATERAL generate_series(0, (r.from_days - r.until_days) / r.period_days) AS k
CROSS JOIN LATERAL (SELECT r.from_days - r.period_days * k - floor(5 * pg_temp.demo_chance('slot ' || c.n)) AS days) AS d
WHERE d.days >= r.until_days AND d.days <> 0 AND d.days < c.since_days;

INSERT INTO :"crm_schema".meetings (id, title, meeting_start, meeting_end, owner_user_id, primary_contact_id, company_id, sentiment_score, created_at)
SELECT md5('demo meeting ' || m.n || ' ' || m.k)::uuid,
       pg_temp.demo_pick('title ' || m.n || ' ' || m.k, ARRAY['Discovery call', 'Product demo', 'Pilot review', 'Weekly sync',
           'Technical deep dive', 'Commercials', 'Steering committee', 'Workshop']),
       m.at, m.at + interval '45 minutes', m.user_id, m.contact_id, m.company_id, round(m.sentiment::numeric, 2),
       m.at - interval '5 days'
FROM demo_meeting m;

-- A colleague of the same company joins every third meeting.
INSERT INTO :"crm_schema".meeting_contacts (meeting_id, contact_id)
SELECT md5('demo meeting ' || m.n || ' ' || m.k)::uuid, x.contact_id
FROM demo_meeting m
CROSS JOIN LATERAL (
    SELECT m.contact_id
    UNION
    SELECT c.id FROM demo_character c
    WHERE m.k % 3 = 2 AND c.company_id = m.company_id AND c.n = m.n + 60 AND c.name IN ('champion', 'steady')) AS x;

-- What is no mail: meetings as they were held, calls, and the one who keeps moving the date.
INSERT INTO :"crm_schema".communication_events (id, user_id, contact_id, company_id, event_type, direction, subject, sync_source,
                                  event_timestamp, communication_date, created_at)
SELECT md5('demo held ' || m.n || ' ' || m.k)::uuid, m.user_id, m.contact_id, m.company_id, 'meeting_held', 'system',
       'Meeting', 'calendar', m.at, m.at, m.at
FROM demo_meeting m WHERE m.days > 0
UNION ALL
SELECT md5('demo call ' || c.n || ' ' || k)::uuid, c.user_id, c.id, c.company_id, 'call_made', 'outbound', 'Call', 'manual', t.at, t.at, t.at
FROM demo_character c CROSS JOIN demo_now n CROSS JOIN generate_series(0, 5) AS k
CROSS JOIN LATERAL (SELECT n.as_of - (9 + 31 * k) * interval '1 day' AS at) AS t
WHERE c.name IN ('champion', 'rescheduler')
UNION ALL
SELECT md5('demo date ' || c.n || ' ' || e.days)::uuid, c.user_id, c.id, c.company_id, e.event_type, e.direction,
       'Commercials', 'calendar', t.at, t.at, t.at
FROM demo_character c CROSS JOIN demo_now n
CROSS JOIN (VALUES (27, 'meeting_scheduled', 'outbound'), (19, 'meeting_rescheduled', 'inbound'),
                   (11, 'meeting_rescheduled', 'inbound'), (4, 'meeting_cancelled', 'inbound')) AS e(days, event_type, direction)
CROSS JOIN LATERAL (SELECT n.as_of - e.days * interval '1 day' AS at) AS t
WHERE c.name = 'rescheduler';
