-- The deals, at the pace that the mood of their company gives them; what was done for them; and which of the
-- interactions were about them.

INSERT INTO :"crm_schema".deal_stages (name, order_position, default_probability, is_final)
SELECT s.* FROM (VALUES ('SQL', 1, 20, false), ('Opportunity', 2, 40, false), ('Verbal', 3, 75, false),
                        ('Signed', 4, 100, true), ('Lost', 5, 0, true)) AS s(name, order_position, default_probability, is_final)
WHERE NOT EXISTS (SELECT FROM :"crm_schema".deal_stages d WHERE d.name = s.name);

-- Of the second deals of a company the last fifteen are closed.
CREATE TEMPORARY TABLE demo_deal ON COMMIT DROP AS
SELECT d.n, md5('demo deal ' || d.n)::uuid AS id, c.company, c.company_id, c.user_id, c.mood, c.id AS contact_id,
       CASE WHEN d.n > 92 THEN 'won' WHEN d.n > 85 THEN 'lost' ELSE 'active' END AS status,
       CASE WHEN d.n > 92 THEN 'Signed' WHEN d.n > 85 THEN 'Lost'
            ELSE pg_temp.demo_pick('stage ' || d.n, ARRAY['SQL', 'Opportunity', 'Verbal']) END AS stage,
       CASE c.mood WHEN 'good' THEN 2 WHEN 'mixed' THEN 17 WHEN 'bad' THEN 42 ELSE 95 END
           + floor(pg_temp.demo_chance('pace ' || d.n) * CASE c.mood WHEN 'good' THEN 6 WHEN 'mixed' THEN 4 ELSE 30 END) AS stage_days,
       20 + floor(pg_temp.demo_chance('age ' || d.n) * 70) AS earlier_days
FROM generate_series(1, 100) AS d(n)
JOIN demo_contact c ON c.n = d.n; -- contacts 1 to 60 are first in their company, 61 to 100 second

INSERT INTO :"crm_schema".deals (id, name, company, value, stage_id, owner_id, status, created_at, updated_at, stage_changed_at,
                   primary_contact_id, company_id, expected_close_date, closed_won_date, closed_lost_date)
SELECT d.id,
       c.name || ': ' || pg_temp.demo_pick('deal name ' || d.n, ARRAY['annual licence', 'pilot', 'rollout', 'second site',
           'platform upgrade', 'support plan', 'renewal and growth', 'data migration']),
       c.name, 4000 + 500 * floor(pg_temp.demo_chance('value ' || d.n) ^ 2 * 480), s.id, d.user_id, d.status,
       t.as_of - (d.stage_days + d.earlier_days) * interval '1 day', t.as_of - d.stage_days * interval '1 day',
       t.as_of - d.stage_days * interval '1 day', d.contact_id, d.company_id,
       (t.as_of + (4 + floor(pg_temp.demo_chance('close ' || d.n) * 80)) * interval '1 day')::date,
       CASE WHEN d.status = 'won' THEN (t.as_of - d.stage_days * interval '1 day')::date END,
       CASE WHEN d.status = 'lost' THEN (t.as_of - d.stage_days * interval '1 day')::date END
FROM demo_deal d
JOIN demo_company c ON c.n = d.company
JOIN LATERAL (SELECT st.id FROM :"crm_schema".deal_stages st WHERE st.name = d.stage ORDER BY st.id LIMIT 1) AS s ON true
CROSS JOIN demo_now t;

-- Many and lately where it goes well, one a fortnight ago where it does not, none for two months where it is dead.
INSERT INTO :"crm_schema".activities (id, user_id, type, deal_id, contact_id, company_id, subject, date, created_at)
SELECT md5('demo activity ' || d.n || ' ' || k)::uuid, d.user_id, w.type, d.id, d.contact_id, d.company_id,
       initcap(w.type) || ': ' || d.stage, a.at, a.at
FROM demo_deal d
CROSS JOIN demo_now t
JOIN (VALUES ('good', 1, 4, 8), ('mixed', 6, 11, 5), ('bad', 13, 25, 4), ('dead', 62, 20, 3)) AS p(mood, newest, gap, count)
    ON p.mood = d.mood
CROSS JOIN LATERAL generate_series(0, p.count - 1) AS k
CROSS JOIN LATERAL (SELECT pg_temp.demo_pick('kind ' || d.n || ' ' || k, ARRAY['call', 'task', 'note', 'proposal']) AS type) AS w
CROSS JOIN LATERAL (SELECT t.as_of - (p.newest + p.gap * k + pg_temp.demo_chance('when ' || d.n || ' ' || k)) * interval '1 day' AS at) AS a;

-- Since a deal was opened, mail with its contact is about it, and so are their meetings.
UPDATE :"crm_schema".communication_events e SET deal_id = d.id
FROM demo_deal d, demo_now t
WHERE e.user_id = d.user_id AND e.contact_id = d.contact_id
  AND e.event_timestamp >= t.as_of - (d.stage_days + d.earlier_days) * interval '1 day';

INSERT INTO :"crm_schema".deal_meetings (deal_id, meeting_id)
SELECT d.id, m.id
FROM demo_deal d
CROSS JOIN demo_now t
JOIN :"crm_schema".meetings m ON m.owner_user_id = d.user_id AND m.primary_contact_id = d.contact_id
    AND m.meeting_start >= t.as_of - (d.stage_days + d.earlier_days) * interval '1 day';
