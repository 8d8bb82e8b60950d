-- The first snapshot of each deal of a user. $1 the user, {history} the table deal_health_history.
SELECT d.id, min(h.snapshot_at)
FROM {deals} d
JOIN {history} h ON h.deal_id = d.id
WHERE d.owner_id = $1
GROUP BY d.id
