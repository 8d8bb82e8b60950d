-- The worst scores with their reasons. $1 users (NULL: all), $2 how many, $3 after how many.
SELECT a.kind, a.id, a.name, a.health_score AS score, a.health_status AS status, a.reasons, p.name AS rep,
       CASE WHEN abs(a.deal_value::double precision) < 'infinity' THEN a.deal_value::double precision END AS value
FROM crm_health.needs_attention($1::uuid[], ($2 + $3)::integer) WITH ORDINALITY a
LEFT JOIN {people} p ON p.id = a.user_id
WHERE a.ordinality > $3
ORDER BY a.ordinality
