crm_health.collect_interactions(
           e.event_timestamp, e.id, e.event_type, e.direction, e.external_source, e.external_id,
           e.thread_id, e.thread_position, e.was_replied, e.was_opened,
           e.response_time_hours, e.sentiment_score, e.subject)
