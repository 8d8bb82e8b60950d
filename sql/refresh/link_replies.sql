-- Fills was_replied and response_time_hours of a user's e-mails. $1 user id.
-- {events}: the table communication_events.
WITH mail AS (
  SELECT e.id, e.event_timestamp AS at, e.direction, e.thread_id IS NULL AS is_loose,
         coalesce('t' || e.thread_id, 'c' || e.contact_id::text) AS conversation
  FROM {communication_events} e
  WHERE e.user_id = $1 AND e.event_type IN ('email_sent', 'email_received')
    AND e.direction IN ('inbound', 'outbound') AND e.event_timestamp IS NOT NULL
    -- A newsletter or an out-of-office note answers nobody.
    AND coalesce(e.metadata ->> 'automated', 'false') <> 'true'
),
-- A message to three contacts is three rows of one moment.
moment AS (
  SELECT m.conversation, m.is_loose, m.at, m.direction,
         lag(m.direction) OVER earlier AS previous_direction,
         lag(m.at) OVER earlier AS previous_at,
         min(m.at) FILTER (WHERE m.direction = 'inbound') OVER later AS next_inbound_at
  FROM (SELECT DISTINCT conversation, is_loose, at, direction FROM mail) m
  WINDOW earlier AS (PARTITION BY m.conversation ORDER BY m.at, m.direction DESC),
         later AS (PARTITION BY m.conversation ORDER BY m.at DESC, m.direction
                   ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
-- Without a thread only what follows within 14 days is taken for an answer.
linked AS (
  SELECT m.id,
         o.direction = 'outbound' AND o.next_inbound_at IS NOT NULL
           AND (NOT o.is_loose OR o.next_inbound_at - o.at <= interval '14 days') AS is_answered,
         CASE WHEN o.direction = 'inbound' AND o.previous_direction = 'outbound'
                AND (NOT o.is_loose OR o.at - o.previous_at <= interval '14 days')
              THEN round((extract(epoch FROM o.at - o.previous_at) / 3600)::numeric, 2) END AS response_hours
  FROM mail m
  JOIN moment o USING (conversation, at, direction)
)
UPDATE {events} t
SET was_replied = CASE WHEN l.is_answered THEN true ELSE t.was_replied END,
    response_time_hours = coalesce(t.response_time_hours, l.response_hours)
FROM linked l
WHERE t.user_id = $1 AND t.id = l.id
  AND ((l.is_answered AND t.was_replied IS NOT TRUE)
       OR (t.response_time_hours IS NULL AND l.response_hours IS NOT NULL))
