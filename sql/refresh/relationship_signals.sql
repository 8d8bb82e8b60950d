-- The signals of each target, gathered in one pass over each source.
-- $1 user ids, $2 contact ids, $3 company ids (one of the two is NULL), $4 the instant.
target AS MATERIALIZED (
  SELECT t.ordinal, t.user_id, t.contact_id, t.company_id
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) WITH ORDINALITY
    AS t (user_id, contact_id, company_id, ordinal)
),
-- Whose interactions count: the contact's own, and for a company those of its contacts.
member AS MATERIALIZED (
  SELECT t.ordinal, t.user_id, t.contact_id FROM target t WHERE t.contact_id IS NOT NULL
  UNION ALL
  SELECT t.ordinal, t.user_id, c.id
  FROM target t
  JOIN {contacts} c ON c.owner_id = t.user_id AND c.company_id = t.company_id
),
-- An event that names a company and one of its contacts comes twice; the core counts it once.
recent AS (
  SELECT e.ordinal,
         crm_health.collect_interactions(
           e.event_timestamp, e.id, e.event_type, e.direction, e.external_source, e.external_id,
           e.thread_id, e.thread_position, e.was_replied, e.was_opened,
           e.response_time_hours, e.sentiment_score, e.subject) AS interactions
         {recent_days}
  FROM (
    SELECT m.ordinal, e.*
    FROM member m
    JOIN {communication_events} e ON e.user_id = m.user_id AND e.contact_id = m.contact_id
    WHERE e.event_timestamp >= $4 - interval '90 days' AND e.event_timestamp <= $4
    UNION ALL
    SELECT t.ordinal, e.*
    FROM target t
    JOIN {communication_events} e ON e.user_id = t.user_id AND e.company_id = t.company_id
    WHERE e.event_timestamp >= $4 - interval '90 days' AND e.event_timestamp <= $4
  ) e
  GROUP BY e.ordinal
),
-- What the last 90 days do not hold is looked up alone: the newest event, the newest inbound one,
-- the newest meaningful one. The cost follows the silent contacts, not the length of the history.
lacking AS (
  SELECT m.ordinal, m.user_id, m.contact_id, NULL::uuid AS company_id,
         crm_health.interactions_lack(r.interactions) AS lack
  FROM member m LEFT JOIN recent r USING (ordinal)
  UNION ALL
  SELECT t.ordinal, t.user_id, NULL, t.company_id, crm_health.interactions_lack(r.interactions)
  FROM target t LEFT JOIN recent r USING (ordinal)
  WHERE t.company_id IS NOT NULL
),
older AS (
  SELECT l.ordinal,
         crm_health.collect_interactions(
           e.event_timestamp, e.id, e.event_type, e.direction, e.external_source, e.external_id,
           e.thread_id, e.thread_position, e.was_replied, e.was_opened,
           e.response_time_hours, e.sentiment_score, e.subject) AS interactions
  FROM lacking l
  CROSS JOIN LATERAL (
    {older_contact_events}
    UNION ALL
    {older_company_events}
  ) e
  WHERE l.lack > 0
  GROUP BY l.ordinal
),
meeting AS (
  SELECT m.ordinal,
         crm_health.collect_meetings(m.meeting_start, m.id, m.sentiment_score, m.title) AS meetings
  FROM (
    SELECT t.ordinal, m.*
    FROM target t
    JOIN {meetings} m ON m.owner_user_id = t.user_id AND m.primary_contact_id = t.contact_id
    UNION ALL
    SELECT t.ordinal, m.*
    FROM target t
    JOIN {meeting_contacts} mc ON mc.contact_id = t.contact_id
    JOIN {meetings} m ON m.id = mc.meeting_id AND m.owner_user_id = t.user_id
    UNION ALL
    SELECT t.ordinal, m.*
    FROM target t
    JOIN {meetings} m ON m.owner_user_id = t.user_id AND m.company_id = t.company_id
  ) m
  GROUP BY m.ordinal
),
deal AS (
  SELECT d.ordinal, count(*)::int4 AS deals, sum(d.value) AS value,
         sum(d.value) FILTER (WHERE d.health_status IN ('critical', 'stalled')) AS at_risk
  FROM (
    SELECT t.ordinal, d.value, h.health_status
    FROM target t
    JOIN {deals} d ON d.owner_id = t.user_id AND d.primary_contact_id = t.contact_id
    LEFT JOIN {deal_health_scores} h ON h.deal_id = d.id
    UNION ALL
    SELECT t.ordinal, d.value, h.health_status
    FROM target t
    JOIN {deals} d ON d.owner_id = t.user_id AND d.company_id = t.company_id
    LEFT JOIN {deal_health_scores} h ON h.deal_id = d.id
  ) d
  GROUP BY d.ordinal
),
-- Without a single mail ever marked opened there is no tracking, and a rate of 0 would be a lie.
tracked AS (
  SELECT u.user_id,
         EXISTS (
           SELECT FROM {communication_events} e
           WHERE e.user_id = u.user_id AND e.was_opened AND e.event_timestamp <= $4
         ) AS opens_tracked
  FROM (SELECT DISTINCT t.user_id FROM target t) u
),
{silence}
signals AS (
  SELECT t.*, r.interactions AS recent, o.interactions AS older, m.meetings,
         coalesce(d.deals, 0) AS related_deals_count, coalesce(d.value, 0) AS total_deal_value,
         coalesce(d.at_risk, 0) AS at_risk_deal_value, w.opens_tracked{silence_columns}
  FROM target t
  JOIN tracked w USING (user_id)
  LEFT JOIN recent r USING (ordinal)
  LEFT JOIN older o USING (ordinal)
  LEFT JOIN meeting m USING (ordinal)
  LEFT JOIN deal d USING (ordinal)
  {silence_joins}
)
