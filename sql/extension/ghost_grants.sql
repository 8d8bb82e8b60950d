-- Who may ask the silence model, where the roles exist.
DO $$
DECLARE
  v_role text;
BEGIN
  FOR v_role IN SELECT r.rolname FROM pg_catalog.pg_roles r WHERE r.rolname IN ('authenticated', 'service_role') LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION crm_health.ghost_probability(uuid, integer, timestamptz) TO %I', v_role);
  END LOOP;
  IF EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = 'service_role') THEN
    GRANT EXECUTE ON FUNCTION crm_health.fit_ghost_model(timestamptz, text), crm_health.use_ghost_model(text), crm_health.ghost_model_report(text), crm_health.backtest(timestamptz, timestamptz, integer, text), crm_health.fit_deal_model(timestamptz, text), crm_health.use_deal_model(text), crm_health.deal_model_report(text), crm_health.backtest_deals(timestamptz, timestamptz, integer) TO service_role;
  END IF;
END
$$;
