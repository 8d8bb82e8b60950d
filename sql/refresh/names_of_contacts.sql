-- $1 contact and company ids.
SELECT c.id, coalesce(nullif(btrim(c.full_name), ''), nullif(btrim(concat_ws(' ', c.first_name, c.last_name)), ''), c.email)
FROM {contacts} c WHERE c.id = ANY ($1)
UNION ALL
SELECT k.id, nullif(btrim(k.name), '') FROM {companies} k WHERE k.id = ANY ($1)
