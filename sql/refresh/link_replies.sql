-- Fills was_replied and response_time_hours of a user's e-mails. $1 user id.
-- {events}: the table communication_events.
WITH mail AS (
  SELECT e.id, e.event_timestamp AS at, e.direction, e.thread_id IS NULL AS is_loose,
         coalesce('t' || e.thread_id, 'c' || e.contact_id::text) AS conversation
  FROM {communication_events} e
  WHERE e.user_id = $1 AND e.event_type IN ('email_sent', 'email_received')
    AND e.direction IN ('inbound', 'outbound') AND isfinite(e.event_timestamp)
    AND (e.thread_id IS NOT NULL OR e.contact_id IS NOT NULL)
    -- A newsletter or an out-of-office note answers nobody.
    AND coalesce(e.metadata ->> 'automated', 'false') <> 'true'
),
-- A message to three contacts is three rows of one moment: what came before is what the moment before it was. Windows
-- alone, no join: right after a first sync the planner has no statistics, and would compare each mail with each.
placed AS (
  SELECT m.*,
         last_value(m.direction) OVER earlier AS previous_direction,
         last_value(m.at) OVER earlier AS previous_at,
         min(m.at) FILTER (WHERE m.direction = 'inbound') OVER later AS next_inbound_at
  FROM mail m
  WINDOW earlier AS (PARTITION BY m.conversation ORDER BY m.at, m.direction DESC
                     GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
         later AS (PARTITION BY m.conversation ORDER BY m.at DESC, m.direction)
),
-- Without a thread only what follows within 14 days is taken for an answer.
linked AS (
  SELECT p.id,
         p.direction = 'outbound' AND p.next_inbound_at IS NOT NULL
           AND (NOT p.is_loose OR p.next_inbound_at - p.at <= interval '14 days') AS is_answered,
         CASE WHEN p.direction = 'inbound' AND p.previous_direction = 'outbound'
                AND (NOT p.is_loose OR p.at - p.previous_at <= interval '14 days')
              THEN round((extract(epoch FROM p.at - p.previous_at) / 3600)::numeric, 2) END AS response_hours
  FROM placed p
)
UPDATE {events} t
SET was_replied = CASE WHEN l.is_answered THEN true ELSE t.was_replied END,
    response_time_hours = coalesce(t.response_time_hours, l.response_hours)
FROM linked l
WHERE t.user_id = $1 AND t.id = l.id
  AND ((l.is_answered AND t.was_replied IS NOT TRUE)
       OR (t.response_time_hours IS NULL AND l.response_hours IS NOT NULL))
