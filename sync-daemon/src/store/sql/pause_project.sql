-- Stops all daemons until the daily limit is reset. A longer pause stays.
UPDATE crm_health_sync.project_quota
SET paused_until = greatest(paused_until, now() + make_interval(secs => $1)), paused_reason = $2
WHERE only_row
