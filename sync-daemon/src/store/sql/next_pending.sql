-- The next ids to fetch, live mail before history. $4: the lowest priority wanted (0 live only, 1 everything).
SELECT message_id, attempts
FROM crm_health_sync.pending
WHERE user_id = $1 AND integration_id = $2 AND state = 'waiting' AND priority <= $4
ORDER BY priority, message_id
LIMIT $3
