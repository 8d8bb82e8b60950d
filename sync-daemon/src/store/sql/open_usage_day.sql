-- Today's row (UTC), made if it is the day's first request. over_cap: $1 USD more would be over $2.
WITH made AS (
    INSERT INTO crm_health_sync.model_usage AS u (day) VALUES ((clock_timestamp() AT TIME ZONE 'UTC')::date)
    ON CONFLICT (day) DO NOTHING
    RETURNING u.day
)
SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS day,
       coalesce((SELECT u.spent_usd + u.reserved_usd FROM crm_health_sync.model_usage u
                 WHERE u.day = (clock_timestamp() AT TIME ZONE 'UTC')::date), 0) + $1 > $2 AS over_cap,
       (SELECT count(*) FROM made) AS made
