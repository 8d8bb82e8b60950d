-- Stores the grant of a consent. The same mailbox connected again takes its row over, however its address was spelled.
WITH known AS (
    UPDATE {crm}.google_integrations g
    SET access_token = $3, refresh_token = $4, expires_at = now() + make_interval(secs => $5), scopes = $6,
        is_active = true, token_status = 'valid', last_token_refresh = now(), updated_at = now()
    WHERE g.id = (SELECT o.id FROM {crm}.google_integrations o
                  WHERE o.user_id = $1 AND lower(o.email::text) = lower($2)
                  ORDER BY o.is_active DESC, o.id LIMIT 1)
      AND g.user_id = $1
    RETURNING g.id
), added AS (
    INSERT INTO {crm}.google_integrations
        (user_id, email, access_token, refresh_token, expires_at, scopes, is_active, token_status, last_token_refresh)
    SELECT $1, $2, $3, $4, now() + make_interval(secs => $5), $6, true, 'valid', now()
    WHERE NOT EXISTS (SELECT 1 FROM known)
    ON CONFLICT (user_id, email) DO UPDATE
    SET access_token = excluded.access_token, refresh_token = excluded.refresh_token,
        expires_at = excluded.expires_at, scopes = excluded.scopes, is_active = true,
        token_status = 'valid', last_token_refresh = now(), updated_at = now()
    RETURNING id
)
SELECT id FROM known UNION ALL SELECT id FROM added
