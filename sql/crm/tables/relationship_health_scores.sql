-- relationship_health_scores: the newest score of each relationship, with a contact or with a company.
-- Updated in place like deal_health_scores: see there for the storage settings.
CALL pg_temp.crm_table('relationship_health_scores', 'result', 'The score of each relationship, written by refresh_relationship_health_scores', $columns$
    id uuid NOT NULL DEFAULT gen_random_uuid()
    user_id uuid NOT NULL -- the rep whose relationship it is
    relationship_type text NOT NULL -- contact or company
    contact_id uuid
    company_id uuid
    overall_health_score integer NOT NULL -- 0 to 100
    health_status text NOT NULL
    risk_level text -- low, medium, high, critical
    communication_frequency_score integer -- 0 to 100
    response_behavior_score integer -- 0 to 100
    engagement_quality_score integer -- 0 to 100
    sentiment_score integer -- 0 to 100
    meeting_pattern_score integer -- 0 to 100
    days_since_last_contact integer -- whole days
    days_since_last_response integer -- whole days
    avg_response_time_hours numeric
    response_rate_percent integer
    email_open_rate_percent integer
    meeting_count_30_days integer
    email_count_30_days integer
    total_interactions_30_days integer
    baseline_response_time_hours numeric
    baseline_contact_frequency_days numeric
    baseline_meeting_frequency_days numeric
    is_ghost_risk boolean NOT NULL DEFAULT false
    ghost_signals jsonb
    ghost_probability_percent integer
    days_until_predicted_ghost integer
    sentiment_trend text -- improving, stable, declining, unknown
    avg_sentiment_last_3_interactions numeric -- -1 to 1
    risk_factors text[]
    last_meaningful_interaction jsonb -- type, date, direction, subject
    related_deals_count integer
    total_deal_value numeric
    at_risk_deal_value numeric -- value of those deals that are critical or stalled
    last_calculated_at timestamptz NOT NULL DEFAULT now() -- the instant that the score is as of
    created_at timestamptz NOT NULL DEFAULT now()
    updated_at timestamptz NOT NULL DEFAULT now()
$columns$, $constraints$
    CONSTRAINT relationship_health_scores_pkey PRIMARY KEY (id),
    CONSTRAINT relationship_health_scores_overall_range CHECK (overall_health_score BETWEEN 0 AND 100),
    CONSTRAINT relationship_health_scores_status_known CHECK (health_status IN ('healthy', 'at_risk', 'critical', 'ghost')),
    CONSTRAINT relationship_health_scores_one_counterpart CHECK (
        CASE relationship_type WHEN 'contact' THEN contact_id IS NOT NULL AND company_id IS NULL
                               WHEN 'company' THEN company_id IS NOT NULL AND contact_id IS NULL
                               ELSE false END)
$constraints$, 'fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.2');
