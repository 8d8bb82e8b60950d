-- The table of `crm-health-sync status`, and the labels of the metrics.
SELECT m.user_id, coalesce(g.email, '') AS email,
       CASE WHEN g.id IS NULL OR NOT coalesce(g.is_active, false) AND m.state <> 'reconnect_required' THEN 'inactive'
            ELSE m.state END AS state,
       m.reason, m.last_good_at, m.next_attempt_at, m.lease_owner, m.lease_until > now() AS leased,
       (SELECT count(*) FROM crm_health_sync.pending p
        WHERE p.user_id = m.user_id AND p.integration_id = m.integration_id AND p.state = 'waiting') AS waiting,
       (SELECT count(*) FROM crm_health_sync.pending p
        WHERE p.user_id = m.user_id AND p.integration_id = m.integration_id AND p.state = 'poison') AS poison,
       m.messages_seen, m.events_written, m.units_spent
FROM crm_health_sync.mailboxes m
LEFT JOIN {crm}.google_integrations g ON g.id = m.integration_id AND g.user_id = m.user_id
ORDER BY g.email, m.integration_id
