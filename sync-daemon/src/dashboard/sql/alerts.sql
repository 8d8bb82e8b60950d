-- Alerts that are active, the most severe and the newest first, and how many there are. $1 how many, $2 after how many, $3 users, $4 a deal (NULL: all).
SELECT a.id, a.deal_id, d.name AS deal, p.name AS rep, a.alert_type, a.severity, a.title, a.message, a.suggested_actions AS actions,
       a.status, a.created_at, count(*) OVER () AS total
FROM {deal_health_alerts} a
LEFT JOIN {deal_facts} d ON d.id = a.deal_id AND d.owner_id = a.user_id
LEFT JOIN {people} p ON p.id = a.user_id
WHERE CASE WHEN $4::uuid IS NULL THEN a.status = 'active' ELSE a.deal_id = $4 END AND ($3::uuid[] IS NULL OR a.user_id = ANY ($3))
ORDER BY a.status <> 'active', array_position(ARRAY['critical', 'warning', 'info'], a.severity::text), a.created_at DESC, a.id
LIMIT $1 OFFSET $2
