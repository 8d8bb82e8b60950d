-- When each mail that is marked as answered was answered first, by the rules of link_replies.sql: within the thread, or
-- without one by the contact within 14 days. What was marked without an answer to be found is not here. $1 the user.
SELECT a.id, a.at, a.answered_at
FROM (
  SELECT m.id, m.at, m.direction, m.is_loose, m.was_replied,
         min(m.at) FILTER (WHERE m.direction = 'inbound') OVER later AS answered_at
  FROM (
    SELECT e.id, e.event_timestamp AS at, e.direction, e.was_replied, e.thread_id IS NULL AS is_loose,
           coalesce('t' || e.thread_id, 'c' || e.contact_id::text) AS conversation
    FROM {communication_events} e
    WHERE e.user_id = $1 AND e.event_type IN ('email_sent', 'email_received')
      AND e.direction IN ('inbound', 'outbound')
      AND (e.thread_id IS NOT NULL OR e.contact_id IS NOT NULL)
      AND coalesce(e.metadata ->> 'automated', 'false') <> 'true'
  ) m
  WINDOW later AS (PARTITION BY m.conversation ORDER BY m.at DESC, m.direction)
) a
WHERE a.was_replied AND a.direction = 'outbound' AND a.at IS NOT NULL AND a.answered_at IS NOT NULL
  AND (NOT a.is_loose OR a.answered_at - a.at <= interval '14 days')
