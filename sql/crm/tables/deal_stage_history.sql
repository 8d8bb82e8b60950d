-- deal_stage_history: which stage and status a deal had since when. Kept by a trigger of deals.
CALL pg_temp.crm_table('deal_stage_history', 'result', 'Each stage and status of each deal, one row for each change', $columns$
    id uuid NOT NULL DEFAULT gen_random_uuid()
    deal_id uuid NOT NULL
    owner_id uuid
    stage_id uuid
    status text
    entered_at timestamptz NOT NULL
    recorded_at timestamptz NOT NULL DEFAULT now() -- later than entered_at where it was seeded from the dates on the deal
$columns$, $constraints$
    CONSTRAINT deal_stage_history_pkey PRIMARY KEY (id)
$constraints$);
