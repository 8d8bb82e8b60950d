-- What was told, newest first. $1 how many, $2 after how many, $3 users (NULL: all, and what concerns none).
SELECT n.id, n.created_at, n.kind, n.subject_type, n.subject_id, n.severity, n.title, n.detail, n.next_step, p.name AS rep
FROM crm_health.notifications n
LEFT JOIN {people} p ON p.id = n.user_id
WHERE $3::uuid[] IS NULL OR n.user_id = ANY ($3)
ORDER BY n.id DESC
LIMIT $1 OFFSET $2
