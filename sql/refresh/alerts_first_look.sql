-- Users whose deals were scored before there were rules, and who never had an alert. $1 user ids.
-- {alerts}, {rules}, {scores}: the tables deal_health_alerts, deal_health_rules and deal_health_scores.
SELECT u.id
FROM unnest($1) AS u (id)
WHERE EXISTS (
    SELECT FROM {scores} s
    WHERE s.user_id = u.id AND s.created_at < (SELECT min(r.created_at) FROM {rules} r))
  AND NOT EXISTS (
    SELECT FROM {scores} s JOIN {alerts} a ON a.deal_id = s.deal_id WHERE s.user_id = u.id)
