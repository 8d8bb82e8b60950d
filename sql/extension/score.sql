-- The core, as a statement calls it: collected rows in, a score out.

CREATE TYPE crm_health.relationship_score AS (
  overall_health_score integer,
  health_status text,
  risk_level text,
  communication_frequency_score integer,
  response_behavior_score integer,
  engagement_quality_score integer,
  sentiment_score integer,
  meeting_pattern_score integer,
  days_since_last_contact integer,
  days_since_last_response integer,
  avg_response_time_hours double precision,
  response_rate_percent integer,
  email_open_rate_percent integer,
  meeting_count_30_days integer,
  email_count_30_days integer,
  total_interactions_30_days integer,
  baseline_response_time_hours double precision,
  baseline_contact_frequency_days double precision,
  baseline_meeting_frequency_days double precision,
  is_ghost_risk boolean,
  ghost_signals jsonb,
  ghost_probability_percent integer,
  days_until_predicted_ghost integer,
  sentiment_trend text,
  avg_sentiment_last_3_interactions double precision,
  risk_factors text[],
  last_meaningful_interaction jsonb,
  sealed_streams bytea
);
COMMENT ON TYPE crm_health.relationship_score IS 'A relationship''s score, with what it was computed from';

CREATE TYPE crm_health.deal_score AS (
  overall_health_score integer,
  health_status text,
  stage_velocity_score integer,
  sentiment_score integer,
  engagement_score integer,
  activity_score integer,
  response_time_score integer,
  days_in_current_stage integer,
  days_since_last_meeting integer,
  days_since_last_activity integer,
  avg_sentiment double precision,
  sentiment_trend text,
  meeting_count_last_30_days integer,
  activity_count_last_30_days integer,
  avg_response_time_hours double precision,
  risk_factors text[],
  risk_level text,
  predicted_close_probability integer,
  predicted_days_to_close integer
);
COMMENT ON TYPE crm_health.deal_score IS 'A deal''s score, with what it was computed from';

CREATE FUNCTION crm_health.relationship_score(
  p_config jsonb, p_as_of timestamptz, p_recent bytea, p_older bytea, p_meetings bytea,
  p_opens_tracked boolean, p_total_deal_value double precision, p_at_risk_deal_value double precision,
  p_sealed_streams bytea, p_past_days bytea, p_recent_days bytea, p_seal_day integer)
RETURNS crm_health.relationship_score
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'relationship_score';
COMMENT ON FUNCTION crm_health.relationship_score(jsonb, timestamptz, bytea, bytea, bytea, boolean, double precision, double precision, bytea, bytea, bytea, integer)
  IS 'Scores collected signals of a relationship as of an instant; with a p_seal_day, also returns its streams up to that day';

CREATE FUNCTION crm_health.deal_score(
  p_config jsonb, p_as_of timestamptz, p_stage text, p_stage_since timestamptz, p_recent bytea,
  p_older bytea, p_meetings bytea, p_activity_count bigint, p_last_activity timestamptz)
RETURNS crm_health.deal_score
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'deal_score';
COMMENT ON FUNCTION crm_health.deal_score(jsonb, timestamptz, text, timestamptz, bytea, bytea, bytea, bigint, timestamptz)
  IS 'Scores collected signals of a deal as of an instant';
