-- relationship_health_history: how the score of a relationship went, and why the snapshot was taken.
CALL pg_temp.crm_table('relationship_health_history', 'result', 'Snapshots of relationship scores, one for each change', $columns$
    id uuid NOT NULL DEFAULT gen_random_uuid()
    relationship_health_id uuid NOT NULL
    user_id uuid NOT NULL
    overall_health_score integer NOT NULL -- 0 to 100
    health_status text
    communication_frequency_score integer
    response_behavior_score integer
    engagement_quality_score integer
    sentiment_score integer
    meeting_pattern_score integer
    is_ghost_risk boolean
    ghost_probability_percent integer
    snapshot_at timestamptz NOT NULL DEFAULT now()
    snapshot_reason text
    changes_from_previous jsonb
$columns$, $constraints$
    CONSTRAINT relationship_health_history_pkey PRIMARY KEY (id),
    CONSTRAINT relationship_health_history_reason_known CHECK (snapshot_reason IN (
        'scheduled', 'major_change', 'ghost_detected', 'recovery', 'manual_refresh', 'alert_triggered', 'intervention_sent'))
$constraints$);
