-- Writes scores in the place of others. Each value is asked for by the id of the row: the rows of
-- a source beside the table would be carried along whole. $1 the instant, $2 which rows, by {key}.
UPDATE {scores} s
SET {assignments},
    last_calculated_at = $1{updated_at}
WHERE s.{key} = ANY ($2) AND crm_health.is_scored(s.id, s.user_id)
