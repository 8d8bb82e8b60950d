-- Ends alerts whose cause is gone. $1 ids, $2 the instant, $3 the users: what another has taken over meanwhile stays. {alerts}: the table deal_health_alerts.
-- A dismissed one stays dismissed, but is over: its deal may have the same trouble anew.
UPDATE {alerts} a
SET status = CASE a.status WHEN 'dismissed' THEN a.status ELSE 'resolved' END,
    resolved_at = greatest(a.created_at, $2), updated_at = $2
WHERE a.id = ANY ($1) AND a.user_id = ANY ($3) AND a.resolved_at IS NULL
