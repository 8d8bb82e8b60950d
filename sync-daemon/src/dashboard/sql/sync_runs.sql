-- Runs of the sync, newest first. $1 how many, $2 after how many.
SELECT r.id, r.started_at, r.finished_at, CASE r.report ->> 'success' WHEN 'true' THEN 'succeeded' ELSE 'failed' END AS state,
       r.triggered_by,
       CASE jsonb_typeof(r.report -> 'usersProcessed') WHEN 'number' THEN (r.report ->> 'usersProcessed')::numeric::bigint END AS users,
       CASE jsonb_typeof(r.report -> 'emailsSynced') WHEN 'number' THEN (r.report ->> 'emailsSynced')::numeric::bigint END AS first_count,
       CASE jsonb_typeof(r.report -> 'contactsWithEmails') WHEN 'number' THEN (r.report ->> 'contactsWithEmails')::numeric::bigint END AS second_count,
       jsonb_array_length(k.errors)::bigint AS error_count,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                 'who', coalesce(p.name, e.error ->> 'userId'), 'code', e.error ->> 'code', 'reason', left(e.error ->> 'reason', 500))), '[]')
        FROM (SELECT x.error FROM jsonb_array_elements(k.errors) x (error) LIMIT 10) e
        LEFT JOIN {people} p ON p.id::text = e.error ->> 'userId') AS errors
FROM crm_health_sync.runs r
CROSS JOIN LATERAL (SELECT CASE jsonb_typeof(r.report -> 'errors') WHEN 'array' THEN r.report -> 'errors' ELSE '[]' END) k (errors)
ORDER BY r.finished_at DESC
LIMIT $1 OFFSET $2
