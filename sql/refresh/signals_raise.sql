-- Adds rows for ghost signals that hold now. $1 scores, $2 users, $3 types, $4 severities, $5 contexts, $6 data, $7 the instant.
INSERT INTO {rows} (relationship_health_id, user_id, signal_type, severity, signal_context, signal_data, detected_at)
SELECT w.score_id, w.user_id, {signal_type}, {severity}, w.signal_context, w.signal_data::jsonb, $7
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[])
  AS w (score_id, user_id, signal_type, severity, signal_context, signal_data)
ON CONFLICT DO NOTHING
