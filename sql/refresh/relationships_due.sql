-- Contacts and companies of the users, with the score each has and whether it is fresh enough.
-- {users}: "= ANY ($1)" for user ids, "= $1" for one. $2 oldest last_calculated_at that still counts as fresh.
-- {scores}: the table relationship_health_scores.
SELECT c.owner_id, c.id, NULL::uuid, s.id, s.overall_health_score::int4, s.health_status::text,
       s.is_ghost_risk, coalesce(s.last_calculated_at >= $2 AND s.last_calculated_at < 'infinity', false), NULL::timestamptz
FROM {contacts} c
LEFT JOIN {scores} s ON s.user_id {users} AND s.user_id = c.owner_id AND s.contact_id = c.id
WHERE c.owner_id {users}
UNION ALL
SELECT k.owner_id, NULL, k.company_id, s.id, s.overall_health_score::int4, s.health_status::text,
       s.is_ghost_risk, coalesce(s.last_calculated_at >= $2 AND s.last_calculated_at < 'infinity', false), NULL::timestamptz
FROM (
  SELECT DISTINCT c.owner_id, c.company_id
  FROM {contacts} c
  WHERE c.owner_id {users} AND c.company_id IS NOT NULL
) k
LEFT JOIN {scores} s ON s.user_id {users} AND s.user_id = k.owner_id AND s.company_id = k.company_id
