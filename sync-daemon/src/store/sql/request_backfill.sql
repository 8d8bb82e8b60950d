-- Asks for history: $1 users (NULL: all with an active integration), $2 seconds back. A wider request replaces a
-- narrower one that is still being worked on; a finished one starts over.
INSERT INTO crm_health_sync.backfills AS b (user_id, integration_id, since, done_down_to)
SELECT m.user_id, m.integration_id, now() - make_interval(secs => $2), now()
FROM crm_health_sync.mailboxes m
JOIN {crm}.google_integrations g ON g.id = m.integration_id AND g.user_id = m.user_id AND g.is_active
WHERE $1::uuid[] IS NULL OR m.user_id = ANY ($1)
ON CONFLICT (user_id, integration_id) DO UPDATE
SET since = least(b.since, excluded.since),
    done_down_to = CASE WHEN b.listed_at IS NULL THEN b.done_down_to ELSE excluded.done_down_to END,
    listed_at = NULL
