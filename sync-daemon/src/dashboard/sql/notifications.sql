-- What was told, newest first. $1 how many, $2 after how many.
SELECT n.id, n.created_at, n.kind, n.subject_type, n.subject_id, n.severity, n.title, n.detail, n.next_step, p.name AS rep
FROM crm_health.notifications n
LEFT JOIN {people} p ON p.id = n.user_id
ORDER BY n.id DESC
LIMIT $1 OFFSET $2
