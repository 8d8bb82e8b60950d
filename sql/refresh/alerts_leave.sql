-- Ends the alerts of users who have no active deal. $1 user ids, $2 the instant. {alerts}: the table deal_health_alerts.
UPDATE {alerts} a
SET status = CASE a.status WHEN 'dismissed' THEN a.status ELSE 'resolved' END,
    resolved_at = greatest(a.created_at, $2), updated_at = $2
WHERE a.user_id = ANY ($1) AND a.resolved_at IS NULL
