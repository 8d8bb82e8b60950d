-- Without an index on time all events of the user are read; of the old ones the newest are kept.
SELECT e.*
          FROM {communication_events} e
          WHERE e.user_id = u.user_id AND e.event_timestamp <= $4
