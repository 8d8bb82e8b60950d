-- A deal with its score. $1 its id.
SELECT d.id, d.name, d.company, d.value, d.status AS state, g.name AS stage, d.expected_close_date AS closes_on, p.name AS rep,
       s.overall_health_score::bigint AS score, s.health_status::text AS status, s.last_calculated_at AS scored_at, s.risk_level
FROM {deal_facts} d
LEFT JOIN {deal_stages} g ON g.id = d.stage_id
LEFT JOIN {people} p ON p.id = d.owner_id
LEFT JOIN {deal_health_scores} s ON s.deal_id = d.id AND s.user_id = d.owner_id
WHERE d.id = $1
