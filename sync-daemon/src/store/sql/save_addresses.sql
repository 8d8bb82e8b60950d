-- The mailbox's own addresses, as Gmail told them, and whether it can be searched.
UPDATE crm_health_sync.mailboxes m
SET own_addresses = $4, addresses_read_at = now(), list_without_query = $5
WHERE m.user_id = $1 AND m.integration_id = $2 AND m.lease_token = $3
RETURNING 1 AS fenced
