-- The signals of each deal, gathered in one pass over each source.
-- $1 user ids, $2 deal ids, $4 the instant. Materialized, for taken for a few rows each would be gathered again for each deal.
target AS MATERIALIZED (
  SELECT t.ordinal, t.user_id, t.deal_id, d.name, d.primary_contact_id, d.created_at, g.name AS stage,
         coalesce(d.stage_changed_at, d.created_at) AS stage_since
  FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS t (user_id, deal_id, ordinal)
  JOIN {deals} d ON d.id = t.deal_id AND d.owner_id = t.user_id
  LEFT JOIN {deal_stages} g ON g.id = d.stage_id
),
recent AS MATERIALIZED (
  SELECT t.ordinal,
         {interactions} AS interactions
  FROM target t
  JOIN {communication_events} e ON e.user_id = t.user_id AND e.deal_id = t.deal_id
  WHERE e.event_timestamp >= {30_days_ago} AND e.event_timestamp <= $4
    AND e.event_type IN ('email_sent', 'email_received')
  GROUP BY t.ordinal
),
-- A deal without mail in 30 days still has a last one.
older AS MATERIALIZED (
  SELECT t.ordinal,
         {interactions} AS interactions
  FROM target t
  LEFT JOIN recent r USING (ordinal)
  CROSS JOIN LATERAL (
    SELECT e.*
    FROM {communication_events} e
    WHERE e.user_id = t.user_id AND e.deal_id = t.deal_id
      AND e.event_timestamp < {30_days_ago}
      AND e.event_type IN ('email_sent', 'email_received')
    ORDER BY e.event_timestamp DESC
    LIMIT 1
  ) e
  WHERE r.interactions IS NULL
  GROUP BY t.ordinal
),
activity AS MATERIALIZED (
  SELECT t.ordinal,
         count(*) FILTER (WHERE a.created_at >= (SELECT {30_days_ago})) AS recent,
         max(a.created_at) AS newest
  FROM target t
  JOIN {activities} a ON a.user_id = t.user_id AND a.deal_id = t.deal_id
  WHERE a.created_at <= $4
  GROUP BY t.ordinal
),
meeting AS MATERIALIZED (
  SELECT m.ordinal,
         crm_health.collect_meetings(m.meeting_start, m.id, m.sentiment_score, m.title) AS meetings
  FROM (
    {deal_meetings_found}
  ) m
  GROUP BY m.ordinal
),
signals AS (
  SELECT t.*, r.interactions AS recent, o.interactions AS older, m.meetings,
         coalesce(a.recent, 0)::int8 AS activity_count, a.newest AS last_activity
  FROM target t
  LEFT JOIN recent r USING (ordinal)
  LEFT JOIN older o USING (ordinal)
  LEFT JOIN activity a USING (ordinal)
  LEFT JOIN meeting m USING (ordinal)
)
