-- Of users $1, those whose history is not all read, and why nobody reads it now; and those without a mailbox.
SELECT b.user_id,
       CASE WHEN NOT coalesce(g.is_active, false) THEN 'reconnect_required'
            WHEN m.lease_until > now() THEN 'busy'
            ELSE coalesce(m.reason, 'paused') END AS reason,
       coalesce(m.lease_until, m.next_attempt_at) AS until
FROM crm_health_sync.backfills b
JOIN crm_health_sync.mailboxes m ON m.user_id = b.user_id AND m.integration_id = b.integration_id
LEFT JOIN {crm}.google_integrations g ON g.id = m.integration_id AND g.user_id = m.user_id
WHERE b.user_id = ANY ($1)
UNION ALL
SELECT w.user_id, 'not_connected', NULL
FROM unnest($1::uuid[]) AS w(user_id)
WHERE NOT EXISTS (SELECT 1 FROM {crm}.google_integrations g WHERE g.user_id = w.user_id AND g.is_active)
