-- What the score tables hold, counted. $1: hours after which a score is stale. {alerts}: a branch for the alerts, or nothing.
WITH counted AS (
  SELECT 'deal' AS kind, s.health_status::text AS status, count(*) AS scores,
         count(*) FILTER (WHERE s.last_calculated_at < now() - make_interval(hours => $1)) AS stale
  FROM {deal_scores} s GROUP BY s.health_status
  UNION ALL
  SELECT CASE WHEN s.contact_id IS NULL THEN 'company' ELSE 'contact' END, s.health_status::text, count(*),
         count(*) FILTER (WHERE s.last_calculated_at < now() - make_interval(hours => $1))
  FROM {relationship_scores} s GROUP BY 1, s.health_status
)
SELECT 'crm_health_scores' AS name, jsonb_build_object('kind', c.kind, 'status', c.status) AS labels, c.scores::double precision AS value
FROM counted c
UNION ALL
SELECT 'crm_health_stale_scores', jsonb_build_object('kind', c.kind), sum(c.stale)::double precision FROM counted c GROUP BY c.kind
{alerts}
