-- What the scores would have been, and a history for who has none yet.
-- In UTC, so that a closing date and a step of months mean the same for everyone. JIT is off as in a refresh.

CREATE FUNCTION crm_health.replay(
  p_user_id uuid, p_from timestamptz, p_to timestamptz DEFAULT now(), p_step interval DEFAULT '1 day')
RETURNS TABLE (as_of timestamptz, subject_type text, subject_id uuid, health_score integer, health_status text,
               risk_level text, is_ghost_risk boolean, ghost_probability_percent integer)
LANGUAGE c STABLE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC'
AS 'MODULE_PATHNAME', 'replay';
COMMENT ON FUNCTION crm_health.replay(uuid, timestamptz, timestamptz, interval)
  IS 'What the scores of a user''s deals, contacts and companies would have been at each instant from p_from to p_to, from what was known then; writes nothing';
REVOKE ALL ON FUNCTION crm_health.replay(uuid, timestamptz, timestamptz, interval) FROM PUBLIC;

CREATE FUNCTION crm_health.fill_history(
  p_user_id uuid, p_from timestamptz, p_to timestamptz DEFAULT now(), p_step interval DEFAULT '1 day')
RETURNS TABLE (deal_snapshots bigint, relationship_snapshots bigint)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC'
AS 'MODULE_PATHNAME', 'fill_history';
COMMENT ON FUNCTION crm_health.fill_history(uuid, timestamptz, timestamptz, interval)
  IS 'Keeps what crm_health.replay finds as snapshots, wherever a deal or relationship has none from before; returns how many it kept';
REVOKE ALL ON FUNCTION crm_health.fill_history(uuid, timestamptz, timestamptz, interval) FROM PUBLIC;
