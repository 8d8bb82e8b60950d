-- The lowest score of each status that has one. $1 the model: deal or relationship.
SELECT c.status, c.min_score::bigint AS min_score FROM crm_health.status_cutoffs c WHERE c.model = $1 ORDER BY c.min_score DESC
