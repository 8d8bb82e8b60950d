SELECT max(r.finished_at) AS at FROM crm_health_sync.runs r WHERE r.report ->> 'success' = 'true'
