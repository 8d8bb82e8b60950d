CREATE FUNCTION crm_health.deal_explanation(
  p_config jsonb, p_as_of timestamptz, p_stage text, p_stage_since timestamptz, p_recent bytea,
  p_older bytea, p_meetings bytea, p_activity_count bigint, p_last_activity timestamptz)
RETURNS TABLE (signal text, value text, score integer, weight numeric, contribution numeric, reason text)
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'deal_explanation';
COMMENT ON FUNCTION crm_health.deal_explanation(jsonb, timestamptz, text, timestamptz, bytea, bytea, bytea, bigint, timestamptz)
  IS 'Explains collected signals of a deal';

CREATE FUNCTION crm_health.relationship_explanation(
  p_config jsonb, p_as_of timestamptz, p_recent bytea, p_older bytea, p_meetings bytea,
  p_opens_tracked boolean, p_total_deal_value double precision, p_at_risk_deal_value double precision,
  p_sealed_streams bytea, p_past_days bytea, p_recent_days bytea)
RETURNS TABLE (signal text, value text, score integer, weight numeric, contribution numeric, reason text)
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'relationship_explanation';
COMMENT ON FUNCTION crm_health.relationship_explanation(jsonb, timestamptz, bytea, bytea, bytea, boolean, double precision, double precision, bytea, bytea, bytea)
  IS 'Explains collected signals of a relationship';

CREATE FUNCTION crm_health.deal_reasons(
  p_config jsonb, p_as_of timestamptz, p_stage text, p_stage_since timestamptz, p_recent bytea,
  p_older bytea, p_meetings bytea, p_activity_count bigint, p_last_activity timestamptz)
RETURNS text[] LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'deal_reasons';
COMMENT ON FUNCTION crm_health.deal_reasons(jsonb, timestamptz, text, timestamptz, bytea, bytea, bytea, bigint, timestamptz)
  IS 'The two or three reasons of a deal''s score that matter most';

CREATE FUNCTION crm_health.relationship_reasons(
  p_config jsonb, p_as_of timestamptz, p_recent bytea, p_older bytea, p_meetings bytea,
  p_opens_tracked boolean, p_total_deal_value double precision, p_at_risk_deal_value double precision,
  p_sealed_streams bytea, p_past_days bytea, p_recent_days bytea)
RETURNS text[] LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'relationship_reasons';
COMMENT ON FUNCTION crm_health.relationship_reasons(jsonb, timestamptz, bytea, bytea, bytea, boolean, double precision, double precision, bytea, bytea, bytea)
  IS 'The two or three reasons of a relationship''s score that matter most';

CREATE FUNCTION crm_health.explain_deal(p_deal_id uuid, p_as_of timestamptz DEFAULT now())
RETURNS TABLE (signal text, value text, score integer, weight numeric, contribution numeric, reason text)
LANGUAGE c STABLE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off
AS 'MODULE_PATHNAME', 'explain_deal';
COMMENT ON FUNCTION crm_health.explain_deal(uuid, timestamptz)
  IS 'Why a deal scores as it does: each signal, its value, score, weight, contribution and reason';
REVOKE ALL ON FUNCTION crm_health.explain_deal(uuid, timestamptz) FROM PUBLIC;

CREATE FUNCTION crm_health.explain_contact(p_contact_id uuid, p_as_of timestamptz DEFAULT now())
RETURNS TABLE (signal text, value text, score integer, weight numeric, contribution numeric, reason text)
LANGUAGE c STABLE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off
AS 'MODULE_PATHNAME', 'explain_contact';
COMMENT ON FUNCTION crm_health.explain_contact(uuid, timestamptz)
  IS 'Why a relationship scores as it does: each signal, its value, score, weight, contribution and reason, the ghost signals and what to do';
REVOKE ALL ON FUNCTION crm_health.explain_contact(uuid, timestamptz) FROM PUBLIC;

CREATE FUNCTION crm_health.needs_attention(
  p_user_ids uuid[] DEFAULT NULL, p_limit integer DEFAULT 10, p_as_of timestamptz DEFAULT now())
RETURNS TABLE (kind text, user_id uuid, id uuid, name text, health_score integer, health_status text,
               deal_value numeric, reasons text[])
LANGUAGE c STABLE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off
AS 'MODULE_PATHNAME', 'needs_attention';
COMMENT ON FUNCTION crm_health.needs_attention(uuid[], integer, timestamptz)
  IS 'The deals and contacts with the worst scores, each with its reasons; NULL: of everyone for a trusted role, one''s own else';
REVOKE ALL ON FUNCTION crm_health.needs_attention(uuid[], integer, timestamptz) FROM PUBLIC;
