-- The days of every contact, in order, up to $1. The sort can spill to disk; a hash of them all could not.
SELECT e.user_id, e.contact_id, crm_health.collect_days(e.event_timestamp, e.direction, e.automated)
FROM (
  SELECT e.user_id, e.contact_id, e.event_timestamp, e.direction, e.metadata ->> 'automated' = 'true' AS automated
  FROM {communication_events} e
  WHERE e.event_timestamp <= $1 AND e.user_id IS NOT NULL AND e.contact_id IS NOT NULL
  ORDER BY e.user_id, e.contact_id
) e
GROUP BY e.user_id, e.contact_id
ORDER BY e.user_id, e.contact_id
