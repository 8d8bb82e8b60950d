-- What the app does with an alert, and what a rule must be.

CREATE FUNCTION crm_health.acknowledge_alert(p_alert_id uuid) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off
AS 'MODULE_PATHNAME', 'acknowledge_alert';
COMMENT ON FUNCTION crm_health.acknowledge_alert(uuid)
  IS 'Marks an active alert as seen, and returns the status it has then';
REVOKE ALL ON FUNCTION crm_health.acknowledge_alert(uuid) FROM PUBLIC;

CREATE FUNCTION crm_health.dismiss_alert(p_alert_id uuid) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off
AS 'MODULE_PATHNAME', 'dismiss_alert';
COMMENT ON FUNCTION crm_health.dismiss_alert(uuid)
  IS 'Quiets an alert until it worsens or the setting alert_quiet_days has passed, and returns the status it has then';
REVOKE ALL ON FUNCTION crm_health.dismiss_alert(uuid) FROM PUBLIC;

CREATE FUNCTION crm_health.check_deal_rule(p_rule jsonb) RETURNS void
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'check_deal_rule_wrapper';
COMMENT ON FUNCTION crm_health.check_deal_rule(jsonb)
  IS 'Fails with 23514 and what is wrong unless this row of deal_health_rules is a rule that a refresh can use';
