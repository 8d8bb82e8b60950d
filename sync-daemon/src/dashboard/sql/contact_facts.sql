(SELECT x.*
 FROM (VALUES (NULL::text, NULL::text, NULL::text)) absent (full_name, first_name, last_name)
 CROSS JOIN LATERAL (
   SELECT id, owner_id,
          coalesce(nullif(full_name, ''), nullif(concat_ws(' ', first_name, last_name), ''), nullif(email, ''),
                   'contact ' || left(id::text, 8)) AS name, email::text AS email
   FROM {contacts}) x)
