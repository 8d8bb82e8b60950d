SELECT e.*
          FROM {communication_events} e
          WHERE e.user_id = u.user_id AND e.event_timestamp >= $5 AND e.event_timestamp <= $4
