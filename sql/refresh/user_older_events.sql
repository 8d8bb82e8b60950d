-- {key}: contact_id or company_id. {bit}, {which}: what is missing, and the test that finds it. {event_type} and what comes
-- behind it: NULL where the index alone is to answer.
(SELECT e.{key} AS of_id, e.event_timestamp, e.id, e.direction, {told}
 FROM {communication_events} e
 WHERE l.lack & {bit} > 0 AND e.user_id = l.user_id AND e.{key} = l.{key}
   AND e.event_timestamp < $5 AND {which}
 ORDER BY e.event_timestamp DESC
 LIMIT 1)
