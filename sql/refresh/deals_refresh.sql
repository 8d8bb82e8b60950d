-- Scores the targets and writes what they are.
-- $1 user ids, $2 deal ids, $4 the instant; $5 score ids (NULL: none yet), $6 their scores,
-- $7 their statuses; $9 the configuration. ($3 and $8 belong to relationships.)
-- {computed}, {columns}, {assignments}, {old_values}, {new_values}: the columns that the table has.
WITH {signals},
previous AS (
  SELECT *
  FROM unnest($5::uuid[], $6::int4[], $7::text[]) WITH ORDINALITY
    AS p (score_id, score, status, ordinal)
),
scored AS MATERIALIZED (
  SELECT g.ordinal, g.user_id, g.deal_id, p.score_id IS NULL AS is_new,
         coalesce(p.score_id, gen_random_uuid()) AS score_id,
         p.score AS previous_score, p.status AS previous_status,
         s.overall_health_score AS new_score, s.health_status AS new_status,
         {computed}
  FROM signals g
  JOIN previous p USING (ordinal)
  CROSS JOIN LATERAL crm_health.deal_score(
    $9, $4, g.stage, g.stage_since, g.recent, g.older, g.meetings,
    g.activity_count, g.last_activity{owner}) s
  WHERE $3::uuid[] IS NOT NULL AND $8::bool[] IS NOT NULL
),
updated AS (
  UPDATE {scores} s
  SET {assignments},
      user_id = n.user_id,
      last_calculated_at = $4{updated_at}
  FROM scored n
  WHERE NOT n.is_new AND s.id = n.score_id
  RETURNING s.id
),
inserted AS (
  INSERT INTO {scores} (id, deal_id, user_id, last_calculated_at, {columns})
  SELECT n.score_id, n.deal_id, n.user_id, $4, {new_values}
  FROM scored n
  WHERE n.is_new
  ON CONFLICT DO NOTHING
  RETURNING id
){history}
SELECT n.ordinal, n.new_score, n.new_status FROM scored n
