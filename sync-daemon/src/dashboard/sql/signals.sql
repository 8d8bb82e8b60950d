-- Ghost signals that hold. $1 the contact.
SELECT g.signal_type, g.severity, g.signal_context AS context, g.detected_at
FROM {ghost_detection_signals} g
WHERE g.resolved_at IS NULL
  AND g.relationship_health_id IN (SELECT s.id FROM {relationship_health_scores} s WHERE s.contact_id = $1)
ORDER BY array_position(ARRAY['critical', 'high', 'medium', 'low'], g.severity::text), g.signal_type
LIMIT 20
