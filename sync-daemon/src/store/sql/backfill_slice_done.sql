-- A slice is in the ledger down to $4 (epoch seconds).
UPDATE crm_health_sync.backfills b
SET done_down_to = to_timestamp($4),
    listed_at = CASE WHEN to_timestamp($4) <= b.since THEN now() END
WHERE b.user_id = $1 AND b.integration_id = $2
  AND EXISTS (SELECT 1 FROM crm_health_sync.mailboxes m
              WHERE m.user_id = $1 AND m.integration_id = $2 AND m.lease_token = $3)
