-- The reps' mailboxes as the local Gmail reads them: prints one JSON document, and connects the mailboxes.
-- What came in since yesterday: answers of people who had gone silent, mail that the reps sent, and what a real mailbox
-- holds besides: strangers, a newsletter, a draft, spam.
-- Needs demo/crm.sql and a refresh of the scores: who is silent is read from them.
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE TEMPORARY TABLE demo_mailbox ON COMMIT DROP AS
SELECT p.id AS user_id, p.email, p.first_name || ' ' || p.last_name AS name, 'demo-refresh-' || md5(p.email) AS refresh_token
FROM public.profiles p
WHERE p.email LIKE '%@sales.example.com';

-- Those gone silent, the most valuable first; those in good health.
CREATE TEMPORARY TABLE demo_correspondent ON COMMIT DROP AS
SELECT m.user_id, m.email AS rep_email, m.name AS rep_name, c.id AS contact_id, c.email, c.full_name, s.health_status,
       row_number() OVER (PARTITION BY m.user_id, s.health_status ORDER BY s.total_deal_value DESC NULLS LAST, c.id) AS place
FROM demo_mailbox m
JOIN public.contacts c ON c.owner_id = m.user_id
JOIN public.relationship_health_scores s ON s.user_id = m.user_id AND s.contact_id = c.id
WHERE s.health_status IN ('ghost', 'healthy')
  -- Nobody answers on a deal that has stalled: the board is to show one.
  AND NOT EXISTS (SELECT FROM public.deals d JOIN public.deal_health_scores h ON h.deal_id = d.id
                  WHERE d.primary_contact_id = c.id AND h.health_status = 'stalled');

CREATE TEMPORARY TABLE demo_message ON COMMIT DROP AS
SELECT c.user_id, c.rep_email, 'answer ' || c.contact_id AS thread, 3 + c.place * 2.5 AS hours_ago, ARRAY['INBOX', 'UNREAD'] AS labels,
       jsonb_build_object('From', format('%s <%s>', c.full_name, c.email), 'To', c.rep_email,
                          'Subject', (ARRAY['Re: Sorry for the silence', 'Re: Next steps', 'Re: Your proposal'])[1 + c.place % 3]) AS headers
FROM demo_correspondent c WHERE c.health_status = 'ghost' AND c.place <= 4
UNION ALL
SELECT c.user_id, c.rep_email, 'sent ' || c.contact_id, 2 + c.place * 1.5, ARRAY['SENT'],
       jsonb_build_object('From', format('%s <%s>', c.rep_name, c.rep_email), 'To', format('%s <%s>', c.full_name, upper(c.email)),
                          'Subject', 'Agenda for our call')
FROM demo_correspondent c WHERE c.health_status = 'healthy' AND c.place <= 5
UNION ALL
SELECT m.user_id, m.email, 'other ' || n, 1 + n, k.labels,
       jsonb_build_object('From', k.sender, 'To', m.email, 'Subject', k.subject) || k.more
FROM demo_mailbox m
CROSS JOIN (VALUES
  (1, 'The Weekly Pipeline <news@newsletter.example.net>', 'Ten ways to close', ARRAY['INBOX'], '{"List-Unsubscribe": "<mailto:out@newsletter.example.net>"}'::jsonb),
  (2, 'Someone Else <stranger@elsewhere.example.net>', 'Lunch on Friday?', ARRAY['INBOX'], '{}'),
  (3, 'A Prince <prince@spam.example.net>', 'You have won', ARRAY['SPAM'], '{}'),
  (4, 'Facilities <facilities@sales.example.com>', 'The lift is out of order', ARRAY['INBOX'], '{}')
) AS k (n, sender, subject, labels, more)
UNION ALL
SELECT c.user_id, c.rep_email, 'draft ' || c.contact_id, 0.5, ARRAY['DRAFT'],
       jsonb_build_object('From', c.rep_email, 'To', c.email, 'Subject', 'Not sent yet')
FROM demo_correspondent c WHERE c.health_status = 'healthy' AND c.place = 1;

INSERT INTO public.google_integrations (user_id, email, refresh_token, scopes, is_active, token_status)
SELECT user_id, email, refresh_token, 'https://www.googleapis.com/auth/gmail.readonly', true, 'expired' FROM demo_mailbox
ON CONFLICT (user_id, email) DO NOTHING;

SELECT jsonb_build_object('mailboxes', jsonb_agg(jsonb_build_object(
         'address', m.email, 'refresh_token', m.refresh_token,
         'messages', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                        'thread', k.thread, 'hours_ago', k.hours_ago, 'labels', k.labels, 'headers', k.headers) ORDER BY k.hours_ago DESC), '[]')
                      FROM demo_message k WHERE k.user_id = m.user_id)) ORDER BY m.email))
FROM demo_mailbox m;
COMMIT;
