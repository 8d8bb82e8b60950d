-- The days of a contact's whole history. $1 user, $2 contact, $3 the instant.
SELECT crm_health.collect_days(e.event_timestamp, e.direction, e.metadata ->> 'automated' = 'true')
FROM {communication_events} e
WHERE e.user_id = $1 AND e.contact_id = $2 AND e.event_timestamp <= $3
