-- The peers: the simple formula, written as people write it. They keep their scores in a table of their own with the columns,
-- keys, checks and fillfactor of the real one.
CREATE TABLE bench.relationship_scores (LIKE public.relationship_health_scores INCLUDING ALL) WITH (fillfactor = 50);

-- (a) Row by row in PL/pgSQL, as an application that grew has it.
CREATE FUNCTION bench.per_row(p_user_id uuid, p_as_of timestamptz)
RETURNS TABLE (contact_id uuid, health_score integer, health_status text, updated boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_contact record;
  v_events integer;
  v_meetings integer;
  v_days integer;
  v_score integer;
  v_status text;
BEGIN
  FOR v_contact IN SELECT c.id FROM public.contacts c WHERE c.owner_id = p_user_id LOOP
    SELECT count(*) FILTER (WHERE e.event_timestamp >= p_as_of - interval '30 days'),
           floor(extract(epoch FROM p_as_of - max(e.event_timestamp)) / 86400)
    INTO v_events, v_days
    FROM public.communication_events e
    WHERE e.user_id = p_user_id AND e.contact_id = v_contact.id AND e.event_timestamp <= p_as_of;

    SELECT count(*) INTO v_meetings
    FROM public.meetings m
    WHERE m.owner_user_id = p_user_id AND m.primary_contact_id = v_contact.id
      AND m.meeting_start >= p_as_of - interval '30 days';

    v_score := greatest(0, least(100, 10 * v_events + 20 * v_meetings) - greatest(0, 2 * (coalesce(v_days, 0) - 14)));
    v_status := CASE WHEN v_score >= 70 THEN 'healthy' WHEN v_score >= 50 THEN 'at_risk' WHEN v_score >= 30 THEN 'critical' ELSE 'ghost' END;

    INSERT INTO bench.relationship_scores AS s (
      user_id, relationship_type, contact_id, overall_health_score, health_status, days_since_last_contact,
      meeting_count_30_days, total_interactions_30_days, last_calculated_at, updated_at)
    VALUES (p_user_id, 'contact', v_contact.id, v_score, v_status, v_days, v_meetings, v_events, p_as_of, now())
    ON CONFLICT (user_id, contact_id) DO UPDATE SET
      overall_health_score = excluded.overall_health_score, health_status = excluded.health_status,
      days_since_last_contact = excluded.days_since_last_contact, meeting_count_30_days = excluded.meeting_count_30_days,
      total_interactions_30_days = excluded.total_interactions_30_days,
      last_calculated_at = excluded.last_calculated_at, updated_at = excluded.updated_at;

    contact_id := v_contact.id; health_score := v_score; health_status := v_status; updated := true;
    RETURN NEXT;
  END LOOP;
END
$$;

-- The simple formula by someone who knows how: one grouped pass over the month, a look-up for who was silent in it.
-- The planner takes it into the statements below, as if it stood there.
CREATE FUNCTION bench.simple(p_user_ids uuid[], p_as_of timestamptz)
RETURNS TABLE (user_id uuid, contact_id uuid, events integer, meetings integer, days integer, score integer, status text)
LANGUAGE sql STABLE AS $$
  SELECT c.owner_id, c.id, coalesce(r.events, 0), coalesce(m.meetings, 0), d.days, s.score,
         CASE WHEN s.score >= 70 THEN 'healthy' WHEN s.score >= 50 THEN 'at_risk' WHEN s.score >= 30 THEN 'critical' ELSE 'ghost' END
  FROM public.contacts c
  LEFT JOIN (
    SELECT e.user_id, e.contact_id, count(*)::integer AS events, max(e.event_timestamp) AS newest
    FROM public.communication_events e
    WHERE e.user_id = ANY (p_user_ids) AND e.event_timestamp BETWEEN p_as_of - interval '30 days' AND p_as_of
    GROUP BY e.user_id, e.contact_id
  ) r ON r.user_id = c.owner_id AND r.contact_id = c.id
  LEFT JOIN (
    SELECT m.owner_user_id, m.primary_contact_id, count(*)::integer AS meetings
    FROM public.meetings m
    WHERE m.owner_user_id = ANY (p_user_ids) AND m.meeting_start >= p_as_of - interval '30 days'
    GROUP BY m.owner_user_id, m.primary_contact_id
  ) m ON m.owner_user_id = c.owner_id AND m.primary_contact_id = c.id
  CROSS JOIN LATERAL (
    SELECT floor(extract(epoch FROM p_as_of - coalesce(r.newest, (
             SELECT e.event_timestamp FROM public.communication_events e
             WHERE e.user_id = c.owner_id AND e.contact_id = c.id AND e.event_timestamp <= p_as_of
             ORDER BY e.event_timestamp DESC LIMIT 1))) / 86400)::integer AS days
    OFFSET 0
  ) d
  CROSS JOIN LATERAL (
    SELECT greatest(0, least(100, 10 * coalesce(r.events, 0) + 20 * coalesce(m.meetings, 0))
                       - greatest(0, 2 * (coalesce(d.days, 0) - 14))) AS score
    OFFSET 0
  ) s
  WHERE c.owner_id = ANY (p_user_ids)
$$;

-- (b) In one statement: an UPDATE of the rows that are there.
CREATE FUNCTION bench.set_based(p_user_ids uuid[], p_as_of timestamptz)
RETURNS TABLE (contact_id uuid, health_score integer, health_status text)
LANGUAGE sql AS $$
  UPDATE bench.relationship_scores s
  SET overall_health_score = n.score, health_status = n.status,
      days_since_last_contact = n.days, meeting_count_30_days = n.meetings, total_interactions_30_days = n.events,
      last_calculated_at = p_as_of, updated_at = now()
  FROM bench.simple(p_user_ids, p_as_of) n
  WHERE s.user_id = n.user_id AND s.contact_id = n.contact_id
  RETURNING s.contact_id, s.overall_health_score, s.health_status
$$;

-- (b+) The same, and contacts that have no score yet get one, as in (a).
CREATE FUNCTION bench.upserted(p_user_ids uuid[], p_as_of timestamptz)
RETURNS TABLE (contact_id uuid, health_score integer, health_status text)
LANGUAGE sql AS $$
  INSERT INTO bench.relationship_scores AS s (
    user_id, relationship_type, contact_id, overall_health_score, health_status, days_since_last_contact,
    meeting_count_30_days, total_interactions_30_days, last_calculated_at, updated_at)
  SELECT n.user_id, 'contact', n.contact_id, n.score, n.status, n.days, n.meetings, n.events, p_as_of, now()
  FROM bench.simple(p_user_ids, p_as_of) n
  ON CONFLICT (user_id, contact_id) DO UPDATE SET
    overall_health_score = excluded.overall_health_score, health_status = excluded.health_status,
    days_since_last_contact = excluded.days_since_last_contact, meeting_count_30_days = excluded.meeting_count_30_days,
    total_interactions_30_days = excluded.total_interactions_30_days,
    last_calculated_at = excluded.last_calculated_at, updated_at = excluded.updated_at
  RETURNING s.contact_id, s.overall_health_score, s.health_status
$$;

-- (d) What no refresh can do without: the scores' rows are written, the events of 90 days are read. Nothing is computed.
CREATE FUNCTION bench.floor(p_user_ids uuid[], p_as_of timestamptz) RETURNS TABLE (events bigint)
LANGUAGE sql AS $$
  UPDATE bench.relationship_scores s
  SET overall_health_score = 50, health_status = 'at_risk', risk_level = 'low', communication_frequency_score = 50,
      response_behavior_score = 50, engagement_quality_score = 50, sentiment_score = 50, meeting_pattern_score = 50,
      days_since_last_contact = 1, days_since_last_response = 2, avg_response_time_hours = 3.25, response_rate_percent = 50,
      email_open_rate_percent = 50, meeting_count_30_days = 1, email_count_30_days = 3, total_interactions_30_days = 4,
      baseline_response_time_hours = 3.5, baseline_contact_frequency_days = 9.25, baseline_meeting_frequency_days = 20.5,
      is_ghost_risk = false, ghost_signals = '[]', ghost_probability_percent = 10, sentiment_trend = 'stable',
      avg_sentiment_last_3_interactions = 0.25, risk_factors = '{no_contact_21_days,low_communication_frequency}',
      last_meaningful_interaction = '{"type": "email_sent", "date": "2026-05-20T00:00:00Z", "direction": "outbound", "subject": "Re: our talk on the rollout, part 1"}',
      related_deals_count = 1, total_deal_value = 1000, at_risk_deal_value = 0, last_calculated_at = p_as_of, updated_at = now()
  WHERE s.user_id = ANY (p_user_ids);
  SELECT sum(g.events)::bigint FROM (
    SELECT count(*) AS events, max(e.event_timestamp) AS newest
    FROM public.communication_events e
    WHERE e.user_id = ANY (p_user_ids) AND e.event_timestamp BETWEEN p_as_of - interval '90 days' AND p_as_of
    GROUP BY e.user_id, e.contact_id
  ) g
$$;

-- The history of those scores, with the keys, the index and the reference of the real one.
CREATE TABLE bench.relationship_history (LIKE public.relationship_health_history INCLUDING ALL);
ALTER TABLE bench.relationship_history
  ADD FOREIGN KEY (relationship_health_id) REFERENCES bench.relationship_scores (id) ON DELETE CASCADE;

-- (d+) The floor, and a snapshot of each sixth score: as many as change in a day.
CREATE FUNCTION bench.floor_with_history(p_user_ids uuid[], p_as_of timestamptz) RETURNS TABLE (events bigint)
LANGUAGE sql AS $$
  INSERT INTO bench.relationship_history (
    relationship_health_id, user_id, overall_health_score, health_status, communication_frequency_score,
    response_behavior_score, engagement_quality_score, sentiment_score, meeting_pattern_score, is_ghost_risk,
    ghost_probability_percent, snapshot_at, snapshot_reason, changes_from_previous)
  SELECT s.id, s.user_id, 50, 'at_risk', 50, 50, 50, 50, 50, false, 10, p_as_of, 'scheduled',
         jsonb_build_object('overall_health_score_delta', 50 - s.overall_health_score, 'status_changed', false,
                            'ghost_risk_changed', false, 'previous_status', s.health_status, 'new_status', 'at_risk')
  FROM bench.relationship_scores s
  WHERE s.user_id = ANY (p_user_ids) AND s.id < '2aaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa';
  SELECT bench.floor(p_user_ids, p_as_of)
$$;

-- What a function that may read the scores costs before it does anything else: nothing but the SELECT.
CREATE FUNCTION bench.read_contacts(p_user_id uuid)
RETURNS TABLE (contact_id uuid, health_score integer, health_status text, updated boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT s.contact_id, s.overall_health_score, s.health_status, false
  FROM public.relationship_health_scores s WHERE s.user_id = p_user_id AND s.contact_id IS NOT NULL
$$;

CREATE FUNCTION bench.read_deals(p_user_id uuid)
RETURNS TABLE (deal_id uuid, health_score integer, health_status text, updated boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT s.deal_id, s.overall_health_score, s.health_status, false
  FROM public.deal_health_scores s WHERE s.user_id = p_user_id
$$;

-- The same, and whether anybody lacks a score: the least that a call has to find out.
CREATE FUNCTION bench.check_contacts(p_user_id uuid)
RETURNS TABLE (contact_id uuid, health_score integer, health_status text, updated boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.id, s.overall_health_score, s.health_status, s.last_calculated_at >= '2000-01-01'
  FROM public.contacts c
  LEFT JOIN public.relationship_health_scores s ON s.user_id = p_user_id AND s.contact_id = c.id
  WHERE c.owner_id = p_user_id
$$;

CREATE FUNCTION bench.check_deals(p_user_id uuid)
RETURNS TABLE (deal_id uuid, health_score integer, health_status text, updated boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT d.id, s.overall_health_score, s.health_status, s.last_calculated_at >= '2000-01-01'
  FROM public.deals d
  LEFT JOIN public.deal_health_scores s ON s.user_id = p_user_id AND s.deal_id = d.id
  WHERE d.owner_id = p_user_id AND d.status = 'active'
$$;
