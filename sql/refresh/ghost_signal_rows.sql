-- Keeps a row for each ghost signal that holds for a contact. {rows}: the table ghost_detection_signals.
-- A row says what holds now, is left alone where that is what it says already, and is resolved when the signal holds no
-- more; one that was detected after the instant is not judged by it.
,
-- As many as there are targets: the planner would expect billions, and make ready for them.
signal_contact AS MATERIALIZED (
  SELECT n.score_id, n.user_id, n.ghost_signals
  FROM scored n
  WHERE n.contact_id IS NOT NULL
  LIMIT {most_targets}
),
signal_held AS MATERIALIZED (
  SELECT n.score_id, n.user_id, w.signal_type, w.severity, w.signal_context, w.signal_data
  FROM signal_contact n
  -- There are seven: the planner would take it for a hundred a contact.
  CROSS JOIN LATERAL (
    SELECT * FROM jsonb_to_recordset(n.ghost_signals) AS w (
      signal_type text, severity text, signal_context text, signal_data jsonb)
    LIMIT 7
  ) w
),
signal_open AS MATERIALIZED (
  SELECT g.id, g.relationship_health_id, g.signal_type::text AS signal_type, g.severity::text AS severity, g.signal_context,
         g.signal_data, g.detected_at
  FROM {rows} g
  JOIN signal_contact n ON n.score_id = g.relationship_health_id
  WHERE g.resolved_at IS NULL AND g.user_id = ANY (ARRAY(SELECT DISTINCT u.user_id FROM signal_contact u))
),
signal_changed AS (
  UPDATE {rows} g
  SET severity = {severity}, signal_context = w.signal_context, signal_data = w.signal_data
  FROM signal_open o
  JOIN signal_held w ON w.score_id = o.relationship_health_id AND w.signal_type = o.signal_type
  WHERE g.id = o.id AND o.detected_at <= $4
    AND (w.severity, w.signal_context, w.signal_data) IS DISTINCT FROM (o.severity, o.signal_context, o.signal_data)
),
signal_resolved AS (
  UPDATE {rows} g
  SET resolved_at = $4
  FROM signal_open o
  WHERE g.id = o.id AND o.detected_at <= $4
    AND NOT EXISTS (
      SELECT FROM signal_held w WHERE w.score_id = o.relationship_health_id AND w.signal_type = o.signal_type)
),
signal_raised AS (
  INSERT INTO {rows} (relationship_health_id, user_id, signal_type, severity, signal_context, signal_data, detected_at)
  SELECT w.score_id, w.user_id, {signal_type}, {severity}, w.signal_context, w.signal_data, $4
  FROM signal_held w
  -- A score that a refresh elsewhere wrote first has its signals from there.
  WHERE w.score_id IN (SELECT id FROM updated UNION ALL SELECT id FROM inserted)
    AND NOT EXISTS (
    SELECT FROM signal_open o WHERE o.relationship_health_id = w.score_id AND o.signal_type = w.signal_type)
  ON CONFLICT DO NOTHING
)
