-- google_integrations: the mailboxes. Tokens are for the sync daemon alone: see grants.sql.
CALL pg_temp.crm_table('google_integrations', 'source', 'Mailboxes that the reps connected', $columns$
    id uuid NOT NULL DEFAULT gen_random_uuid()
    user_id uuid NOT NULL -- profiles.id of the rep
    email text NOT NULL -- address of the mailbox
    access_token text
    refresh_token text
    expires_at timestamptz -- of the access token
    scopes text
    is_active boolean NOT NULL DEFAULT true
    token_status text NOT NULL DEFAULT 'valid'
    last_token_refresh timestamptz
    created_at timestamptz NOT NULL DEFAULT now()
    updated_at timestamptz NOT NULL DEFAULT now()
$columns$, $constraints$
    CONSTRAINT google_integrations_pkey PRIMARY KEY (id),
    CONSTRAINT google_integrations_token_status_known CHECK (token_status IN (
        'valid', 'expired', 'revoked', 'needs_reconnect'))
$constraints$);
