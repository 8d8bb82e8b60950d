-- Takes over from the outbox what is not there yet. $1 above this id; $2 default channels; $3 channels for what
-- concerns no user; $4 channels that are set up; $5 seconds after which it is of no use; $6 least severity as a rank.
WITH fresh AS (
    SELECT n.id, n.created_at, n.user_id, n.severity,
           coalesce(array_position('{info,warning,critical}'::text[], n.severity), 2) AS rank
    FROM crm_health.notifications n, crm_health_sync.outbox o
    WHERE n.id > $1
      AND n.created_at >= o.since
      AND n.created_at > clock_timestamp() - make_interval(secs => $5)
      AND NOT EXISTS (SELECT FROM crm_health_sync.deliveries d
                      WHERE d.notification_id = n.id AND d.notification_at = n.created_at)
), routed AS (
    SELECT f.id, f.created_at, f.severity,
           CASE WHEN r.muted_until > clock_timestamp() THEN 'muted'
                WHEN f.rank < coalesce(array_position('{info,warning,critical}'::text[], r.min_severity), $6)
                    THEN 'not severe enough' END AS skipped,
           CASE WHEN r.channels <> '{}' THEN r.channels
                WHEN f.user_id IS NULL THEN $3::text[]
                ELSE $2::text[] END AS channels
    FROM fresh f
    LEFT JOIN crm_health_sync.routes r ON r.user_id = f.user_id
)
INSERT INTO crm_health_sync.deliveries (notification_id, notification_at, channel, severity, state, reason)
SELECT r.id, r.created_at, t.channel, r.severity,
       CASE WHEN r.skipped IS NULL THEN 'waiting' ELSE 'skipped' END, r.skipped
FROM routed r
CROSS JOIN LATERAL (
    SELECT '-' AS channel WHERE r.skipped IS NOT NULL
    UNION
    SELECT CASE WHEN c.name = ANY ($4::text[]) THEN c.name ELSE 'log' END
    FROM unnest(r.channels) AS c(name) WHERE r.skipped IS NULL
) AS t
ON CONFLICT DO NOTHING
