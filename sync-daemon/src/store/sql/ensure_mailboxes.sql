-- Keeps crm_health_sync.mailboxes in step with the integrations: new ones appear, reconnected ones wake up. One that is
-- missing may be merely out of sight (row level security, a table that is being filled anew): its mailbox is marked, and
-- goes with its ledger a week later. When none is visible, none is marked, and the answer is how many mailboxes that
-- leaves without theirs. $1 users wanted (NULL: whoever logged in within the window), $2 window in seconds.
WITH visible AS MATERIALIZED (
    SELECT EXISTS (SELECT 1 FROM {crm}.google_integrations) AS some
), missing AS (
    UPDATE crm_health_sync.mailboxes m
    SET gone_since = now()
    FROM visible v
    WHERE v.some AND m.gone_since IS NULL
      AND NOT EXISTS (
        SELECT 1 FROM {crm}.google_integrations g WHERE g.id = m.integration_id AND g.user_id = m.user_id)
), gone AS (
    DELETE FROM crm_health_sync.mailboxes m
    USING visible v
    WHERE v.some AND m.gone_since < now() - interval '7 days'
      AND NOT EXISTS (
        SELECT 1 FROM {crm}.google_integrations g WHERE g.id = m.integration_id AND g.user_id = m.user_id)
), back AS (
    SELECT m.user_id, m.integration_id, m.state = 'reconnect_required' AND g.is_active AS wakes
    FROM crm_health_sync.mailboxes m
    JOIN {crm}.google_integrations g ON g.id = m.integration_id AND g.user_id = m.user_id
    WHERE m.gone_since IS NOT NULL OR m.state = 'reconnect_required' AND g.is_active
), awake AS (
    UPDATE crm_health_sync.mailboxes m
    SET gone_since = NULL,
        state = CASE WHEN b.wakes THEN 'ok' ELSE m.state END,
        reason = CASE WHEN b.wakes THEN NULL ELSE m.reason END,
        next_attempt_at = CASE WHEN b.wakes THEN NULL ELSE m.next_attempt_at END
    FROM back b
    WHERE m.user_id = b.user_id AND m.integration_id = b.integration_id
), added AS (
    INSERT INTO crm_health_sync.mailboxes (user_id, integration_id)
    SELECT g.user_id, g.id
    FROM {crm}.google_integrations g
    LEFT JOIN {crm}.profiles p ON p.id = g.user_id
    WHERE g.is_active
      AND CASE WHEN $1::uuid[] IS NULL THEN p.last_login_at >= now() - make_interval(secs => $2)
               ELSE g.user_id = ANY ($1) END
    ON CONFLICT DO NOTHING
)
SELECT CASE WHEN v.some THEN 0 ELSE (SELECT count(*) FROM crm_health_sync.mailboxes) END AS hidden
FROM visible v
