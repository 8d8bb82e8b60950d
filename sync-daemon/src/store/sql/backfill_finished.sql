-- Listed and drained: the request is fulfilled.
DELETE FROM crm_health_sync.backfills b
WHERE b.user_id = $1 AND b.integration_id = $2 AND b.listed_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM crm_health_sync.pending p
                  WHERE p.user_id = $1 AND p.integration_id = $2 AND p.state = 'waiting' AND p.priority = 1)
