-- Writes scores where there were none. $4 the instant.
INSERT INTO {scores} (id, user_id, relationship_type, contact_id, company_id, last_calculated_at, {columns})
SELECT n.score_id, n.user_id,
       {relationship_type},
       n.contact_id, n.company_id, $4, {new_values}
FROM {scored} n
ON CONFLICT DO NOTHING
RETURNING id
