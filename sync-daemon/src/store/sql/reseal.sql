-- Rewrites the tokens of one row under the current key, unless someone changed them meanwhile.
UPDATE {crm}.google_integrations g
SET access_token = $4, refresh_token = $6
WHERE g.id = $2 AND g.user_id = $1
  AND g.access_token IS NOT DISTINCT FROM $3 AND g.refresh_token IS NOT DISTINCT FROM $5
