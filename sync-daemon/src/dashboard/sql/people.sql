(SELECT x.id, x.name
 FROM (VALUES (NULL::text, NULL::text, NULL::text)) absent (email, first_name, last_name)
 CROSS JOIN LATERAL (
   SELECT id, coalesce(nullif(concat_ws(' ', first_name, last_name), ''), nullif(email, ''), 'user ' || left(id::text, 8)) AS name
   FROM {profiles}) x)
