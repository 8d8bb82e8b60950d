-- Ends the turn of channel $1 under lease $2. $3 its state, $4 the reason, $5 seconds of pause (NULL: none), $6 something
-- was delivered, $7 the digest of this time was (NULL: none).
UPDATE crm_health_sync.channels c
SET state = $3, reason = $4,
    failures = CASE WHEN $3 = 'ok' THEN 0 ELSE c.failures + 1 END,
    next_attempt_at = clock_timestamp() + make_interval(secs => $5),
    last_delivered_at = CASE WHEN $6 THEN clock_timestamp() ELSE c.last_delivered_at END,
    last_digest_at = greatest(c.last_digest_at, $7),
    lease_owner = NULL, lease_until = NULL
WHERE c.name = $1 AND c.lease_token = $2
