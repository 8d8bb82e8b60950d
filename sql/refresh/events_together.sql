-- The events of several users at once, in whatever order they lie: planned for these users, so that where they are a large
-- part of the table it is read in one pass. $1 the users, $4 the instant, $5 the first moment that counts.
SELECT e.user_id, {user_event_columns}
FROM {communication_events} e
WHERE e.user_id = ANY ($1) AND e.event_timestamp >= $5 AND e.event_timestamp <= $4
  AND (e.contact_id IS NOT NULL OR e.company_id IS NOT NULL)
