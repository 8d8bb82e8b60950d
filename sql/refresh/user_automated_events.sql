(
      SELECT array_agg(e.id)
      FROM {communication_events} e
      WHERE e.user_id = u.user_id AND e.event_timestamp >= $5 AND e.event_timestamp <= $4
        AND e.metadata ->> 'automated' = 'true'
    )
