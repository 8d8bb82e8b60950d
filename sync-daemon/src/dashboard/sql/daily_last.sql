SELECT max(r.finished_at) AS at FROM crm_health.runs r WHERE r.state = 'succeeded'
