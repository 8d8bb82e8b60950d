-- What a request of day $1 really cost ($3 USD, $4 and $5 tokens in and out) in place of the $2 USD reserved for it.
UPDATE crm_health_sync.model_usage u
SET reserved_usd = greatest(0, u.reserved_usd - $2),
    spent_usd = u.spent_usd + $3,
    input_tokens = u.input_tokens + $4,
    output_tokens = u.output_tokens + $5
WHERE u.day = $1
