-- The rows of ghost signals of users that hold so far. $1 the users. {rows}: the table ghost_detection_signals.
SELECT g.id, g.relationship_health_id, g.signal_type::text, g.severity::text, g.signal_context::text, g.signal_data::text,
       g.detected_at
FROM {rows} g
WHERE g.user_id = ANY ($1) AND g.resolved_at IS NULL
