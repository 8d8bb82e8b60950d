-- deal_health_alerts: what asks for a rep's attention, until somebody acknowledges, resolves or dismisses it.
CALL pg_temp.crm_table('deal_health_alerts', 'result', 'Alerts on deals', $columns$
    id uuid NOT NULL DEFAULT gen_random_uuid()
    deal_id uuid NOT NULL
    health_score_id uuid
    user_id uuid NOT NULL -- owner of the deal
    alert_type text NOT NULL
    severity text NOT NULL DEFAULT 'warning'
    title text
    message text
    suggested_actions text[]
    action_priority text DEFAULT 'medium'
    status text NOT NULL DEFAULT 'active'
    acknowledged_at timestamptz
    acknowledged_by uuid
    resolved_at timestamptz -- when the cause was gone; a dismissed alert stays dismissed
    dismissed_at timestamptz
    metadata jsonb DEFAULT '{}'
    created_at timestamptz NOT NULL DEFAULT now()
    updated_at timestamptz NOT NULL DEFAULT now()
$columns$, $constraints$
    CONSTRAINT deal_health_alerts_pkey PRIMARY KEY (id),
    CONSTRAINT deal_health_alerts_type_known CHECK (alert_type IN (
        'stage_stall', 'sentiment_drop', 'engagement_decline', 'no_activity', 'missed_follow_up',
        'close_date_approaching', 'high_risk')),
    CONSTRAINT deal_health_alerts_severity_known CHECK (severity IN ('info', 'warning', 'critical')),
    CONSTRAINT deal_health_alerts_priority_known CHECK (action_priority IN ('low', 'medium', 'high', 'urgent')),
    CONSTRAINT deal_health_alerts_status_known CHECK (status IN ('active', 'acknowledged', 'resolved', 'dismissed'))
$constraints$, 'fillfactor = 70');
