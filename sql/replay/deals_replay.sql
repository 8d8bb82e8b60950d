-- Scores deals as of an instant and writes no score. With {history}, a change is kept as a snapshot.
-- $1 user ids, $2 deal ids, $4 the instant; what was scored at the instant before: $6 scores, $7 statuses (NULL: nothing
-- yet); $9 the configuration, $10 the mails whose answer had not come yet, $11 whether a snapshot may be kept.
-- ($3, $5, $8, $12 and $13 belong to relationships.) {computed}: as in deals_refresh.sql. {snapshots}: how many were kept.
WITH {signals},
previous AS (
  SELECT *
  FROM unnest($6::int4[], $7::text[], $11::bool[]) WITH ORDINALITY AS p (score, status, is_open, ordinal)
),
scored AS MATERIALIZED (
  SELECT g.ordinal, g.user_id, g.deal_id, g.deal_id AS score_id, p.is_open, p.score IS NULL AS is_new,
         p.score AS previous_score, p.status AS previous_status,
         s.overall_health_score AS new_score, s.health_status AS new_status, s.risk_level AS new_risk_level,
         {computed}
  FROM signals g
  JOIN previous p USING (ordinal)
  CROSS JOIN LATERAL crm_health.deal_score(
    $9, $4, g.stage, g.stage_since, g.recent, g.older, g.meetings,
    g.activity_count, g.last_activity{owner}) s
),
updated AS (
  SELECT n.score_id AS id FROM scored n WHERE n.is_open
),
inserted AS (
  SELECT n.score_id AS id FROM scored n WHERE false
){history}
SELECT n.ordinal, n.new_score, n.new_status, n.new_risk_level, NULL::bool, NULL::int4, {snapshots}
FROM scored n
