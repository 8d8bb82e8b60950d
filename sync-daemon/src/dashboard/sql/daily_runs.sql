-- Runs of the daily refresh, newest first. $1 how many, $2 after how many.
SELECT r.id, r.started_at, r.finished_at, r.state, r.triggered_by, r.users_done::bigint AS users,
       r.deals_refreshed AS first_count, r.relationships_refreshed AS second_count,
       jsonb_array_length(r.errors)::bigint AS error_count,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                 'who', coalesce(p.name, e.error ->> 'userId'), 'code', e.error ->> 'sqlState', 'reason', left(e.error ->> 'reason', 500))), '[]')
        FROM (SELECT x.error FROM jsonb_array_elements(r.errors) x (error) LIMIT 10) e
        LEFT JOIN {people} p ON p.id::text = e.error ->> 'userId') AS errors
FROM crm_health.runs r
ORDER BY r.started_at DESC
LIMIT $1 OFFSET $2
