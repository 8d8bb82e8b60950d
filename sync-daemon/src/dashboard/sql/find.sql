-- Deals and contacts by a part of their name. $1 the part, with LIKE's signs escaped; $2 how many of each.
(SELECT 'deal' AS kind, d.id, d.name, d.company AS more, s.overall_health_score::bigint AS score, s.health_status::text AS status, p.name AS rep
 FROM {deal_facts} d
 LEFT JOIN {deal_health_scores} s ON s.deal_id = d.id AND s.user_id = d.owner_id
 LEFT JOIN {people} p ON p.id = d.owner_id
 WHERE d.name ILIKE '%' || $1 || '%' OR d.company ILIKE '%' || $1 || '%'
 ORDER BY d.name, d.id LIMIT $2)
UNION ALL
(SELECT 'contact', c.id, c.name, c.email, s.overall_health_score::bigint, s.health_status::text, p.name
 FROM {contact_facts} c
 LEFT JOIN {relationship_health_scores} s ON s.contact_id = c.id AND s.user_id = c.owner_id
 LEFT JOIN {people} p ON p.id = c.owner_id
 WHERE c.name ILIKE '%' || $1 || '%' OR c.email ILIKE '%' || $1 || '%'
 ORDER BY c.name, c.id LIMIT $2)
