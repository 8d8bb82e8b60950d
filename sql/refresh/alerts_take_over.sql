-- Alerts of deals that changed hands become the new owner's. $1 what is to be raised, $2 the instant.
-- {alerts}: the table deal_health_alerts.
UPDATE {alerts} a
SET user_id = n.user_id, severity = n.severity, title = n.title, message = n.message,
    suggested_actions = n.suggested_actions, action_priority = n.priority, health_score_id = n.score_id,
    metadata = coalesce(a.metadata, jsonb_build_object()) || n.metadata, status = 'active', acknowledged_at = NULL, acknowledged_by = NULL, updated_at = $2
FROM jsonb_to_recordset($1) AS n (
  deal_id uuid, user_id uuid, alert_type text, score_id uuid, severity text, title text, message text,
  suggested_actions text[], priority text, metadata jsonb)
WHERE a.deal_id = n.deal_id AND a.alert_type = n.alert_type AND a.user_id <> n.user_id
  AND a.status IN ('active', 'acknowledged') AND a.resolved_at IS NULL
RETURNING a.id, a.deal_id, a.alert_type::text
