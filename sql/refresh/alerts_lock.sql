-- Locks the alerts that end or may change hands, all in one order: after deals were handed over both ways, two refreshes
-- would wait for each other. $1 alerts that end, $2 deals for which alerts are raised. {alerts}: the table deal_health_alerts.
-- Deal by deal as in alerts_take_over.sql.
SELECT a.id
FROM {alerts} a
WHERE a.id = ANY (ARRAY(
  SELECT c.id FROM unnest($1::uuid[]) AS c (id)
  UNION
  SELECT o.id
  FROM unnest($2::uuid[]) AS n (deal_id)
  CROSS JOIN LATERAL (
    SELECT x.id
    FROM {alerts} x
    WHERE x.deal_id = n.deal_id AND coalesce(x.resolved_at, 'infinity') = 'infinity'
    OFFSET 0
  ) o
))
ORDER BY a.id
FOR UPDATE
