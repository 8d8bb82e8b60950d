-- Puts what waits for channel $1 into one message, $2. $3 at most so many (NULL: all); $4 critical ones alone; $5 a
-- message whose fate is unknown is repeated as it was, under its own id. Returns the id and how many it holds.
WITH unknown AS (
    SELECT d.batch FROM crm_health_sync.deliveries d
    WHERE $5 AND d.channel = $1 AND d.state = 'waiting' AND d.batch IS NOT NULL
    ORDER BY d.notification_id
    LIMIT 1
), due AS (
    SELECT d.notification_id, d.notification_at
    FROM crm_health_sync.deliveries d
    JOIN crm_health.notifications n ON n.id = d.notification_id AND n.created_at = d.notification_at
    WHERE d.channel = $1 AND d.state = 'waiting'
      AND (d.batch = (SELECT u.batch FROM unknown u)
           OR (NOT EXISTS (SELECT FROM unknown) AND (NOT $4 OR d.severity = 'critical')))
    ORDER BY d.notification_id
    LIMIT $3
    FOR UPDATE OF d SKIP LOCKED
), begun AS (
    UPDATE crm_health_sync.deliveries d
    SET batch = coalesce((SELECT u.batch FROM unknown u), $2), attempts = d.attempts + 1
    FROM due
    WHERE d.channel = $1 AND d.notification_id = due.notification_id AND d.notification_at = due.notification_at
    RETURNING d.batch
)
SELECT b.batch, count(*) AS size FROM begun b GROUP BY b.batch
