-- For the gauges: mailboxes by state, what waits, and the longest time since a good sync.
SELECT CASE WHEN NOT coalesce(g.is_active, false) AND m.state <> 'reconnect_required' THEN 'inactive'
            ELSE m.state END AS state,
       count(*) AS mailboxes,
       coalesce(max(extract(epoch FROM now() - m.last_good_at))
                FILTER (WHERE g.is_active), 0)::double precision AS lag_seconds
FROM crm_health_sync.mailboxes m
LEFT JOIN {crm}.google_integrations g ON g.id = m.integration_id AND g.user_id = m.user_id
GROUP BY 1
