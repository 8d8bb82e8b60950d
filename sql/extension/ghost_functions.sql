-- What is asked of the silence model, and how it learns.

CREATE FUNCTION crm_health.ghost_probability(
  p_contact_id uuid, p_horizon_days integer, p_as_of timestamptz DEFAULT now())
RETURNS double precision
LANGUAGE c STABLE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off
AS 'MODULE_PATHNAME', 'ghost_probability';
COMMENT ON FUNCTION crm_health.ghost_probability(uuid, integer, timestamptz)
  IS 'The chance, 0 to 1, that a contact sends nothing in the p_horizon_days (1 to 3650) days after an instant; NULL where there was no event until then';
REVOKE ALL ON FUNCTION crm_health.ghost_probability(uuid, integer, timestamptz) FROM PUBLIC;

CREATE FUNCTION crm_health.fit_ghost_model(p_as_of timestamptz DEFAULT now(), p_name text DEFAULT NULL)
RETURNS TABLE (name text, activated boolean, decision text, rows_used bigint, users_used bigint, contacts_used bigint,
               held_out_rows bigint, log_loss double precision, log_loss_in_use double precision)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off
AS 'MODULE_PATHNAME', 'fit_ghost_model';
COMMENT ON FUNCTION crm_health.fit_ghost_model(timestamptz, text)
  IS 'Learns the constants of the silence model from this deployment''s own history, keeps them in ghost_models and puts them in use where they beat those in use on users that were held out';
REVOKE ALL ON FUNCTION crm_health.fit_ghost_model(timestamptz, text) FROM PUBLIC;

CREATE FUNCTION crm_health.backtest(
  p_from timestamptz, p_to timestamptz, p_horizon_days integer, p_model text DEFAULT NULL)
RETURNS TABLE (cutoff date, contacts bigint, silent_share double precision, auc double precision,
               average_precision double precision, brier double precision, log_loss double precision,
               calibration_error double precision, reliability jsonb)
LANGUAGE c STABLE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off
AS 'MODULE_PATHNAME', 'backtest';
COMMENT ON FUNCTION crm_health.backtest(timestamptz, timestamptz, integer, text)
  IS 'Scores the past as of each cut-off, 30 days apart, as if what came later were not known, and tells how right that was; the last row, with a NULL cutoff, is over all of them';
REVOKE ALL ON FUNCTION crm_health.backtest(timestamptz, timestamptz, integer, text) FROM PUBLIC;

CREATE FUNCTION crm_health.use_ghost_model(p_name text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM crm_health.require_trusted();
  -- The lock of a fit (extension/src/ghost/models.rs): of two that put a model in use, the later one counts.
  PERFORM pg_advisory_xact_lock(7165910213624098675);
  UPDATE crm_health.ghost_models m SET is_active = true WHERE m.name = p_name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no ghost model "%"', coalesce(p_name, 'NULL')
      USING ERRCODE = 'undefined_object', HINT = 'SELECT name, fitted_at, decision FROM crm_health.ghost_models';
  END IF;
  RETURN p_name;
END
$$;
COMMENT ON FUNCTION crm_health.use_ghost_model(text) IS 'Puts a model of ghost_models in use, by name; "default" is the one that ships';
REVOKE ALL ON FUNCTION crm_health.use_ghost_model(text) FROM PUBLIC;

CREATE FUNCTION crm_health.ghost_model_report(p_name text DEFAULT NULL)
RETURNS TABLE (name text, is_active boolean, fitted_at timestamptz, decision text, first_cutoff date, last_cutoff date,
               rows_used bigint, users_used bigint, contacts_used bigint, held_out_by text, held_out_rows bigint,
               horizon_days integer, auc double precision, average_precision double precision, brier double precision,
               log_loss double precision, calibration_error double precision, compared_with text,
               compared_auc double precision, compared_brier double precision, compared_log_loss double precision,
               compared_calibration_error double precision, reliability jsonb, constants jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  SELECT m.name, m.is_active, m.fitted_at, m.decision, m.first_cutoff, m.last_cutoff, m.rows_used, m.users_used,
         m.contacts_used, m.held_out_by, m.held_out_rows, (h.said ->> 'horizon_days')::integer,
         (h.said #>> '{fitted,auc}')::double precision, (h.said #>> '{fitted,average_precision}')::double precision,
         (h.said #>> '{fitted,brier}')::double precision, (h.said #>> '{fitted,log_loss}')::double precision,
         (h.said #>> '{fitted,calibration_error}')::double precision, m.compared_with,
         (h.said #>> '{in_use,auc}')::double precision, (h.said #>> '{in_use,brier}')::double precision,
         (h.said #>> '{in_use,log_loss}')::double precision,
         (h.said #>> '{in_use,calibration_error}')::double precision,
         h.said #> '{fitted,reliability}', m.constants
  FROM crm_health.ghost_models m
  LEFT JOIN LATERAL jsonb_array_elements(m.metrics) h (said) ON true
  WHERE m.name = p_name OR p_name IS NULL
  ORDER BY m.fitted_at DESC, m.name, 12
$$;
COMMENT ON FUNCTION crm_health.ghost_model_report(text)
  IS 'Every fit of the silence model, or one: what it was made of, and for each horizon how right it and the model then in use were on what was held out';
REVOKE ALL ON FUNCTION crm_health.ghost_model_report(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crm_health.ghost_model_report(text) TO pg_monitor;
GRANT SELECT ON crm_health.ghost_models TO pg_monitor;
