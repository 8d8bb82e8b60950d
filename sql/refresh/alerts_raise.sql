-- New alerts. $1 what they say, $2 the instant. {alerts}: the table deal_health_alerts.
INSERT INTO {alerts} AS a (
  deal_id, health_score_id, user_id, alert_type, severity, title, message, suggested_actions, action_priority,
  status, metadata, created_at, updated_at)
SELECT n.deal_id, n.score_id, n.user_id, {alert_type}, {severity}, n.title, n.message, {suggested_actions}, {action_priority},
       'active', n.metadata, $2, $2
FROM jsonb_to_recordset($1) AS n (
  deal_id uuid, user_id uuid, alert_type text, score_id uuid, severity text, title text, message text,
  suggested_actions text[], priority text, metadata jsonb)
ON CONFLICT DO NOTHING
RETURNING a.id, a.deal_id, a.alert_type::text
