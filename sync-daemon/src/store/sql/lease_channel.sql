-- The right to send to channel $1, for daemon $2 and $3 seconds; no row when another has it or it pauses. $4 only if
-- its digest of this time is still to be sent (NULL: whatever the digest). digest_id: the same for each try of that digest.
UPDATE crm_health_sync.channels c
SET lease_token = c.lease_token + 1, lease_owner = $2,
    lease_until = clock_timestamp() + make_interval(secs => $3)
WHERE c.name = (
    SELECT k.name FROM crm_health_sync.channels k
    WHERE k.name = $1
      AND coalesce(k.lease_until, '-infinity') <= clock_timestamp()
      AND coalesce(k.next_attempt_at, '-infinity') <= clock_timestamp()
      AND ($4::timestamptz IS NULL OR k.last_digest_at < $4)
    FOR UPDATE SKIP LOCKED)
RETURNING c.lease_token, c.failures,
    left(encode(sha256(convert_to(concat_ws(' ', c.name, extract(epoch FROM c.created_at), extract(epoch FROM $4)), 'UTF8')), 'hex'), 32)::uuid
    AS digest_id
