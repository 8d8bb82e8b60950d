-- One page of discovered message ids, in one statement: the ids enter the ledger and, with the last page, the cursor
-- moves past them. $1 user, $2 integration, $3 lease token, $4 lease seconds, $5 ids, $6 priority (1: backfill, which
-- reads known mail again for contacts added since, and what was set aside), $7 new history id or NULL, $8 was a full
-- listing, $9 quota units left, $10 start of this sync (epoch seconds).
WITH fence AS (
    UPDATE crm_health_sync.mailboxes m
    SET lease_until = clock_timestamp() + make_interval(secs => $4),
        history_id = coalesce($7, m.history_id),
        last_full_at = CASE WHEN $8 AND $7 IS NOT NULL THEN now() ELSE m.last_full_at END,
        last_good_at = CASE WHEN $7 IS NOT NULL THEN to_timestamp($10) ELSE m.last_good_at END,
        quota_units = $9, quota_at = now()
    WHERE m.user_id = $1 AND m.integration_id = $2 AND m.lease_token = $3
      AND EXISTS (SELECT 1 FROM {crm}.google_integrations g
                  WHERE g.id = $2 AND g.user_id = $1 AND g.is_active)
    RETURNING 1
), added AS (
    INSERT INTO crm_health_sync.pending (user_id, integration_id, message_id, priority)
    SELECT $1, $2, d.id, $6
    FROM (SELECT DISTINCT unnest($5::text[]) AS id) d
    WHERE EXISTS (SELECT 1 FROM fence)
      AND ($6 = 1 OR NOT EXISTS (
            SELECT 1 FROM {crm}.communication_events e
            WHERE e.user_id = $1 AND e.external_source = 'gmail' AND e.external_id = d.id))
    ON CONFLICT (user_id, integration_id, message_id) DO UPDATE
        SET priority = least(pending.priority, excluded.priority),
            state = CASE WHEN $6 = 1 THEN 'waiting' ELSE pending.state END,
            attempts = CASE WHEN $6 = 1 AND pending.state = 'poison' THEN 0 ELSE pending.attempts END
        WHERE pending.priority > excluded.priority OR $6 = 1 AND pending.state = 'poison'
    RETURNING 1
)
SELECT (SELECT count(*) FROM fence) AS fenced, (SELECT count(*) FROM added) AS added
