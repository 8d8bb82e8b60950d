-- The active users whose notifications go to channel $1; $2 the default channels, $3 those that are set up.
SELECT coalesce(array_agg(u.id ORDER BY u.id), '{}')
FROM crm_health.active_users() AS u(id)
LEFT JOIN crm_health_sync.routes r ON r.user_id = u.id
WHERE coalesce(r.muted_until, '-infinity') <= clock_timestamp()
  AND EXISTS (
    SELECT FROM unnest(CASE WHEN r.channels <> '{}' THEN r.channels ELSE $2::text[] END) AS c(name)
    WHERE $1 = CASE WHEN c.name = ANY ($3::text[]) THEN c.name ELSE 'log' END)
