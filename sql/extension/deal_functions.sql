-- What is learned of a team's pipeline.

CREATE FUNCTION crm_health.fit_deal_model(p_as_of timestamptz DEFAULT now(), p_name text DEFAULT NULL)
RETURNS TABLE (name text, activated boolean, decision text, deals_used bigint, spells_used bigint, spells_completed bigint,
               log_loss double precision, log_loss_in_use double precision)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off
AS 'MODULE_PATHNAME', 'fit_deal_model';
COMMENT ON FUNCTION crm_health.fit_deal_model(timestamptz, text)
  IS 'Learns from the stage changes of all deals how long they stay in each stage and where they go, keeps it in deal_models and puts it in use unless the one in use is better about the last 90 days';
REVOKE ALL ON FUNCTION crm_health.fit_deal_model(timestamptz, text) FROM PUBLIC;

CREATE FUNCTION crm_health.backtest_deals(p_from timestamptz, p_to timestamptz, p_horizon_days integer)
RETURNS TABLE (cutoff date, deals bigint, won_share double precision, auc double precision,
               average_precision double precision, brier double precision, log_loss double precision,
               calibration_error double precision, reliability jsonb)
LANGUAGE c STABLE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off
AS 'MODULE_PATHNAME', 'backtest_deals';
COMMENT ON FUNCTION crm_health.backtest_deals(timestamptz, timestamptz, integer)
  IS 'Learns the pipeline as of each cut-off, 30 days apart, and tells how right it was about which of the deals then open would be won within so many days; the last row, with a NULL cutoff, is over all of them';
REVOKE ALL ON FUNCTION crm_health.backtest_deals(timestamptz, timestamptz, integer) FROM PUBLIC;

CREATE FUNCTION crm_health.use_deal_model(p_name text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM crm_health.require_trusted();
  -- The lock of a fit (extension/src/pipeline/fit.rs): of two that put a model in use, the later one counts.
  PERFORM pg_advisory_xact_lock(7165910213573566828);
  IF p_name IS NULL THEN
    UPDATE crm_health.deal_models m SET is_active = false WHERE m.is_active;
    RETURN NULL;
  END IF;
  UPDATE crm_health.deal_models m SET is_active = true WHERE m.name = p_name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no deal model "%"', p_name
      USING ERRCODE = 'undefined_object', HINT = 'SELECT name, fitted_at, decision FROM crm_health.deal_models';
  END IF;
  RETURN p_name;
END
$$;
COMMENT ON FUNCTION crm_health.use_deal_model(text) IS 'Puts a model of deal_models in use, by name; NULL: none, the probability to close then follows the score';
REVOKE ALL ON FUNCTION crm_health.use_deal_model(text) FROM PUBLIC;

CREATE FUNCTION crm_health.deal_model_report(p_name text DEFAULT NULL)
RETURNS TABLE (name text, is_active boolean, fitted_at timestamptz, decision text, deals_used bigint, spells_used bigint,
               spells_completed bigint, judged_deals bigint, auc double precision, brier double precision,
               log_loss double precision, calibration_error double precision, compared_with text,
               compared_log_loss double precision, reliability jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  SELECT m.name, m.is_active, m.fitted_at, m.decision, m.deals_used, m.spells_used, m.spells_completed,
         (m.metrics #>> '{fitted,rows}')::bigint, (m.metrics #>> '{fitted,auc}')::double precision,
         (m.metrics #>> '{fitted,brier}')::double precision, (m.metrics #>> '{fitted,log_loss}')::double precision,
         (m.metrics #>> '{fitted,calibration_error}')::double precision, m.compared_with,
         (m.metrics #>> '{in_use,log_loss}')::double precision, m.metrics #> '{fitted,reliability}'
  FROM crm_health.deal_models m
  WHERE m.name = p_name OR p_name IS NULL
  ORDER BY m.fitted_at DESC
$$;
COMMENT ON FUNCTION crm_health.deal_model_report(text)
  IS 'Every fitted pipeline, or one: what it was made of, and how right one fitted 90 days earlier was about the deals then open';
REVOKE ALL ON FUNCTION crm_health.deal_model_report(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crm_health.deal_model_report(text) TO pg_monitor;
GRANT SELECT ON crm_health.deal_models TO pg_monitor;
