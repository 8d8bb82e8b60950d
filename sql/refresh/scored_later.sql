-- Scores that are as of a later instant. $1 user ids, $2 the instant. {scores}: the score table. {id}: whose they are.
SELECT {id} FROM {scores} s WHERE s.user_id = ANY ($1) AND s.last_calculated_at > $2
