-- The grant is dead: the integration is switched off (its row stays) and listeners are told, once. Nothing happens
-- when somebody reconnected it meanwhile. $3 the stored refresh token that Google refused.
WITH off AS (
    UPDATE {crm}.google_integrations g
    SET is_active = false, token_status = 'needs_reconnect', updated_at = now()
    WHERE g.id = $2 AND g.user_id = $1 AND g.is_active
      AND g.refresh_token IS NOT DISTINCT FROM $3
    RETURNING g.user_id, g.id
)
SELECT pg_notify('crm_health', json_build_object(
    'event', 'mailbox_reconnect', 'user_id', off.user_id, 'integration_id', off.id)::text)::text
FROM off
