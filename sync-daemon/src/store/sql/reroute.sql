-- What waits for a channel that is not set up any more goes where its user's notifications go now, unless somebody sends
-- to that channel just now. $1 default channels; $2 channels for what concerns no user; $3 channels that are set up.
WITH stranded AS (
    UPDATE crm_health_sync.deliveries d
    SET state = 'skipped', reason = 'the channel is not set up any more', batch = NULL
    WHERE d.state = 'waiting' AND d.channel <> ALL ($3::text[])
      AND NOT EXISTS (SELECT FROM crm_health_sync.channels c
                      WHERE c.name = d.channel AND c.lease_until > clock_timestamp())
    RETURNING d.notification_id, d.notification_at, d.severity
)
INSERT INTO crm_health_sync.deliveries (notification_id, notification_at, channel, severity)
SELECT DISTINCT s.notification_id, s.notification_at, t.channel, s.severity
FROM stranded s
JOIN crm_health.notifications n ON n.id = s.notification_id AND n.created_at = s.notification_at
LEFT JOIN crm_health_sync.routes r ON r.user_id = n.user_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN c.name = ANY ($3) THEN c.name ELSE 'log' END AS channel
    FROM unnest(CASE WHEN r.channels <> '{}' THEN r.channels
                     WHEN n.user_id IS NULL THEN $2::text[]
                     ELSE $1::text[] END) AS c(name)
) AS t
ON CONFLICT DO NOTHING
