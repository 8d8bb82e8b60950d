-- For the gauges: mailboxes by state, and the longest time since a good sync of one that a run takes, or since it was
-- known where there was none. $1 window of activity in seconds.
SELECT CASE WHEN g.id IS NULL OR NOT coalesce(g.is_active, false) AND m.state <> 'reconnect_required' THEN 'inactive'
            ELSE m.state END AS state,
       count(*) AS mailboxes,
       coalesce(max(extract(epoch FROM now() - coalesce(m.last_good_at, m.created_at)))
                FILTER (WHERE g.is_active AND p.last_login_at >= now() - make_interval(secs => $1)), 0)::double precision AS lag_seconds
FROM crm_health_sync.mailboxes m
LEFT JOIN {crm}.google_integrations g ON g.id = m.integration_id AND g.user_id = m.user_id
LEFT JOIN {crm}.profiles p ON p.id = m.user_id
GROUP BY 1
