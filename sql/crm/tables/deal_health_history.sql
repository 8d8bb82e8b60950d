-- deal_health_history: how the score of a deal went.
CALL pg_temp.crm_table('deal_health_history', 'result', 'Snapshots of deal scores, one for each change', $columns$
    id uuid NOT NULL DEFAULT gen_random_uuid()
    deal_id uuid NOT NULL
    overall_health_score integer NOT NULL -- 0 to 100
    stage_velocity_score integer
    sentiment_score integer
    engagement_score integer
    activity_score integer
    response_time_score integer
    snapshot_at timestamptz NOT NULL DEFAULT now()
$columns$, $constraints$
    CONSTRAINT deal_health_history_pkey PRIMARY KEY (id)
$constraints$);
