-- Mail of user $1 of the last $2 days that no model has looked at, newest first, one row for each mail, at most $5.
-- $3: also what the user sent. Text is there for what has its subject stored, and for the ids $4.
SELECT e.external_id AS message_id,
       (array_agg(e.subject))[1] AS subject,
       bool_or(e.direction = 'outbound') AS outbound
FROM {crm}.communication_events e
WHERE e.user_id = $1 AND e.external_source = 'gmail'
  AND e.event_timestamp BETWEEN now() - make_interval(days => $2) AND now()
  AND e.event_type IN ('email_sent', 'email_received')
  AND e.ai_analyzed IS NOT TRUE
  AND e.metadata ->> 'automated' IS DISTINCT FROM 'true'
  AND ($3 OR e.direction <> 'outbound')
  AND (e.subject IS NOT NULL OR e.external_id = ANY ($4::text[]))
GROUP BY e.external_id
ORDER BY max(e.event_timestamp) DESC, e.external_id
LIMIT $5
