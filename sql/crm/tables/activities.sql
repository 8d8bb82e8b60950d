-- activities: what a rep did for a deal, as logged in the CRM.
CALL pg_temp.crm_table('activities', 'source', 'Calls, tasks, proposals and notes of the reps', $columns$
    id uuid NOT NULL DEFAULT gen_random_uuid()
    user_id uuid NOT NULL -- profiles.id of the rep
    type text
    deal_id uuid
    contact_id uuid
    company_id uuid
    subject text
    date timestamptz -- when it is due or was done, as the CRM shows it
    created_at timestamptz NOT NULL DEFAULT now() -- the instant that counts for the score
$columns$, $constraints$
    CONSTRAINT activities_pkey PRIMARY KEY (id)
$constraints$);
