-- Scores the targets and writes what they are.
-- $1–$4 as in relationship_signals.sql; $5 score ids (NULL: none yet), $6 their scores, $7 their
-- statuses, $8 their ghost risk; $9 the configuration.
-- {computed}, {columns}, {assignments}, {old_values}, {new_values}: the columns that the table has.
WITH {signals},
previous AS (
  SELECT *
  FROM unnest($5::uuid[], $6::int4[], $7::text[], $8::bool[]) WITH ORDINALITY
    AS p (score_id, score, status, ghost_risk, ordinal)
),
scored AS MATERIALIZED (
  SELECT g.ordinal, g.user_id, g.contact_id, g.company_id, p.score_id IS NULL AS is_new,
         coalesce(p.score_id, gen_random_uuid()) AS score_id,
         p.score AS previous_score, p.status AS previous_status,
         p.ghost_risk AS previous_ghost_risk,
         s.overall_health_score AS new_score, s.health_status AS new_status,
         s.is_ghost_risk AS new_ghost_risk,
         {computed}{sealing_columns}
  FROM signals g
  JOIN previous p USING (ordinal)
  CROSS JOIN LATERAL crm_health.relationship_score(
    $9, $4, g.recent, g.older, g.meetings, g.opens_tracked,
    g.total_deal_value::float8, g.at_risk_deal_value::float8,
    g.sealed_streams, g.past_days, g.recent_days, g.seal_day) s
),
updated AS (
  UPDATE {scores} s
  SET {assignments},
      last_calculated_at = $4{updated_at}
  FROM scored n
  WHERE NOT n.is_new AND s.user_id = n.user_id AND s.id = n.score_id
  RETURNING s.id
),
inserted AS (
  INSERT INTO {scores} (id, user_id, relationship_type, contact_id, company_id, last_calculated_at, {columns})
  SELECT n.score_id, n.user_id,
         {relationship_type},
         n.contact_id, n.company_id, $4, {new_values}
  FROM scored n
  WHERE n.is_new
  ON CONFLICT DO NOTHING
  RETURNING id
){history}{sealing}{signal_rows}
SELECT n.ordinal, n.new_score, n.new_status FROM scored n
