-- profiles: the reps. last_login_at says who is active, which is whom the scheduled refresh serves.
CALL pg_temp.crm_table('profiles', 'source', 'The members of the team, one row for each user', $columns$
    id uuid NOT NULL DEFAULT gen_random_uuid() -- the user, as in the JWT subject
    email text
    first_name text
    last_name text
    last_login_at timestamptz -- newest login; kept from auth.users where that table exists
    is_admin boolean NOT NULL DEFAULT false
    created_at timestamptz NOT NULL DEFAULT now()
    updated_at timestamptz NOT NULL DEFAULT now()
$columns$, $constraints$
    CONSTRAINT profiles_pkey PRIMARY KEY (id)
$constraints$);
