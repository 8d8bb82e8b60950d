-- How the days of a relationship reach the silence model.

CREATE FUNCTION crm_health.collect_days_row(internal, timestamptz, text, boolean)
RETURNS internal LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'collect_days_row';

CREATE FUNCTION crm_health.collect_days_result(internal)
RETURNS bytea LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'collect_days_result';

CREATE AGGREGATE crm_health.collect_days(event_timestamp timestamptz, direction text, automated boolean) (
  SFUNC = crm_health.collect_days_row, STYPE = internal, SSPACE = 256,
  FINALFUNC = crm_health.collect_days_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE
);
COMMENT ON AGGREGATE crm_health.collect_days(timestamptz, text, boolean)
  IS 'The days of a relationship''s events, for crm_health.relationship_score; automated mail is left out';

CREATE FUNCTION crm_health.streams_fingerprint(p_config jsonb) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'streams_fingerprint_wrapper';
COMMENT ON FUNCTION crm_health.streams_fingerprint(jsonb)
  IS 'A number that changes with those constants of the silence model that a kept stream depends on';
