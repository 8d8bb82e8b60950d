-- All that a refresh reads of users, a row each: one scan a source and user.
-- $1 user ids, $2 oldest last_calculated_at that still counts as fresh, $4 the instant, $5 90 days before it (a parameter, for
-- a kept plan would work it out anew for each event).
-- {events}, {user_events}, {automated}: how the events are reached, see events.rs. {place}: where a score p lies, where
-- that serves to write it. {last_meaningful}: its last_meaningful_interaction, where that tells a subject still.
SELECT u.user_id, (
    SELECT crm_health.collect_targets(t.contact_id, t.company_id, t.members, t.score_id, t.score, t.status,
                                      t.ghost_risk, t.is_fresh, t.looks_back, t.place, t.last)
           FILTER (WHERE t.contact_id IS NOT NULL OR t.company_id IS NOT NULL)
    FROM (
      SELECT c.id AS contact_id, c.company_id, 0::int8 AS members, p.id AS score_id,
             p.overall_health_score::int4 AS score, p.health_status::text AS status,
             p.is_ghost_risk AS ghost_risk, coalesce(p.last_calculated_at >= $2 AND p.last_calculated_at < 'infinity', false) AS is_fresh,
             p.last_calculated_at > $4 AS looks_back, {place} AS place, {last_meaningful} AS last
      FROM (SELECT c.id, c.company_id FROM {contacts} c WHERE c.owner_id = u.user_id) c
      -- A full join is made by hash or by merge, whatever old statistics say of the scores: taken for few, they would be gone
      -- through for each contact. Those of contacts who are gone are left out above.
      FULL JOIN (SELECT p.*, p.ctid FROM {scores} p WHERE p.user_id = u.user_id AND p.contact_id IS NOT NULL) p
        ON p.contact_id = c.id
      UNION ALL
      SELECT NULL, k.company_id, k.members, p.id, p.overall_health_score::int4, p.health_status::text,
             p.is_ghost_risk, coalesce(p.last_calculated_at >= $2 AND p.last_calculated_at < 'infinity', false), p.last_calculated_at > $4, {place}, {last_meaningful}
      FROM (
        SELECT c.company_id, hashtextextended(string_agg(c.id::text, ',' ORDER BY c.id), 0) AS members
        FROM {contacts} c
        WHERE c.owner_id = u.user_id AND c.company_id IS NOT NULL
        GROUP BY c.company_id
      ) k
      FULL JOIN (SELECT p.*, p.ctid FROM {scores} p WHERE p.user_id = u.user_id AND p.company_id IS NOT NULL) p
        ON p.company_id = k.company_id
    ) t
  ) AS targets, (
    SELECT {user_events}
    FROM ({events}) e
  ) AS events,
  {streams} AS streams, (
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
  ) AS meetings, (
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
  ) AS deals, (
    -- In this order the index of opened mail is the only cheap way: see relationship_signals.sql.
    SELECT true
    FROM {communication_events} e
    WHERE e.user_id = u.user_id AND e.was_opened AND e.event_timestamp <= $4
    ORDER BY e.event_timestamp
    LIMIT 1
  ) IS NOT NULL AS opens_tracked,
  {automated} AS automated
FROM unnest($1::uuid[]) AS u (user_id)
