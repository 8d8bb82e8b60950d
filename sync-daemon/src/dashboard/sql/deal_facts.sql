(SELECT x.*
 FROM (VALUES (NULL::text, NULL::text, NULL::date)) absent (name, company, expected_close_date)
 CROSS JOIN LATERAL (
   SELECT id, owner_id, coalesce(nullif(name, ''), 'deal ' || left(id::text, 8)) AS name, company::text AS company,
          value::double precision AS value, status::text AS status, stage_id, expected_close_date
   FROM {deals}) x)
