-- The alerts of users whose cause has not ended. $1 user ids. {alerts}: the table deal_health_alerts.
-- Of several of one deal and type the last counts: the newest that is not dismissed.
SELECT a.id, a.deal_id, a.alert_type::text, a.severity::text, a.status::text, a.dismissed_at, a.metadata ->> 'said'
FROM {alerts} a
WHERE a.user_id = ANY ($1) AND a.resolved_at IS NULL AND a.status IN ('active', 'acknowledged', 'dismissed')
ORDER BY a.status <> 'dismissed', a.created_at
