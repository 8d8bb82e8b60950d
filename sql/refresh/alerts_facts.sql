-- What rules ask about deals that have just been scored. $1 deal ids.
-- {scores}: the table deal_health_scores. {score_columns}: its metrics, NULL where it does not keep one.
SELECT t.ordinal, s.id, d.name, coalesce(nullif(btrim(d.company), ''), k.name), g.name, d.value::float8,
       CASE WHEN isfinite(d.expected_close_date) THEN d.expected_close_date - date '1970-01-01' END,
       {score_columns}
FROM unnest($1) WITH ORDINALITY AS t (deal_id, ordinal)
JOIN {scores} s ON s.deal_id = t.deal_id
JOIN {deals} d ON d.id = t.deal_id
LEFT JOIN {deal_stages} g ON g.id = d.stage_id
LEFT JOIN {companies} k ON k.id = d.company_id
