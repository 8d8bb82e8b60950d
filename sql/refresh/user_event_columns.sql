e.contact_id, e.company_id, e.event_timestamp, e.id, e.event_type, e.direction, e.external_source,
          e.external_id, e.thread_id, e.thread_position, e.was_replied, e.was_opened, e.response_time_hours,
          e.sentiment_score, {subject_or_null}, {automated_or_null}
