-- Scores by user, those with the largest share in a bad state first. $1 how many, $2 after how many.
WITH counted AS (
  SELECT s.user_id, 'deal' AS kind, s.health_status::text AS status, count(*) AS scores
  FROM {deal_health_scores} s JOIN {deals} d ON d.id = s.deal_id AND d.owner_id = s.user_id AND d.status = 'active'
  GROUP BY s.user_id, s.health_status
  UNION ALL
  SELECT s.user_id, 'contact', s.health_status::text, count(*)
  FROM {relationship_health_scores} s WHERE s.contact_id IS NOT NULL
  GROUP BY s.user_id, s.health_status
)
SELECT c.user_id, coalesce(p.name, left(c.user_id::text, 8)) AS name,
       jsonb_agg(jsonb_build_object('kind', c.kind, 'status', c.status, 'scores', c.scores)) AS counts
FROM counted c
LEFT JOIN {people} p ON p.id = c.user_id
GROUP BY c.user_id, p.name
ORDER BY sum(c.scores) FILTER (WHERE c.status IN ('stalled', 'critical', 'ghost')) / sum(c.scores) DESC NULLS LAST, 2
LIMIT $1 OFFSET $2
