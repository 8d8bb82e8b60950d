(SELECT x.*
 FROM (VALUES (NULL::text, NULL::text, NULL::date)) absent (name, company, expected_close_date)
 CROSS JOIN LATERAL (
   SELECT id, owner_id, coalesce(nullif(name, ''), 'deal ' || left(id::text, 8)) AS name, company::text AS company,
          -- JSON has neither NaN nor infinity.
          CASE WHEN abs(value::double precision) < 'infinity' THEN value::double precision END AS value, status::text AS status, stage_id,
          split_part(to_json(expected_close_date) #>> '{}', 'T', 1) AS expected_close_date
   FROM {deals}) x)
