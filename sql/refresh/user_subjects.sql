-- The subjects of some events, which are few. $1 whose they are, $2 their times, $3 their ids. {at_that_time}: the test of the time;
-- not by an index where one leads to the id, for all that a user imported may be of one time.
SELECT crm_health.collect_subjects(l.id, e.subject)
FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[]) AS l (user_id, event_timestamp, id)
CROSS JOIN LATERAL (
  SELECT e.subject
  FROM {communication_events} e
  WHERE e.user_id = l.user_id AND {at_that_time} AND e.id = l.id
  LIMIT 1
) e
