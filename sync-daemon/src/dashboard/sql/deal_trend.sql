SELECT h.snapshot_at AS at, h.overall_health_score::bigint AS score
FROM {deal_health_history} h WHERE h.deal_id = $1 ORDER BY h.snapshot_at DESC LIMIT 400
