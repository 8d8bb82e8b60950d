-- The same as user_lookups.sql where no index leads to the old events of one contact: all of the user's are read once, and
-- more is told than was asked for.
SELECT (
    SELECT crm_health.collect_user_events(
      e.contact_id, e.company_id, e.event_timestamp, e.id, e.event_type, e.direction, e.external_source,
      e.external_id, e.thread_id, e.thread_position, e.was_replied, e.was_opened, e.response_time_hours,
      e.sentiment_score, e.subject, NULL, $5)
    FROM {communication_events} e
    WHERE e.user_id = $1 AND e.event_timestamp < $5
      AND (SELECT max(l.lack) FROM unnest($6::int4[]) AS l (lack)) > 0
  ) AS older, (
    SELECT crm_health.collect_past(d.contact_id, d.company_id, d.days)
    FROM (
      SELECT e.contact_id, NULL::uuid AS company_id, {days} AS days
      FROM {communication_events} e
      WHERE e.user_id = $1 AND e.event_timestamp < $5 AND e.contact_id IS NOT NULL
      GROUP BY e.contact_id
      UNION ALL
      SELECT NULL, e.company_id, {days}
      FROM {communication_events} e
      WHERE e.user_id = $1 AND e.event_timestamp < $5 AND e.company_id IS NOT NULL
      GROUP BY e.company_id
    ) d
    WHERE (SELECT min(l.past_from) FROM unnest($7::timestamptz[]) AS l (past_from)) IS NOT NULL
      AND $2::uuid[] IS NOT NULL AND $3::uuid[] IS NOT NULL AND $4::timestamptz IS NOT NULL
  ) AS past
