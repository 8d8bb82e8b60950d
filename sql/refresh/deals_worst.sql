-- The active deals with the worst scores. $1 users (NULL: all), $2 how many. {scores}: the score table.
SELECT d.owner_id, d.id, d.name, s.overall_health_score::int4, s.health_status::text, d.value
FROM {scores} s
JOIN {deals} d ON d.id = s.deal_id
LEFT JOIN {deal_stages} g ON g.id = d.stage_id
WHERE ($1::uuid[] IS NULL OR d.owner_id = ANY ($1)) AND d.status = 'active'
  AND g.is_final IS NOT TRUE
  AND (g.name IS NULL OR g.name NOT IN ('Signed', 'Lost'))
  AND s.health_status <> 'healthy'
ORDER BY s.overall_health_score, d.value DESC NULLS LAST, d.id
LIMIT $2
