SELECT j.job_schedule, j.is_active FROM crm_health.daily_job() j
