-- Ends rows of ghost signals that hold no more. $1 their ids, $2 the instant.
UPDATE {rows} g
SET resolved_at = $2
WHERE g.id = ANY ($1)
