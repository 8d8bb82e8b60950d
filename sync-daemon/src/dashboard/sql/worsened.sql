-- What lost most points within a week, by the history. $1 how many, $2 after how many, $3 users (NULL: all).
WITH change AS (
  SELECT 'deal' AS kind, s.deal_id AS id, s.user_id, s.overall_health_score::bigint AS score, s.health_status::text AS status,
         b.score AS before, b.at AS before_at
  FROM {deal_health_scores} s
  JOIN {deals} d ON d.id = s.deal_id AND d.status = 'active'
  CROSS JOIN LATERAL (
    SELECT h.overall_health_score::bigint AS score, h.snapshot_at AS at FROM {deal_health_history} h
    WHERE h.deal_id = s.deal_id AND h.snapshot_at <= now() - interval '7 days'
    ORDER BY h.snapshot_at DESC LIMIT 1) b
  WHERE s.health_status <> 'healthy' AND b.score > s.overall_health_score::bigint
    AND ($3::uuid[] IS NULL OR s.user_id = ANY ($3))
  UNION ALL
  SELECT 'contact', s.contact_id, s.user_id, s.overall_health_score::bigint, s.health_status::text, b.score, b.at
  FROM {relationship_health_scores} s
  CROSS JOIN LATERAL (
    SELECT h.overall_health_score::bigint AS score, h.snapshot_at AS at FROM {relationship_health_history} h
    WHERE h.relationship_health_id = s.id AND h.snapshot_at <= now() - interval '7 days'
    ORDER BY h.snapshot_at DESC LIMIT 1) b
  WHERE s.contact_id IS NOT NULL AND s.health_status <> 'healthy' AND b.score > s.overall_health_score::bigint
    AND ($3::uuid[] IS NULL OR s.user_id = ANY ($3))
), worst AS (
  SELECT * FROM change c ORDER BY c.before - c.score DESC, c.score, c.id LIMIT $1 OFFSET $2
)
SELECT w.kind, w.id, coalesce(d.name, c.name) AS name, p.name AS rep, w.score, w.status, w.before, w.before_at
FROM worst w
LEFT JOIN {deal_facts} d ON w.kind = 'deal' AND d.id = w.id
LEFT JOIN {contact_facts} c ON w.kind = 'contact' AND c.id = w.id
LEFT JOIN {people} p ON p.id = w.user_id
ORDER BY w.before - w.score DESC, w.score, w.id
