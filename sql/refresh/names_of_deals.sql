-- $1 deal ids.
SELECT d.id, nullif(btrim(d.name), '') FROM {deals} d WHERE d.id = ANY ($1)
