-- Keeps crm_health_sync.mailboxes in step with the integrations: new ones appear, reconnected ones wake up, deleted
-- ones go with their ledger. $1 users wanted (NULL: whoever logged in within the window), $2 window in seconds.
WITH gone AS (
    DELETE FROM crm_health_sync.mailboxes m
    WHERE NOT EXISTS (
        SELECT 1 FROM {crm}.google_integrations g WHERE g.id = m.integration_id AND g.user_id = m.user_id)
), awake AS (
    UPDATE crm_health_sync.mailboxes m
    SET state = 'ok', reason = NULL, next_attempt_at = NULL
    FROM {crm}.google_integrations g
    WHERE g.id = m.integration_id AND g.user_id = m.user_id AND g.is_active
      AND m.state = 'reconnect_required'
)
INSERT INTO crm_health_sync.mailboxes (user_id, integration_id)
SELECT g.user_id, g.id
FROM {crm}.google_integrations g
LEFT JOIN {crm}.profiles p ON p.id = g.user_id
WHERE g.is_active
  AND CASE WHEN $1::uuid[] IS NULL THEN p.last_login_at >= now() - make_interval(secs => $2)
           ELSE g.user_id = ANY ($1) END
ON CONFLICT DO NOTHING
