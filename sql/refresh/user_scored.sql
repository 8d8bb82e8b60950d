-- The scores that a refresh has just made, as far as they belong to {part}; a subquery. {computed}: as the columns of the table.
(
  SELECT s.user_id, s.contact_id, s.company_id, s.score_id, s.is_new,
         s.previous_score, s.previous_status, s.previous_ghost_risk,
         s.overall_health_score AS new_score, s.health_status AS new_status, s.is_ghost_risk AS new_ghost_risk,
         {computed}
  FROM crm_health.scored_relationships('{part}') s
  CROSS JOIN LATERAL (SELECT s.*) g
)
