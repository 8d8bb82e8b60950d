-- The signals of each target, gathered in one pass over each source.
-- $1 user ids, $2 contact ids, $3 company ids (one of the two is NULL), $4 the instant.
target AS MATERIALIZED (
  SELECT t.ordinal, t.user_id, t.contact_id, t.company_id
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) WITH ORDINALITY
    AS t (user_id, contact_id, company_id, ordinal)
),
-- Each target's events are found by key, so that the cost follows its recent events alone, and no
-- estimate of their number can lead the planner to read the whole history. A company's are those of
-- its contacts and those that name it; the core counts once what comes twice. IS TRUE: see user_lookups.sql.
recent AS MATERIALIZED (
  SELECT t.ordinal, t.user_id, t.contact_id, t.company_id, x.*
  FROM target t
  CROSS JOIN LATERAL (
    SELECT {interactions} AS interactions{recent_days}
    FROM {communication_events} e
    WHERE e.user_id = t.user_id AND e.contact_id = t.contact_id
      AND e.event_timestamp >= {90_days_ago} AND (e.event_timestamp <= $4) IS TRUE
  ) x
  WHERE t.contact_id IS NOT NULL
  UNION ALL
  SELECT t.ordinal, t.user_id, t.contact_id, t.company_id, x.*
  FROM target t
  CROSS JOIN LATERAL (
    SELECT {interactions} AS interactions{recent_days}
    FROM (
      SELECT e.*
      FROM {contacts} c
      JOIN {communication_events} e ON e.user_id = c.owner_id AND e.contact_id = c.id
      WHERE c.owner_id = t.user_id AND c.company_id = t.company_id
        AND e.event_timestamp >= {90_days_ago} AND (e.event_timestamp <= $4) IS TRUE
      UNION ALL
      SELECT e.*
      FROM {communication_events} e
      WHERE e.user_id = t.user_id AND e.company_id = t.company_id
        AND e.event_timestamp >= {90_days_ago} AND (e.event_timestamp <= $4) IS TRUE
    ) e
  ) x
  WHERE t.company_id IS NOT NULL
),
-- What the last 90 days do not hold is looked up alone: the newest event, the newest inbound one,
-- the newest meaningful one. The cost follows the silent contacts, not the length of the history.
lacking AS (
  SELECT r.ordinal, r.user_id, r.contact_id, r.company_id,
         crm_health.interactions_lack(r.interactions) AS lack
  FROM recent r
),
older AS (
  SELECT l.ordinal, (
    SELECT {interactions}
    FROM (
      {older_contact_events}
    ) e
  ) AS interactions
  FROM lacking l
  WHERE l.lack > 0 AND l.contact_id IS NOT NULL
  UNION ALL
  SELECT k.ordinal, (
    SELECT {interactions}
    FROM (
      SELECT e.*
      FROM {contacts} c
      CROSS JOIN LATERAL (SELECT k.user_id, c.id AS contact_id, k.lack) l
      CROSS JOIN LATERAL (
        {older_contact_events}
      ) e
      WHERE c.owner_id = k.user_id AND c.company_id = k.company_id
      UNION ALL
      SELECT e.*
      FROM (SELECT k.user_id, k.company_id, k.lack) l
      CROSS JOIN LATERAL (
        {older_company_events}
      ) e
    ) e
  )
  FROM lacking k
  WHERE k.lack > 0 AND k.company_id IS NOT NULL
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
-- Materialized: once a user, not once a target.
tracked AS MATERIALIZED (
  SELECT u.user_id,
         -- In this order the index of opened mail is the only cheap way: a mere EXISTS is at times taken
         -- for a few steps of a scan of everyone's events, and is not.
         (SELECT true
          FROM {communication_events} e
          WHERE e.user_id = u.user_id AND e.was_opened AND e.event_timestamp <= $4
          ORDER BY e.event_timestamp
          LIMIT 1) IS NOT NULL AS opens_tracked
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
