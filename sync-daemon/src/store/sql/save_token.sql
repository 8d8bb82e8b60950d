-- Compare and set: stores a refreshed access token only over the one it replaces. $1 user, $2 integration,
-- $3 the stored access token we read, $4 the new one, $5 seconds it lives, $6 the stored refresh token re-encrypted
-- (NULL: leave it), $7 the stored refresh token we read.
UPDATE {crm}.google_integrations g
SET access_token = $4, expires_at = now() + make_interval(secs => $5),
    refresh_token = coalesce($6, g.refresh_token),
    token_status = 'valid', last_token_refresh = now(), updated_at = now()
WHERE g.id = $2 AND g.user_id = $1 AND g.is_active
  AND g.access_token IS NOT DISTINCT FROM $3
  AND g.refresh_token IS NOT DISTINCT FROM $7
