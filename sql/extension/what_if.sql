CREATE FUNCTION crm_health.score_deal(metrics jsonb) RETURNS jsonb
LANGUAGE c STABLE STRICT PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'score_deal_wrapper';
COMMENT ON FUNCTION crm_health.score_deal(jsonb) IS 'What a deal with these metrics would score';
REVOKE ALL ON FUNCTION crm_health.score_deal(jsonb) FROM PUBLIC;

CREATE FUNCTION crm_health.score_relationship(metrics jsonb, ghost_model text DEFAULT NULL) RETURNS jsonb
LANGUAGE c STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'score_relationship_wrapper';
COMMENT ON FUNCTION crm_health.score_relationship(jsonb, text) IS 'What a relationship with these metrics would score';
REVOKE ALL ON FUNCTION crm_health.score_relationship(jsonb, text) FROM PUBLIC;

CREATE FUNCTION crm_health.assess_ghost(overall_health_score integer, signals jsonb) RETURNS jsonb
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'assess_ghost_wrapper';
COMMENT ON FUNCTION crm_health.assess_ghost(integer, jsonb) IS 'What these ghost signals amount to, and what to do';
