-- Contact by contact and company by company, so that no estimate can lead to a scan of the whole history.
SELECT x.*
          FROM {contacts} c
          CROSS JOIN LATERAL (
            SELECT e.*
            FROM {communication_events} e
            WHERE e.user_id = u.user_id AND e.contact_id = c.id
              AND e.event_timestamp >= $5 AND (e.event_timestamp <= $4) IS TRUE
            OFFSET 0
          ) x
          WHERE c.owner_id = u.user_id
          UNION ALL
          SELECT x.*
          FROM (SELECT DISTINCT c.company_id FROM {contacts} c
                WHERE c.owner_id = u.user_id AND c.company_id IS NOT NULL) c
          CROSS JOIN LATERAL (
            SELECT e.*
            FROM {communication_events} e
            WHERE e.user_id = u.user_id AND e.company_id = c.company_id
              AND e.event_timestamp >= $5 AND (e.event_timestamp <= $4) IS TRUE
            OFFSET 0
          ) x
