-- Aggregates that carry the rows of a target to the core within one statement.

CREATE FUNCTION crm_health.collect_interactions_row(
  internal, timestamptz, uuid, text, text, text, text, text, integer, boolean, boolean,
  double precision, double precision, text)
RETURNS internal LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'collect_interactions_row';

CREATE FUNCTION crm_health.collect_interactions_result(internal)
RETURNS bytea LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'collect_interactions_result';

CREATE AGGREGATE crm_health.collect_interactions(
  event_timestamp timestamptz, id uuid, event_type text, direction text, external_source text,
  external_id text, thread_id text, thread_position integer, was_replied boolean, was_opened boolean,
  response_time_hours double precision, sentiment_score double precision, subject text
) (
  SFUNC = crm_health.collect_interactions_row, STYPE = internal, SSPACE = 2048,
  FINALFUNC = crm_health.collect_interactions_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE
);
COMMENT ON AGGREGATE crm_health.collect_interactions(timestamptz, uuid, text, text, text, text, text, integer, boolean, boolean, double precision, double precision, text)
  IS 'The interactions of a target, for crm_health.relationship_score and deal_score';

CREATE FUNCTION crm_health.collect_meetings_row(internal, timestamptz, uuid, double precision, text)
RETURNS internal LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'collect_meetings_row';

CREATE FUNCTION crm_health.collect_meetings_result(internal)
RETURNS bytea LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'collect_meetings_result';

CREATE AGGREGATE crm_health.collect_meetings(
  meeting_start timestamptz, id uuid, sentiment_score double precision, title text
) (
  SFUNC = crm_health.collect_meetings_row, STYPE = internal, SSPACE = 512,
  FINALFUNC = crm_health.collect_meetings_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE
);
COMMENT ON AGGREGATE crm_health.collect_meetings(timestamptz, uuid, double precision, text)
  IS 'The meetings of a target, for crm_health.relationship_score and deal_score';

CREATE FUNCTION crm_health.interactions_lack(p_interactions bytea) RETURNS integer
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'interactions_lack_wrapper';
COMMENT ON FUNCTION crm_health.interactions_lack(bytea)
  IS 'What collected interactions lack, as bits: 1 any, 2 an inbound one, 4 a meeting held, call or answered e-mail';
