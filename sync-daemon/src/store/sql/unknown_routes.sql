-- Channels that routes name and this configuration has not set up; $1 those that it has.
SELECT DISTINCT c.name
FROM crm_health_sync.routes r CROSS JOIN LATERAL unnest(r.channels) AS c(name)
WHERE c.name <> 'log' AND c.name <> ALL ($1::text[])
ORDER BY c.name
