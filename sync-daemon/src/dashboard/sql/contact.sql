-- A contact with the score of the relationship. $1 its id.
SELECT c.id, c.name, c.email, p.name AS rep, s.overall_health_score::bigint AS score, s.health_status::text AS status,
       s.last_calculated_at AS scored_at, s.risk_level, s.ghost_probability_percent::double precision AS ghost_percent,
       s.is_ghost_risk, CASE WHEN abs(s.total_deal_value::double precision) < 'infinity' THEN s.total_deal_value::double precision END AS value
FROM {contact_facts} c
LEFT JOIN {people} p ON p.id = c.owner_id
LEFT JOIN {relationship_health_scores} s ON s.contact_id = c.id AND s.user_id = c.owner_id
WHERE c.id = $1
