-- Owners of deals told apart, where a fit of the deals found that this says more of them.

CREATE TABLE crm_health.deal_owners (
  owner_id uuid PRIMARY KEY,
  stages   jsonb NOT NULL,
  spells   json NOT NULL
);
COMMENT ON TABLE crm_health.deal_owners IS 'How long the deals of each owner stayed in each stage, as of the last fit: what the owner''s own pipeline is made of. Empty where one pipeline for all was as good';
COMMENT ON COLUMN crm_health.deal_owners.stages IS 'The stages in order; a pipeline of other stages does not use the row';
COMMENT ON COLUMN crm_health.deal_owners.spells IS 'For each stay [stage, days, days not seen, end]: the end is -1 open, -2 won, -3 lost, or the stage moved to; stages by their place, from 0';
SELECT pg_catalog.pg_extension_config_dump('crm_health.deal_owners', '');

-- The functions of score.sql and explain.sql, of a deal whose owner is known. Those stay for statements that are under
-- way while the extension is updated.
CREATE FUNCTION crm_health.deal_score(
  p_config jsonb, p_as_of timestamptz, p_stage text, p_stage_since timestamptz, p_recent bytea,
  p_older bytea, p_meetings bytea, p_activity_count bigint, p_last_activity timestamptz, p_owner_id uuid)
RETURNS crm_health.deal_score
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'deal_score';
COMMENT ON FUNCTION crm_health.deal_score(jsonb, timestamptz, text, timestamptz, bytea, bytea, bytea, bigint, timestamptz, uuid)
  IS 'Scores collected signals of an owner''s deal as of an instant';

CREATE FUNCTION crm_health.deal_explanation(
  p_config jsonb, p_as_of timestamptz, p_stage text, p_stage_since timestamptz, p_recent bytea,
  p_older bytea, p_meetings bytea, p_activity_count bigint, p_last_activity timestamptz, p_owner_id uuid)
RETURNS TABLE (signal text, value text, score integer, weight numeric, contribution numeric, reason text)
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'deal_explanation';
COMMENT ON FUNCTION crm_health.deal_explanation(jsonb, timestamptz, text, timestamptz, bytea, bytea, bytea, bigint, timestamptz, uuid)
  IS 'Explains collected signals of an owner''s deal';

CREATE FUNCTION crm_health.deal_reasons(
  p_config jsonb, p_as_of timestamptz, p_stage text, p_stage_since timestamptz, p_recent bytea,
  p_older bytea, p_meetings bytea, p_activity_count bigint, p_last_activity timestamptz, p_owner_id uuid)
RETURNS text[] LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'deal_reasons';
COMMENT ON FUNCTION crm_health.deal_reasons(jsonb, timestamptz, text, timestamptz, bytea, bytea, bytea, bigint, timestamptz, uuid)
  IS 'The two or three reasons of an owner''s deal''s score that matter most';
