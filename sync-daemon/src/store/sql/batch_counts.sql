-- How many of each severity and kind are in message $2 to channel $1.
SELECT n.severity, n.kind, count(*) AS count
FROM crm_health_sync.deliveries d
JOIN crm_health.notifications n ON n.id = d.notification_id AND n.created_at = d.notification_at
WHERE d.channel = $1 AND d.batch = $2 AND d.state = 'waiting'
GROUP BY n.severity, n.kind
ORDER BY array_position('{critical,warning,info}'::text[], n.severity), n.kind
