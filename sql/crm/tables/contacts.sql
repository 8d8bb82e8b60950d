-- contacts: whom a relationship is with. Each contact belongs to one rep.
CALL pg_temp.crm_table('contacts', 'source', 'The people that the team is in touch with', $columns$
    id uuid NOT NULL DEFAULT gen_random_uuid()
    email text -- mail is matched by this address, whatever its case
    first_name text
    last_name text
    full_name text
    company_id uuid
    owner_id uuid NOT NULL -- profiles.id of the rep whose relationship it is
    created_at timestamptz NOT NULL DEFAULT now()
    updated_at timestamptz NOT NULL DEFAULT now()
$columns$, $constraints$
    CONSTRAINT contacts_pkey PRIMARY KEY (id)
$constraints$);
