-- Scores relationships as of an instant and writes no score. With {history}, a change is kept as a snapshot.
-- $1–$4 as in relationship_signals.sql; $5 score ids (NULL: never scored); what was scored at the instant before: $6
-- scores, $7 statuses, $8 ghost risk (NULL: nothing yet); $9 the configuration, $10 the mails whose answer had not come
-- yet, $11 whether a snapshot may be kept; $12 deals, $13 their statuses at the instant.
-- {computed}: as in relationships_refresh.sql. {snapshots}: how many were kept.
WITH {signals},
previous AS (
  SELECT *
  FROM unnest($5::uuid[], $6::int4[], $7::text[], $8::bool[], $11::bool[]) WITH ORDINALITY
    AS p (score_id, score, status, ghost_risk, is_open, ordinal)
),
scored AS MATERIALIZED (
  SELECT g.ordinal, g.user_id, g.contact_id, g.company_id, p.score_id, p.is_open, p.score IS NULL AS is_new,
         p.score AS previous_score, p.status AS previous_status, p.ghost_risk AS previous_ghost_risk,
         s.overall_health_score AS new_score, s.health_status AS new_status, s.is_ghost_risk AS new_ghost_risk,
         s.risk_level AS new_risk_level, s.ghost_probability_percent AS new_ghost_probability,
         {computed}
  FROM signals g
  JOIN previous p USING (ordinal)
  CROSS JOIN LATERAL crm_health.relationship_score(
    $9, $4, g.recent, g.older, g.meetings, g.opens_tracked,
    g.total_deal_value::float8, g.at_risk_deal_value::float8,
    g.sealed_streams, g.past_days, g.recent_days, NULL) s
),
updated AS (
  SELECT n.score_id AS id FROM scored n WHERE n.is_open
),
inserted AS (
  SELECT n.score_id AS id FROM scored n WHERE false
){history}
SELECT n.ordinal, n.new_score, n.new_status, n.new_risk_level, n.new_ghost_risk, n.new_ghost_probability, {snapshots}
FROM scored n
