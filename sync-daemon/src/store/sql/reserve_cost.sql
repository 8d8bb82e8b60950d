-- Takes $1 USD from what day $5 may cost ($2), and the next place among its requests ($3 seconds apart), if that is
-- at most $4 seconds away. wait: seconds until the place.
UPDATE crm_health_sync.model_usage u
SET reserved_usd = u.reserved_usd + $1,
    requests = u.requests + 1,
    next_request_at = greatest(u.next_request_at, clock_timestamp()) + make_interval(secs => $3)
WHERE u.day = $5
  AND u.spent_usd + u.reserved_usd + $1 <= $2
  AND u.next_request_at <= clock_timestamp() + make_interval(secs => $4)
RETURNING greatest(0, extract(epoch FROM u.next_request_at - make_interval(secs => $3) - clock_timestamp()))::double precision
