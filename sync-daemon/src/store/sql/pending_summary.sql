SELECT state, count(*) AS messages FROM crm_health_sync.pending GROUP BY state
