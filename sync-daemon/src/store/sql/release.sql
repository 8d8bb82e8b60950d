-- Ends a sync: outcome noted, lease given back. $4 state, $5 reason or NULL, $6 seconds until the next attempt (NULL:
-- with the next run), $7 units left, $8 scores still to refresh, $9 counts as finished for the run,
-- $10 events written.
UPDATE crm_health_sync.mailboxes m
SET state = $4, reason = $5,
    next_attempt_at = now() + make_interval(secs => $6),
    quota_units = $7, quota_at = now(),
    refresh_due = $8,
    last_finished_at = CASE WHEN $9 THEN clock_timestamp() ELSE m.last_finished_at END,
    events_written = m.events_written + $10,
    lease_owner = NULL, lease_purpose = NULL, lease_until = NULL
WHERE m.user_id = $1 AND m.integration_id = $2 AND m.lease_token = $3
RETURNING 1 AS fenced
