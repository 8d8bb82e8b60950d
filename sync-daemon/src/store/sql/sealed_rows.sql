-- All stored tokens, for a rotation of the key, in pages by id.
SELECT g.id, g.user_id, g.access_token, g.refresh_token
FROM {crm}.google_integrations g
WHERE g.id > $1
ORDER BY g.id
LIMIT 200
