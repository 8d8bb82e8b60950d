-- ghost_detection_signals: what points to a contact going silent, open until it no longer holds.
CALL pg_temp.crm_table('ghost_detection_signals', 'result', 'Signals that a contact is going silent', $columns$
    id uuid NOT NULL DEFAULT gen_random_uuid()
    relationship_health_id uuid NOT NULL
    user_id uuid NOT NULL
    signal_type text NOT NULL
    severity text NOT NULL
    signal_context text
    signal_data jsonb
    detected_at timestamptz NOT NULL DEFAULT now()
    resolved_at timestamptz -- NULL as long as the signal holds
$columns$, $constraints$
    CONSTRAINT ghost_detection_signals_pkey PRIMARY KEY (id),
    CONSTRAINT ghost_detection_signals_type_known CHECK (signal_type IN (
        'email_no_response', 'response_time_increased', 'email_opens_declined', 'meeting_rescheduled_repeatedly',
        'sentiment_declining', 'thread_dropout', 'engagement_pattern_break')),
    CONSTRAINT ghost_detection_signals_severity_known CHECK (severity IN ('low', 'medium', 'high', 'critical'))
$constraints$, 'fillfactor = 70');
