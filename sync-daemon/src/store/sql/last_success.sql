-- When a run of any daemon last ended without errors.
SELECT extract(epoch FROM max(r.finished_at))::bigint FROM crm_health_sync.runs r WHERE r.report ->> 'success' = 'true'
