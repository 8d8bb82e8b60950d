-- What is held about one contact: handed out, or erased.

CREATE FUNCTION crm_health.export_contact(p_contact_id uuid) RETURNS jsonb
LANGUAGE c STABLE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off
AS 'MODULE_PATHNAME', 'export_contact';
COMMENT ON FUNCTION crm_health.export_contact(uuid) IS 'All that is held about a contact, by table';
REVOKE ALL ON FUNCTION crm_health.export_contact(uuid) FROM PUBLIC;

CREATE FUNCTION crm_health.forget_contact(p_contact_id uuid) RETURNS jsonb
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off
AS 'MODULE_PATHNAME', 'forget_contact';
COMMENT ON FUNCTION crm_health.forget_contact(uuid)
  IS 'Erases a contact: deletes its rows, replaces its name and address elsewhere, and returns how many rows of which table';
REVOKE ALL ON FUNCTION crm_health.forget_contact(uuid) FROM PUBLIC;
