-- Stores the grant of a consent. The same mailbox connected again takes its row over.
INSERT INTO {crm}.google_integrations
    (user_id, email, access_token, refresh_token, expires_at, scopes, is_active, token_status, last_token_refresh)
VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5), $6, true, 'valid', now())
ON CONFLICT (user_id, email) DO UPDATE
SET access_token = excluded.access_token, refresh_token = excluded.refresh_token,
    expires_at = excluded.expires_at, scopes = excluded.scopes, is_active = true,
    token_status = 'valid', last_token_refresh = now(), updated_at = now()
RETURNING id
