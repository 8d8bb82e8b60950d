SELECT h.snapshot_at AS at, h.overall_health_score::bigint AS score
FROM {relationship_health_history} h
WHERE h.relationship_health_id IN (SELECT s.id FROM {relationship_health_scores} s WHERE s.contact_id = $1)
ORDER BY h.snapshot_at DESC LIMIT 400
