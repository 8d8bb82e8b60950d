-- All channels, and what waits for each. Times in seconds, by the database's clock.
SELECT c.name, c.state, c.reason, c.last_delivered_at, c.last_digest_at, c.next_attempt_at, clock_timestamp() AS now,
       coalesce(c.lease_until > clock_timestamp(), false) AS leased,
       greatest(0, coalesce(extract(epoch FROM c.next_attempt_at - clock_timestamp()), 0))::double precision AS pause,
       w.waiting, w.critical, w.age, w.critical_age, w.behind, w.begun
FROM crm_health_sync.channels c
CROSS JOIN LATERAL (
    SELECT count(*) AS waiting,
           count(*) FILTER (WHERE d.severity = 'critical') AS critical,
           coalesce(extract(epoch FROM clock_timestamp() - min(d.taken_at)), 0)::double precision AS age,
           coalesce(extract(epoch FROM clock_timestamp() - min(d.taken_at) FILTER (WHERE d.severity = 'critical')), 0)::double precision AS critical_age,
           coalesce(extract(epoch FROM clock_timestamp() - min(d.notification_at)), 0)::double precision AS behind,
           coalesce(bool_or(d.attempts > 0), false) AS begun
    FROM crm_health_sync.deliveries d
    WHERE d.channel = c.name AND d.state = 'waiting'
) AS w
ORDER BY c.name
