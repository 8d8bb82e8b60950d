-- The grant is dead: the integration is switched off (its row stays). No row when somebody reconnected it meanwhile.
-- $3 the stored refresh token that Google refused.
UPDATE {crm}.google_integrations g
SET is_active = false, token_status = 'needs_reconnect', updated_at = now()
WHERE g.id = $2 AND g.user_id = $1 AND g.is_active
  AND g.refresh_token IS NOT DISTINCT FROM $3
RETURNING g.email
