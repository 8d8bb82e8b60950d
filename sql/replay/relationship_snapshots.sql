-- The first snapshot of each relationship of a user. $1 the user, {scores} and {history}: relationship_health_scores and
-- relationship_health_history.
SELECT s.id, min(h.snapshot_at)
FROM {scores} s
JOIN {history} h ON h.relationship_health_id = s.id
WHERE s.user_id = $1
GROUP BY s.id
