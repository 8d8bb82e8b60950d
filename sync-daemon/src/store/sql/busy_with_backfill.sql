-- Mailboxes a sync would take but for a backfill that holds them; it lets go between slices.
SELECT count(*) AS busy
FROM crm_health_sync.mailboxes m
JOIN {crm}.google_integrations g ON g.id = m.integration_id AND g.user_id = m.user_id AND g.is_active
WHERE m.lease_purpose = 'backfill' AND m.lease_until > clock_timestamp()
  AND coalesce(m.last_finished_at, '-infinity') < $1
  AND ($2::uuid[] IS NULL OR m.user_id = ANY ($2))
