-- Alerts of deals that changed hands become the new owner's. $1 what is to be raised, $2 the instant.
-- {alerts}: the table deal_health_alerts.
-- Deal by deal, and with a test for open alerts that no statistics tell of: taken for few, all that are open would be read for
-- each deal.
UPDATE {alerts} a
SET user_id = n.user_id, severity = {severity}, title = n.title, message = n.message,
    suggested_actions = {suggested_actions}, action_priority = {action_priority}, health_score_id = n.score_id,
    metadata = coalesce(a.metadata, jsonb_build_object()) || n.metadata, status = 'active', acknowledged_at = NULL, acknowledged_by = NULL, updated_at = $2
FROM (
  SELECT n.*, o.id
  FROM jsonb_to_recordset($1) AS n (
    deal_id uuid, user_id uuid, alert_type text, score_id uuid, severity text, title text, message text,
    suggested_actions text[], priority text, metadata jsonb)
  CROSS JOIN LATERAL (
    SELECT x.id
    FROM {alerts} x
    WHERE x.deal_id = n.deal_id AND x.alert_type::text = n.alert_type AND coalesce(x.resolved_at, 'infinity') = 'infinity'
    OFFSET 0
  ) o
) n
WHERE a.id = n.id AND a.user_id <> n.user_id
  AND a.status IN ('active', 'acknowledged') AND coalesce(a.resolved_at, 'infinity') = 'infinity'
RETURNING a.id, a.deal_id, a.alert_type::text
