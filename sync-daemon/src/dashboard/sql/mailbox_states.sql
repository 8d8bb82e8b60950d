SELECT CASE WHEN g.id IS NULL OR NOT coalesce(g.is_active, false) AND m.state <> 'reconnect_required' THEN 'inactive'
            ELSE m.state END AS state,
       count(*) AS mailboxes
FROM crm_health_sync.mailboxes m
LEFT JOIN {google_integrations} g ON g.id = m.integration_id AND g.user_id = m.user_id
GROUP BY 1 ORDER BY 1
