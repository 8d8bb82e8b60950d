-- The two functions that the app calls, and their form for many users and any instant.
-- JIT is off in them: a large statement takes longer to compile than it runs.

CREATE FUNCTION public.refresh_deal_health_scores(p_user_id uuid, p_max_age_hours integer DEFAULT 24)
RETURNS TABLE (deal_id uuid, health_score integer, health_status text, updated boolean)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off
AS 'MODULE_PATHNAME', 'refresh_deal_health_scores';
COMMENT ON FUNCTION public.refresh_deal_health_scores(uuid, integer)
  IS 'Scores the active deals of a user; computes those older than p_max_age_hours (0: all) and returns one row for each';
REVOKE ALL ON FUNCTION public.refresh_deal_health_scores(uuid, integer) FROM PUBLIC;

CREATE FUNCTION public.refresh_relationship_health_scores(p_user_id uuid, p_max_age_hours integer DEFAULT 24)
RETURNS TABLE (contact_id uuid, health_score integer, health_status text, updated boolean)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off
AS 'MODULE_PATHNAME', 'refresh_relationship_health_scores';
COMMENT ON FUNCTION public.refresh_relationship_health_scores(uuid, integer)
  IS 'Scores the contacts and companies of a user; computes those older than p_max_age_hours (0: all) and returns one row for each contact';
REVOKE ALL ON FUNCTION public.refresh_relationship_health_scores(uuid, integer) FROM PUBLIC;

CREATE FUNCTION crm_health.refresh_deals(
  p_user_ids uuid[], p_max_age_hours integer DEFAULT 24, p_as_of timestamptz DEFAULT now())
RETURNS TABLE (user_id uuid, deal_id uuid, health_score integer, health_status text, updated boolean)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off
AS 'MODULE_PATHNAME', 'refresh_deals';
COMMENT ON FUNCTION crm_health.refresh_deals(uuid[], integer, timestamptz)
  IS 'Scores the active deals of many users in one statement, as of an instant';
REVOKE ALL ON FUNCTION crm_health.refresh_deals(uuid[], integer, timestamptz) FROM PUBLIC;

CREATE FUNCTION crm_health.refresh_relationships(
  p_user_ids uuid[], p_max_age_hours integer DEFAULT 24, p_as_of timestamptz DEFAULT now())
RETURNS TABLE (user_id uuid, contact_id uuid, company_id uuid, health_score integer, health_status text, updated boolean)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off
AS 'MODULE_PATHNAME', 'refresh_relationships';
COMMENT ON FUNCTION crm_health.refresh_relationships(uuid[], integer, timestamptz)
  IS 'Scores the contacts and companies of many users in one statement, as of an instant';
REVOKE ALL ON FUNCTION crm_health.refresh_relationships(uuid[], integer, timestamptz) FROM PUBLIC;
