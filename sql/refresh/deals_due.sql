-- Active deals of the users, with the score each has and whether it is fresh enough.
-- {users}: "= ANY ($1)" for user ids, "= $1" for one. $2 oldest last_calculated_at that still counts as fresh. The score of a former owner does not.
-- {scored_at}: when the score was last looked at. {scores}: the table deal_health_scores. {whose}: nothing, or that the score is the user's, where all that are wanted are fresh ones.
SELECT d.owner_id, d.id, NULL::uuid, s.id, s.overall_health_score::int4, s.health_status::text,
       NULL::bool, coalesce(s.last_calculated_at >= $2 AND s.last_calculated_at < 'infinity' AND s.user_id = d.owner_id, false),
       {scored_at}
FROM {deals} d
LEFT JOIN {deal_stages} g ON g.id = d.stage_id
LEFT JOIN {scores} s ON s.deal_id = d.id{whose}
WHERE d.owner_id {users} AND d.status = 'active'
  AND g.is_final IS NOT TRUE
  AND (g.name IS NULL OR g.name NOT IN ('Signed', 'Lost'))
