-- {key}: contact_id or company_id. {bit}, {which}: what is missing, and the test that finds it.
(SELECT e.*
 FROM {communication_events} e
 WHERE l.lack & {bit} > 0 AND e.user_id = l.user_id AND e.{key} = l.{key}
   AND e.event_timestamp < {90_days_ago} AND {which}
 ORDER BY e.event_timestamp DESC
 LIMIT 1)
