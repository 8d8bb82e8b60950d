SELECT g.is_active, g.access_token, g.refresh_token,
       extract(epoch FROM g.expires_at - now())::double precision AS token_seconds_left
FROM {crm}.google_integrations g
WHERE g.id = $2 AND g.user_id = $1
