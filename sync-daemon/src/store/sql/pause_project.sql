-- Stops all daemons until the daily limit is reset.
UPDATE crm_health_sync.project_quota
SET paused_until = now() + make_interval(secs => $1), paused_reason = $2
WHERE only_row
