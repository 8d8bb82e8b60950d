-- {history}: the table relationship_health_history. {columns}, {values}: those of its columns that are there.
,
snapshot AS (
  INSERT INTO {history} ({columns})
  SELECT {values}
  FROM scored n
  JOIN (SELECT id FROM updated UNION ALL SELECT id FROM inserted) w ON w.id = n.score_id
  WHERE n.previous_score IS DISTINCT FROM n.new_score
     OR n.previous_status IS DISTINCT FROM n.new_status
     OR n.previous_ghost_risk IS DISTINCT FROM n.new_ghost_risk
  RETURNING 1
)
