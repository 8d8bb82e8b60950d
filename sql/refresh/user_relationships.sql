-- Scores all due contacts and companies of users and writes what they are: one scan a source and user.
-- $1 user ids, $2 oldest last_calculated_at that still counts as fresh, $3 the configuration, $4 the instant, $5 90 days before it
-- (a parameter, for a kept plan would work it out anew for each event).
-- {events}, {user_events}, {looks_back}, {cites}, {subjects}, {automated}: how the events are reached, see events.rs. {computed}, {columns}, {assignments},
-- {new_values}: the columns that the score table has.
WITH scored AS MATERIALIZED (
  SELECT u.user_id, s.contact_id, s.company_id, s.is_new, s.looks_back,
         coalesce(s.score_id, gen_random_uuid()) AS score_id,
         s.previous_score, s.previous_status, s.previous_ghost_risk,
         s.overall_health_score AS new_score, s.health_status AS new_status, s.is_ghost_risk AS new_ghost_risk,
         {computed}{sealing_columns}
  FROM unnest($1::uuid[]) AS u (user_id)
  CROSS JOIN LATERAL (
    SELECT (
        SELECT crm_health.collect_targets(t.contact_id, t.company_id, t.members, t.score_id, t.score, t.status,
                                          t.ghost_risk, t.is_fresh, t.looks_back)
        FROM (
          SELECT c.id AS contact_id, c.company_id, 0::int8 AS members, p.id AS score_id,
                 p.overall_health_score::int4 AS score, p.health_status::text AS status,
                 p.is_ghost_risk AS ghost_risk, coalesce(p.last_calculated_at >= $2, false) AS is_fresh,
                 p.last_calculated_at > $4 AS looks_back
          FROM {contacts} c
          LEFT JOIN {scores} p ON p.user_id = u.user_id AND p.contact_id = c.id
          WHERE c.owner_id = u.user_id
          UNION ALL
          SELECT NULL, k.company_id, k.members, p.id, p.overall_health_score::int4, p.health_status::text,
                 p.is_ghost_risk, coalesce(p.last_calculated_at >= $2, false), p.last_calculated_at > $4
          FROM (
            SELECT c.company_id, hashtextextended(string_agg(c.id::text, ',' ORDER BY c.id), 0) AS members
            FROM {contacts} c
            WHERE c.owner_id = u.user_id AND c.company_id IS NOT NULL
            GROUP BY c.company_id
          ) k
          LEFT JOIN {scores} p ON p.user_id = u.user_id AND p.company_id = k.company_id
        ) t
      ) AS targets, (
        SELECT {user_events}
        FROM ({events}) e
      ) AS events,
      {streams} AS streams
    OFFSET 0
  ) b
  CROSS JOIN LATERAL (
    WITH lacking AS MATERIALIZED (
      SELECT u.user_id, x.*
      FROM crm_health.user_lacks($4, $5, b.targets, b.events, b.streams,
                                 {fingerprint}, {keeps_streams}, {looks_back}, {cites}) x
    )
    SELECT (
        SELECT crm_health.collect_user_events(
          CASE WHEN l.contact_id IS NOT NULL THEN e.of_id END, CASE WHEN l.contact_id IS NULL THEN e.of_id END,
          e.event_timestamp, e.id, e.event_type, e.direction, e.external_source, e.external_id, NULL, NULL,
          e.was_replied, NULL, NULL, NULL, e.subject, NULL, NULL)
        FROM lacking l
        CROSS JOIN LATERAL (
          SELECT e.* FROM (
            {older_contact_events}
          ) e
          WHERE l.contact_id IS NOT NULL
          UNION ALL
          SELECT e.* FROM (
            {older_company_events}
          ) e
          WHERE l.contact_id IS NULL
        ) e
        WHERE l.lack > 0
      ) AS older, (
        SELECT crm_health.collect_past(l.contact_id, l.company_id, CASE WHEN l.contact_id IS NOT NULL THEN (
            SELECT {days}
            FROM {communication_events} e
            WHERE e.user_id = l.user_id AND e.contact_id = l.contact_id
              AND e.event_timestamp >= l.past_from AND e.event_timestamp < $5
          ) ELSE (
            SELECT {days}
            FROM {communication_events} e
            WHERE e.user_id = l.user_id AND e.company_id = l.company_id
              AND e.event_timestamp >= l.past_from AND e.event_timestamp < $5
          ) END)
        FROM lacking l
        WHERE l.past_from IS NOT NULL
      ) AS past,
      {subjects} AS subjects
    OFFSET 0
  ) o
  CROSS JOIN LATERAL crm_health.score_user_relationships(
    $3, $4, $5, b.targets, b.events, o.older, (
      SELECT crm_health.collect_user_meetings(m.contact_id, m.company_id, m.meeting_start, m.id, m.sentiment_score, m.title)
      FROM (
        SELECT m.primary_contact_id AS contact_id, NULL::uuid AS company_id, m.meeting_start, m.id, m.sentiment_score, m.title
        FROM {meetings} m
        WHERE m.owner_user_id = u.user_id AND m.primary_contact_id IS NOT NULL
        UNION ALL
        SELECT mc.contact_id, NULL, m.meeting_start, m.id, m.sentiment_score, m.title
        FROM {meetings} m
        JOIN {meeting_contacts} mc ON mc.meeting_id = m.id
        WHERE m.owner_user_id = u.user_id
        UNION ALL
        SELECT NULL, m.company_id, m.meeting_start, m.id, m.sentiment_score, m.title
        FROM {meetings} m
        WHERE m.owner_user_id = u.user_id AND m.company_id IS NOT NULL
      ) m
    ), (
      SELECT crm_health.collect_user_deals(d.contact_id, d.company_id, d.deals, d.value, d.at_risk,
                                           d.value::float8, d.at_risk::float8)
      FROM (
        SELECT d.contact_id, d.company_id, count(*) AS deals, sum(d.value) AS value,
               sum(d.value) FILTER (WHERE d.health_status IN ('critical', 'stalled')) AS at_risk
        FROM (
          -- By key: a join might read the scores of all users for each.
          SELECT v.contact_id, v.company_id, d.value,
                 (SELECT h.health_status FROM {deal_health_scores} h WHERE h.deal_id = d.id LIMIT 1) AS health_status
          FROM {deals} d
          CROSS JOIN LATERAL (VALUES (d.primary_contact_id, NULL::uuid), (NULL, d.company_id)) v (contact_id, company_id)
          WHERE d.owner_id = u.user_id
        ) d
        WHERE d.contact_id IS NOT NULL OR d.company_id IS NOT NULL
        GROUP BY d.contact_id, d.company_id
      ) d
    ), b.streams, o.past, {keeps_streams}, (
      -- In this order the index of opened mail is the only cheap way: see relationship_signals.sql.
      SELECT true
      FROM {communication_events} e
      WHERE e.user_id = u.user_id AND e.was_opened AND e.event_timestamp <= $4
      ORDER BY e.event_timestamp
      LIMIT 1
    ) IS NOT NULL, o.subjects, {automated}) s
  CROSS JOIN LATERAL (SELECT s.*) g
),
updated AS (
  UPDATE {scores} s
  SET {assignments},
      last_calculated_at = $4{updated_at}
  FROM scored n
  -- The users by name, so that the scores of all others are not read.
  WHERE NOT n.is_new AND s.user_id = ANY ($1) AND s.user_id = n.user_id AND s.id = n.score_id
  RETURNING s.id
),
inserted AS (
  INSERT INTO {scores} (id, user_id, relationship_type, contact_id, company_id, last_calculated_at, {columns})
  SELECT n.score_id, n.user_id,
         CASE WHEN n.contact_id IS NULL THEN 'company' ELSE 'contact' END,
         n.contact_id, n.company_id, $4, {new_values}
  FROM scored n
  WHERE n.is_new
  ON CONFLICT DO NOTHING
  RETURNING id
){history}{sealing}{signal_rows}
SELECT n.user_id, n.contact_id, n.company_id, n.new_score, n.new_status, n.previous_status, n.looks_back
FROM scored n
