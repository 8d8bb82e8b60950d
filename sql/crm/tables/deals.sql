-- deals: what is scored. status is free text, for teams have their own words; only "active" deals are scored.
CALL pg_temp.crm_table('deals', 'source', 'The deals of the team, open and closed', $columns$
    id uuid NOT NULL DEFAULT gen_random_uuid()
    name text
    company text -- name of the account, where company_id is not kept
    value numeric(12,2)
    stage_id uuid
    owner_id uuid NOT NULL -- profiles.id of the rep
    status text NOT NULL DEFAULT 'active' -- only deals that say active are scored
    created_at timestamptz NOT NULL DEFAULT now()
    updated_at timestamptz NOT NULL DEFAULT now()
    stage_changed_at timestamptz -- the days in the stage count from here, else from created_at
    primary_contact_id uuid
    company_id uuid
    expected_close_date date
    closed_won_date date
    closed_lost_date date
$columns$, $constraints$
    CONSTRAINT deals_pkey PRIMARY KEY (id)
$constraints$);
