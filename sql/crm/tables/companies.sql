-- companies: the accounts. A company is scored through the contacts it has.
CALL pg_temp.crm_table('companies', 'source', 'The accounts that the team sells to', $columns$
    id uuid NOT NULL DEFAULT gen_random_uuid()
    name text NOT NULL
    domain text -- of its website and mail addresses
    owner_id uuid -- profiles.id of the rep who looks after it
    created_at timestamptz NOT NULL DEFAULT now()
    updated_at timestamptz NOT NULL DEFAULT now()
$columns$, $constraints$
    CONSTRAINT companies_pkey PRIMARY KEY (id)
$constraints$);
