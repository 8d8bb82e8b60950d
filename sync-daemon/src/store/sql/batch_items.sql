-- The notifications of message $2 to channel $1, the most severe first; $3 at most so many.
SELECT n.id, n.created_at, n.kind, n.user_id, n.subject_type, n.subject_id, n.severity, n.title, n.detail, n.next_step, n.data
FROM crm_health_sync.deliveries d
JOIN crm_health.notifications n ON n.id = d.notification_id AND n.created_at = d.notification_at
WHERE d.channel = $1 AND d.batch = $2 AND d.state = 'waiting'
ORDER BY array_position('{critical,warning,info}'::text[], n.severity), n.id
LIMIT $3
