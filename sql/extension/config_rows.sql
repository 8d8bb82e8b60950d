-- The configuration that ships.

INSERT INTO crm_health.settings (name, value, description, shipped) VALUES
  ('active_window_days', '7', 'users whose last login is at most so many days ago are refreshed by the daily job', true),
  ('default_max_age_hours', '24', 'the daily job computes scores older than this', true),
  ('crm_schema', 'public', 'schema of the CRM''s tables or views', true),
  ('trusted_roles', 'service_role', 'roles, separated by commas, whose members may refresh and read everyone''s scores', true),
  ('run_log_retention_days', '90', 'runs older than this leave the run log', true),
  ('history_retention_days', '365', 'score history older than this is deleted; older than 7 days, one snapshot a day is kept', true),
  ('notification_retention_days', '90', 'notifications older than this leave the outbox, delivered or not', true),
  ('alert_quiet_days', '14', 'a dismissed alert stays quiet for so many days, unless it worsens', true),
  ('refresh_batch_users', '20', 'users whose scores are computed in one statement and committed together', true),
  ('ghost_model', 'calibrated', 'how ghost risk is decided: calibrated (a fitted probability of silence) or rules', true),
  ('ghost_cutoff', '0.5', 'the probability, 0 to 1, from which the calibrated model sees a ghost risk', true);

INSERT INTO crm_health.stage_thresholds (stage, optimal_days, warning_days, critical_days, shipped) VALUES
  ('SQL', 7, 14, 30, true),
  ('Opportunity', 14, 21, 45, true),
  ('Verbal', 7, 14, 21, true),
  ('Signed', 0, 0, 0, true),
  ('*', 14, 21, 30, true);

INSERT INTO crm_health.signal_weights (model, signal, weight, shipped) VALUES
  ('deal', 'stage_velocity', 0.30, true),
  ('deal', 'sentiment', 0.25, true),
  ('deal', 'engagement', 0.20, true),
  ('deal', 'activity', 0.15, true),
  ('deal', 'response_time', 0.10, true),
  ('relationship', 'communication_frequency', 0.25, true),
  ('relationship', 'response_behavior', 0.30, true),
  ('relationship', 'engagement_quality', 0.20, true),
  ('relationship', 'sentiment', 0.15, true),
  ('relationship', 'meeting_pattern', 0.10, true);

INSERT INTO crm_health.status_cutoffs (model, status, min_score, shipped) VALUES
  ('deal', 'healthy', 75, true),
  ('deal', 'warning', 50, true),
  ('deal', 'critical', 25, true),
  ('relationship', 'healthy', 70, true),
  ('relationship', 'at_risk', 50, true);

SELECT pg_catalog.pg_extension_config_dump('crm_health.settings', 'WHERE changed_at IS NOT NULL');
SELECT pg_catalog.pg_extension_config_dump('crm_health.stage_thresholds', 'WHERE changed_at IS NOT NULL');
SELECT pg_catalog.pg_extension_config_dump('crm_health.signal_weights', 'WHERE changed_at IS NOT NULL');
SELECT pg_catalog.pg_extension_config_dump('crm_health.status_cutoffs', 'WHERE changed_at IS NOT NULL');
