-- Takes $1 units from the project's bucket ($2 its size, $3 units a second), all or none. $4: leave at least so many
-- for work of higher priority. A negative $1 gives unused units back. What needs more than the bucket holds gets it from a
-- full one, which owes the rest.
WITH bucket AS (
    SELECT least($2, q.units + greatest(0, least(3600, extract(epoch FROM clock_timestamp() - q.refilled_at))) * $3)
               AS units,
           CASE WHEN q.paused_until > clock_timestamp()
                THEN extract(epoch FROM q.paused_until - clock_timestamp()) ELSE 0 END AS paused
    FROM crm_health_sync.project_quota q
    WHERE q.only_row
    FOR UPDATE
), taken AS (
    UPDATE crm_health_sync.project_quota q
    SET units = b.units - $1, refilled_at = clock_timestamp()
    FROM bucket b
    WHERE q.only_row AND b.paused = 0 AND b.units >= least($1 + $4, $2)
    RETURNING 1
), counted AS (
    INSERT INTO crm_health_sync.project_usage AS u (day, units)
    SELECT (now() AT TIME ZONE 'UTC')::date, $1::bigint FROM taken
    ON CONFLICT (day) DO UPDATE SET units = greatest(0, u.units + excluded.units)
    RETURNING 1
)
SELECT EXISTS (SELECT 1 FROM taken) AS granted,
       b.paused::double precision AS paused,
       greatest(0, (least($1 + $4, $2) - b.units) / $3)::double precision AS wait
FROM bucket b
