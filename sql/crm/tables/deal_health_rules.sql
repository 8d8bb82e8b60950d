-- deal_health_rules: when an alert is raised. What a rule may say: docs/alerts.md.
CALL pg_temp.crm_table('deal_health_rules', 'result', 'Rules that raise alerts on deals', $columns$
    id uuid NOT NULL DEFAULT gen_random_uuid()
    rule_name text NOT NULL
    rule_type text NOT NULL -- the metric that is tested
    threshold_value numeric
    threshold_operator text
    threshold_unit text
    alert_type text -- NULL: the metric's own
    alert_severity text NOT NULL DEFAULT 'warning'
    alert_message_template text
    suggested_action_template text -- an action a line
    conditions jsonb
    is_active boolean NOT NULL DEFAULT true
    is_system_rule boolean NOT NULL DEFAULT false -- ships with the product
    created_at timestamptz NOT NULL DEFAULT now()
    updated_at timestamptz NOT NULL DEFAULT now()
$columns$, $constraints$
    CONSTRAINT deal_health_rules_pkey PRIMARY KEY (id),
    CONSTRAINT deal_health_rules_rule_name_key UNIQUE (rule_name),
    CONSTRAINT deal_health_rules_operator_known CHECK (threshold_operator IN ('>', '<', '>=', '<=', '=')),
    CONSTRAINT deal_health_rules_severity_known CHECK (alert_severity IN ('info', 'warning', 'critical'))
$constraints$);
