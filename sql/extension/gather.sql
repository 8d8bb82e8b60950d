-- All that a refresh reads of one user: aggregates, one for each source, and what is made of their results.

CREATE FUNCTION crm_health.collect_user_events_row(
  internal, uuid, uuid, timestamptz, uuid, text, text, text, text, text, integer, boolean, boolean,
  double precision, double precision, text, boolean, timestamptz)
RETURNS internal LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'collect_user_events_row';

CREATE FUNCTION crm_health.collect_user_events_result(internal)
RETURNS bytea LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'collect_user_events_result';

CREATE AGGREGATE crm_health.collect_user_events(
  contact_id uuid, company_id uuid, event_timestamp timestamptz, id uuid, event_type text, direction text,
  external_source text, external_id text, thread_id text, thread_position integer, was_replied boolean,
  was_opened boolean, response_time_hours double precision, sentiment_score double precision, subject text,
  automated boolean, newest_alone_before timestamptz
) (
  SFUNC = crm_health.collect_user_events_row, STYPE = internal, SSPACE = 1048576,
  FINALFUNC = crm_health.collect_user_events_result, FINALFUNC_MODIFY = READ_WRITE, PARALLEL = SAFE
);
COMMENT ON AGGREGATE crm_health.collect_user_events(uuid, uuid, timestamptz, uuid, text, text, text, text, text, integer, boolean, boolean, double precision, double precision, text, boolean, timestamptz)
  IS 'The events of a user; from before newest_alone_before only the newest of each contact and company: any, inbound, meaningful';

CREATE FUNCTION crm_health.collect_targets_row(internal, uuid, uuid, bigint, uuid, integer, text, boolean, boolean, boolean, tid, jsonb)
RETURNS internal LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'collect_targets_row';

CREATE FUNCTION crm_health.collect_targets_result(internal)
RETURNS bytea LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'collect_targets_result';

CREATE AGGREGATE crm_health.collect_targets(
  contact_id uuid, company_id uuid, members bigint, score_id uuid, score integer, status text, ghost_risk boolean,
  is_fresh boolean, looks_back boolean, place tid, last_meaningful jsonb
) (
  SFUNC = crm_health.collect_targets_row, STYPE = internal, SSPACE = 65536,
  FINALFUNC = crm_health.collect_targets_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE
);
COMMENT ON AGGREGATE crm_health.collect_targets(uuid, uuid, bigint, uuid, integer, text, boolean, boolean, boolean, tid, jsonb)
  IS 'The contacts (with their company) and companies of a user, and the scores that they have';

CREATE FUNCTION crm_health.collect_user_meetings_row(internal, uuid, uuid, timestamptz, uuid, double precision, text)
RETURNS internal LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'collect_user_meetings_row';

CREATE FUNCTION crm_health.collect_user_meetings_result(internal)
RETURNS bytea LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'collect_user_meetings_result';

CREATE AGGREGATE crm_health.collect_user_meetings(
  contact_id uuid, company_id uuid, meeting_start timestamptz, id uuid, sentiment_score double precision, title text
) (
  SFUNC = crm_health.collect_user_meetings_row, STYPE = internal, SSPACE = 65536,
  FINALFUNC = crm_health.collect_user_meetings_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE
);
COMMENT ON AGGREGATE crm_health.collect_user_meetings(uuid, uuid, timestamptz, uuid, double precision, text)
  IS 'The meetings of a user with contacts and companies';

CREATE FUNCTION crm_health.collect_user_deals_row(internal, uuid, uuid, bigint, numeric, numeric, double precision, double precision)
RETURNS internal LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'collect_user_deals_row';

CREATE FUNCTION crm_health.collect_user_deals_result(internal)
RETURNS bytea LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'collect_user_deals_result';

CREATE AGGREGATE crm_health.collect_user_deals(
  contact_id uuid, company_id uuid, deals bigint, value numeric, at_risk numeric, value_measured double precision,
  at_risk_measured double precision
) (
  SFUNC = crm_health.collect_user_deals_row, STYPE = internal, SSPACE = 8192,
  FINALFUNC = crm_health.collect_user_deals_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE
);
COMMENT ON AGGREGATE crm_health.collect_user_deals(uuid, uuid, bigint, numeric, numeric, double precision, double precision)
  IS 'The sums of the deals of a user''s contacts and companies';

CREATE FUNCTION crm_health.collect_streams_row(internal, uuid, bigint, bigint, bigint, integer, bytea)
RETURNS internal LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'collect_streams_row';

CREATE FUNCTION crm_health.collect_streams_result(internal)
RETURNS bytea LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'collect_streams_result';

CREATE AGGREGATE crm_health.collect_streams(
  target_id uuid, changes bigint, members bigint, fingerprint bigint, sealed_day integer, state bytea
) (
  SFUNC = crm_health.collect_streams_row, STYPE = internal, SSPACE = 65536,
  FINALFUNC = crm_health.collect_streams_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE
);
COMMENT ON AGGREGATE crm_health.collect_streams(uuid, bigint, bigint, bigint, integer, bytea)
  IS 'The kept streams of a user';

CREATE FUNCTION crm_health.collect_past_row(internal, uuid, uuid, bytea)
RETURNS internal LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'collect_past_row';

CREATE FUNCTION crm_health.collect_past_result(internal)
RETURNS bytea LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'collect_past_result';

CREATE AGGREGATE crm_health.collect_past(contact_id uuid, company_id uuid, days bytea) (
  SFUNC = crm_health.collect_past_row, STYPE = internal, SSPACE = 8192,
  FINALFUNC = crm_health.collect_past_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE
);
COMMENT ON AGGREGATE crm_health.collect_past(uuid, uuid, bytea)
  IS 'The days before the window of those contacts and companies whose kept streams lack them';

CREATE FUNCTION crm_health.collect_subjects_row(internal, uuid, text)
RETURNS internal LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'collect_subjects_row';

CREATE FUNCTION crm_health.collect_subjects_result(internal)
RETURNS bytea LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'collect_subjects_result';

CREATE AGGREGATE crm_health.collect_subjects(event_id uuid, subject text) (
  SFUNC = crm_health.collect_subjects_row, STYPE = internal, SSPACE = 65536,
  FINALFUNC = crm_health.collect_subjects_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE
);
COMMENT ON AGGREGATE crm_health.collect_subjects(uuid, text)
  IS 'The subjects of those events that a score tells of';

CREATE FUNCTION crm_health.float8_of(numeric)
RETURNS double precision LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'float8_of';
COMMENT ON FUNCTION crm_health.float8_of(numeric)
  IS 'The same as a cast to double precision, in a tenth of the time for numbers of a few digits';

CREATE FUNCTION crm_health.scored_relationships(p_part text)
RETURNS TABLE (
  user_id uuid, contact_id uuid, company_id uuid, score_id uuid, is_new boolean,
  previous_score integer, previous_status text, previous_ghost_risk boolean,
  related_deals_count bigint, total_deal_value numeric, at_risk_deal_value numeric,
  overall_health_score integer, health_status text, risk_level text, communication_frequency_score integer,
  response_behavior_score integer, engagement_quality_score integer, sentiment_score integer,
  meeting_pattern_score integer, days_since_last_contact integer, days_since_last_response integer,
  avg_response_time_hours numeric, response_rate_percent integer, email_open_rate_percent integer,
  meeting_count_30_days integer, email_count_30_days integer, total_interactions_30_days integer,
  baseline_response_time_hours numeric, baseline_contact_frequency_days numeric, baseline_meeting_frequency_days numeric,
  is_ghost_risk boolean, ghost_signals jsonb, ghost_probability_percent integer, days_until_predicted_ghost integer,
  sentiment_trend text, avg_sentiment_last_3_interactions numeric, risk_factors text[], last_meaningful_interaction jsonb)
LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 100 AS 'MODULE_PATHNAME', 'scored_relationships';
COMMENT ON FUNCTION crm_health.scored_relationships(text)
  IS 'The scores that the refresh of this session is writing: new or changed ones';

CREATE FUNCTION crm_health.is_scored(p_score_id uuid, p_user_id uuid)
RETURNS boolean LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'is_scored';
COMMENT ON FUNCTION crm_health.is_scored(uuid, uuid)
  IS 'Whether the refresh of this session has made anew this score of this user';

CREATE FUNCTION crm_health.is_as_scored(p_score_id uuid, p_columns integer[], VARIADIC p_values "any")
RETURNS boolean LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'is_as_scored';
COMMENT ON FUNCTION crm_health.is_as_scored(uuid, integer[], "any")
  IS 'Whether these are, to the byte, the columns of a score that the refresh of this session has made anew; false where that is not certain';

CREATE FUNCTION crm_health.scored_value(p_score_id uuid, p_column integer, p_type anyelement)
RETURNS anyelement LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'scored_value';
COMMENT ON FUNCTION crm_health.scored_value(uuid, integer, anyelement)
  IS 'A column of a score that the refresh of this session has made anew';
