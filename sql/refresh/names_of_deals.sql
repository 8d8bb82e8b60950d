-- $1 deal ids.
SELECT d.id, d.name FROM {deals} d WHERE d.id = ANY ($1)
