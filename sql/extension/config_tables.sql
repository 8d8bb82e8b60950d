-- What a deployment may change. Rows that ship are marked, and those that the user changed or added
-- have changed_at: pg_dump carries exactly these.

CREATE TABLE crm_health.settings (
  name        text PRIMARY KEY,
  value       text NOT NULL,
  description text NOT NULL DEFAULT '',
  shipped     boolean NOT NULL DEFAULT false,
  changed_at  timestamptz,
  CONSTRAINT settings_name_is_known CHECK (name IN (
    'active_window_days', 'default_max_age_hours', 'crm_schema', 'trusted_roles',
    'run_log_retention_days', 'history_retention_days', 'refresh_batch_users', 'ghost_model',
    'ghost_cutoff', 'notification_retention_days', 'alert_quiet_days')),
  CONSTRAINT settings_active_window_days_is_1_to_3650 CHECK (
    name <> 'active_window_days' OR (value ~ '^[0-9]{1,4}$' AND value::integer BETWEEN 1 AND 3650)),
  CONSTRAINT settings_default_max_age_hours_is_0_to_876600 CHECK (
    name <> 'default_max_age_hours' OR (value ~ '^[0-9]{1,6}$' AND value::integer <= 876600)),
  CONSTRAINT settings_crm_schema_is_a_name CHECK (
    name <> 'crm_schema' OR (value <> '' AND octet_length(value) <= 63)),
  CONSTRAINT settings_run_log_retention_days_is_1_to_36500 CHECK (
    name <> 'run_log_retention_days' OR (value ~ '^[0-9]{1,5}$' AND value::integer BETWEEN 1 AND 36500)),
  CONSTRAINT settings_history_retention_days_is_7_to_36500 CHECK (
    name <> 'history_retention_days' OR (value ~ '^[0-9]{1,5}$' AND value::integer BETWEEN 7 AND 36500)),
  CONSTRAINT settings_notification_retention_days_is_1_to_36500 CHECK (
    name <> 'notification_retention_days' OR (value ~ '^[0-9]{1,5}$' AND value::integer BETWEEN 1 AND 36500)),
  CONSTRAINT settings_alert_quiet_days_is_0_to_3650 CHECK (
    name <> 'alert_quiet_days' OR (value ~ '^[0-9]{1,4}$' AND value::integer <= 3650)),
  CONSTRAINT settings_refresh_batch_users_is_1_to_1000 CHECK (
    name <> 'refresh_batch_users' OR (value ~ '^[0-9]{1,4}$' AND value::integer BETWEEN 1 AND 1000)),
  CONSTRAINT settings_ghost_model_is_known CHECK (
    name <> 'ghost_model' OR value IN ('calibrated', 'rules')),
  CONSTRAINT settings_ghost_cutoff_is_0_to_1 CHECK (
    name <> 'ghost_cutoff' OR (value ~ '^[0-9]{1,3}([.][0-9]{1,9})?$' AND value::numeric BETWEEN 0 AND 1))
);
COMMENT ON TABLE crm_health.settings IS 'Settings; a change takes effect at the next call';

CREATE TABLE crm_health.stage_thresholds (
  stage         text PRIMARY KEY,
  optimal_days  integer NOT NULL,
  warning_days  integer NOT NULL,
  critical_days integer NOT NULL,
  shipped       boolean NOT NULL DEFAULT false,
  changed_at    timestamptz,
  CONSTRAINT stage_thresholds_stage_is_named CHECK (stage <> ''),
  CONSTRAINT stage_thresholds_days_ascend CHECK (
    0 <= optimal_days AND optimal_days <= warning_days
    AND warning_days <= critical_days AND critical_days <= 36500)
);
COMMENT ON TABLE crm_health.stage_thresholds IS 'Days in a stage up to which a deal moves well (optimal), slowly (warning), too slowly (critical). Stage * is every stage without a row of its own';

CREATE TABLE crm_health.signal_weights (
  model      text NOT NULL,
  signal     text NOT NULL,
  weight     numeric(7, 4) NOT NULL,
  shipped    boolean NOT NULL DEFAULT false,
  changed_at timestamptz,
  PRIMARY KEY (model, signal),
  CONSTRAINT signal_weights_signal_is_known CHECK (
    (model = 'deal' AND signal IN ('stage_velocity', 'sentiment', 'engagement', 'activity', 'response_time'))
    OR (model = 'relationship' AND signal IN ('communication_frequency', 'response_behavior',
                                              'engagement_quality', 'sentiment', 'meeting_pattern'))),
  CONSTRAINT signal_weights_weight_is_0_to_100 CHECK (weight BETWEEN 0 AND 100)
);
COMMENT ON TABLE crm_health.signal_weights IS 'What each signal counts for in the overall score, relative to the others of its model';

CREATE TABLE crm_health.status_cutoffs (
  model      text NOT NULL,
  status     text NOT NULL,
  min_score  integer NOT NULL,
  shipped    boolean NOT NULL DEFAULT false,
  changed_at timestamptz,
  PRIMARY KEY (model, status),
  CONSTRAINT status_cutoffs_status_is_known CHECK (
    (model = 'deal' AND status IN ('healthy', 'warning', 'critical'))
    OR (model = 'relationship' AND status IN ('healthy', 'at_risk'))),
  CONSTRAINT status_cutoffs_min_score_is_0_to_100 CHECK (min_score BETWEEN 0 AND 100)
);
COMMENT ON TABLE crm_health.status_cutoffs IS 'The lowest overall score of each status. Below all of them a deal is stalled, a relationship critical';
