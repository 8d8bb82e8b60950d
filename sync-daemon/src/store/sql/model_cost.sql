SELECT coalesce(sum(u.spent_usd), 0) FROM crm_health_sync.model_usage u WHERE u.day = (now() AT TIME ZONE 'UTC')::date
