-- What 0.2.0 adds to 0.1.0 and changes in it, in the order of extension/src/sql.rs. docs/development.md says which
-- change needs which line; `make upgrade-check` names what is missing.

\constraint config_tables.sql crm_health.settings settings_name_is_known settings_notification_retention_days_is_1_to_36500 settings_alert_quiet_days_is_0_to_3650
\setting notification_retention_days alert_quiet_days
\create config_kept.sql crm_health.disordered_cutoffs
\replace config_kept.sql crm_health.mark_config_change keep_config_change check_cutoffs
\create gather.sql
\replace ghost_functions.sql crm_health.use_ghost_model
\replace deal_functions.sql crm_health.use_deal_model
\create deal_owners.sql
\create citus.sql
\create notifications.sql
\create alerts.sql
\create contact_data.sql
\create replay.sql
\replace runs.sql crm_health.run_progress
\replace refresh_active_users.sql crm_health.refresh_active_users
\create schedule.sql crm_health.jobs crm_health.other_cron_database
\replace schedule.sql crm_health.purge crm_health.schedule crm_health.unschedule crm_health.require_pg_cron
\replace check_install.sql crm_health.check_install crm_health.crm_relation
\create check_tables.sql
\replace check_indexes.sql
\create metrics.sql

-- Grants on new objects alone: what was granted or revoked on the others is the deployment's own.
\create default_privileges.sql
DO $$
DECLARE
  v_role text;
BEGIN
  FOR v_role IN SELECT r.rolname FROM pg_catalog.pg_roles r WHERE r.rolname IN ('authenticated', 'service_role') LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION crm_health.acknowledge_alert(uuid), crm_health.dismiss_alert(uuid), crm_health.export_contact(uuid), crm_health.forget_contact(uuid), crm_health.replay(uuid, timestamptz, timestamptz, interval), crm_health.fill_history(uuid, timestamptz, timestamptz, interval) TO %I', v_role);
  END LOOP;
  IF EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = 'service_role') THEN
    GRANT EXECUTE ON FUNCTION crm_health.post_notification(text, uuid, text, text, text, text, text, text, jsonb) TO service_role;
    GRANT SELECT ON crm_health.notifications, crm_health.recent_notifications TO service_role;
  END IF;
END
$$;
