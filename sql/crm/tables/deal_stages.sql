-- deal_stages: the pipeline. Only a table created here gets the usual stages: an existing pipeline is its team's own.
CALL pg_temp.crm_table('deal_stages', 'source', 'The stages of the pipeline, in order', $columns$
    id uuid NOT NULL DEFAULT gen_random_uuid()
    name text NOT NULL -- thresholds are looked up by this name
    order_position integer
    default_probability integer -- percent
    is_final boolean NOT NULL DEFAULT false -- deals in a final stage are not scored
$columns$, $constraints$
    CONSTRAINT deal_stages_pkey PRIMARY KEY (id),
    CONSTRAINT deal_stages_name_key UNIQUE (name),
    CONSTRAINT deal_stages_default_probability_percent CHECK (default_probability BETWEEN 0 AND 100)
$constraints$);

DO $$
BEGIN
    IF pg_temp.crm_was_created('deal_stages') THEN
        EXECUTE pg_catalog.format($insert$
            INSERT INTO %I.deal_stages (name, order_position, default_probability, is_final) VALUES
                ('SQL', 1, 20, false),
                ('Opportunity', 2, 40, false),
                ('Verbal', 3, 75, false),
                ('Signed', 4, 100, true),
                ('Lost', 5, 0, true)$insert$, pg_temp.crm_schema());
    END IF;
END
$$;
