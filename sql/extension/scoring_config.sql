CREATE FUNCTION crm_health.scoring_config() RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_build_object(
    'stage_thresholds', (
      SELECT coalesce(jsonb_object_agg(t.stage, jsonb_build_object(
        'optimal_days', t.optimal_days, 'warning_days', t.warning_days, 'critical_days', t.critical_days)), '{}')
      FROM crm_health.stage_thresholds t WHERE t.stage <> '*'),
    'default_stage', (
      SELECT jsonb_build_object(
        'optimal_days', t.optimal_days, 'warning_days', t.warning_days, 'critical_days', t.critical_days)
      FROM crm_health.stage_thresholds t WHERE t.stage = '*'),
    'deal_weights', (
      SELECT jsonb_object_agg(w.signal, (w.weight * 10000)::integer)
      FROM crm_health.signal_weights w WHERE w.model = 'deal'),
    'relationship_weights', (
      SELECT jsonb_object_agg(w.signal, (w.weight * 10000)::integer)
      FROM crm_health.signal_weights w WHERE w.model = 'relationship'),
    'deal_cutoffs', (
      SELECT jsonb_object_agg(c.status, c.min_score)
      FROM crm_health.status_cutoffs c WHERE c.model = 'deal'),
    'relationship_cutoffs', (
      SELECT jsonb_object_agg(c.status, c.min_score)
      FROM crm_health.status_cutoffs c WHERE c.model = 'relationship'),
    'ghost_model', (SELECT s.value FROM crm_health.settings s WHERE s.name = 'ghost_model'),
    'ghost_cutoff', (SELECT s.value::double precision FROM crm_health.settings s WHERE s.name = 'ghost_cutoff'),
    'silence', (SELECT m.constants FROM crm_health.ghost_models m WHERE m.is_active OR m.shipped ORDER BY m.is_active DESC LIMIT 1))
$$;
COMMENT ON FUNCTION crm_health.scoring_config() IS 'The configuration of the scores as one value: weights in parts of 10,000';
REVOKE ALL ON FUNCTION crm_health.scoring_config() FROM PUBLIC;

CREATE FUNCTION crm_health.setting(p_name text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT s.value FROM crm_health.settings s WHERE s.name = p_name $$;
COMMENT ON FUNCTION crm_health.setting(text) IS 'The value of a setting, NULL for a name that is none';
REVOKE ALL ON FUNCTION crm_health.setting(text) FROM PUBLIC;
