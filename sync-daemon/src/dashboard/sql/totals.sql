-- Scores by kind and status, of the whole team.
SELECT 'deal' AS kind, s.health_status::text AS status, count(*) AS scores
FROM {deal_health_scores} s JOIN {deals} d ON d.id = s.deal_id AND d.owner_id = s.user_id AND d.status = 'active'
GROUP BY s.health_status
UNION ALL
SELECT 'contact', s.health_status::text, count(*)
FROM {relationship_health_scores} s WHERE s.contact_id IS NOT NULL
GROUP BY s.health_status
