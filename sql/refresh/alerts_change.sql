-- Alerts that now say something else. $1 what they say, $2 the instant. {alerts}: the table deal_health_alerts.
-- One that somebody acknowledged or dismissed meanwhile waits for the next refresh. The test for open alerts is one that no
-- statistics tell of: taken for few, all that are open would be read for each.
UPDATE {alerts} a
SET severity = {severity}, title = n.title, message = n.message, suggested_actions = {suggested_actions},
    action_priority = {action_priority}, health_score_id = n.score_id, metadata = coalesce(a.metadata, jsonb_build_object()) || n.metadata, updated_at = $2,
    status = CASE WHEN n.worsened THEN 'active' ELSE a.status END,
    acknowledged_at = CASE WHEN n.worsened THEN NULL ELSE a.acknowledged_at END,
    acknowledged_by = CASE WHEN n.worsened THEN NULL ELSE a.acknowledged_by END
FROM jsonb_to_recordset($1) AS n (
  id uuid, status text, worsened boolean, score_id uuid, severity text, title text, message text,
  suggested_actions text[], priority text, metadata jsonb)
WHERE a.id = n.id AND a.status::text = n.status AND coalesce(a.resolved_at, 'infinity') = 'infinity'
RETURNING a.id, a.deal_id, a.alert_type::text
