-- Mailboxes, those that need somebody first. $1 how many, $2 after how many.
SELECT m.user_id, coalesce(g.email, '') AS email, p.name AS rep, k.state, m.reason, m.last_good_at, m.next_attempt_at,
       coalesce(m.lease_until > now(), false) AS is_syncing,
       (SELECT count(*) FROM crm_health_sync.pending q
        WHERE q.user_id = m.user_id AND q.integration_id = m.integration_id AND q.state = 'waiting') AS waiting,
       (SELECT count(*) FROM crm_health_sync.pending q
        WHERE q.user_id = m.user_id AND q.integration_id = m.integration_id AND q.state = 'poison') AS set_aside
FROM crm_health_sync.mailboxes m
LEFT JOIN {google_integrations} g ON g.id = m.integration_id AND g.user_id = m.user_id
LEFT JOIN {people} p ON p.id = m.user_id
CROSS JOIN LATERAL (
  SELECT CASE WHEN g.id IS NULL OR NOT coalesce(g.is_active, false) AND m.state <> 'reconnect_required' THEN 'inactive'
              ELSE m.state END) k (state)
ORDER BY array_position(ARRAY['reconnect_required', 'failing', 'paused', 'new', 'ok', 'inactive'], k.state), g.email, m.integration_id
LIMIT $1 OFFSET $2
