-- A sign of life during a long wait. No row: the lease is lost.
UPDATE crm_health_sync.mailboxes m
SET lease_until = clock_timestamp() + make_interval(secs => $4)
WHERE m.user_id = $1 AND m.integration_id = $2 AND m.lease_token = $3
  AND EXISTS (SELECT 1 FROM {crm}.google_integrations g
              WHERE g.id = $2 AND g.user_id = $1 AND g.is_active)
RETURNING 1 AS fenced
