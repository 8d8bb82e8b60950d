-- The subjects of events of a user, which are few. $1 the user, $2 their times, $3 their ids.
SELECT crm_health.collect_subjects(l.id, e.subject)
FROM unnest($2::timestamptz[], $3::uuid[]) AS l (event_timestamp, id)
CROSS JOIN LATERAL (
  SELECT e.subject
  FROM {communication_events} e
  WHERE e.user_id = $1 AND e.event_timestamp = l.event_timestamp AND e.id = l.id
  LIMIT 1
) e
