SELECT floor(extract(epoch FROM b.since))::bigint AS since,
       ceil(extract(epoch FROM b.done_down_to))::bigint AS done_down_to,
       b.listed_at IS NOT NULL AS listed
FROM crm_health_sync.backfills b
WHERE b.user_id = $1 AND b.integration_id = $2
