CREATE FUNCTION crm_health.link_replies(p_user_id uuid) RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off
AS 'MODULE_PATHNAME', 'link_replies';
COMMENT ON FUNCTION crm_health.link_replies(uuid)
  IS 'Marks a user''s sent e-mails as answered and gives received ones their response time, where that is missing; returns how many events changed';
REVOKE ALL ON FUNCTION crm_health.link_replies(uuid) FROM PUBLIC;
