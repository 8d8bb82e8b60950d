(
        SELECT crm_health.collect_subjects(l.cited_id, e.subject)
        FROM lacking l
        CROSS JOIN LATERAL (
          SELECT e.subject
          FROM {communication_events} e
          WHERE e.user_id = l.user_id AND e.event_timestamp = l.cited_at AND e.id = l.cited_id
          LIMIT 1
        ) e
        WHERE l.cited_id IS NOT NULL
      )
