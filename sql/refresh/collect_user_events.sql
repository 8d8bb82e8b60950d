crm_health.collect_user_events({user_event_columns}, $5)
