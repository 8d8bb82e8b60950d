-- Everything below names its schema; nothing is looked up where others can write.
SET LOCAL search_path TO pg_catalog, pg_temp;

-- Names and subjects are read and written as UTF-8: in another encoding the first letter beyond ASCII would fail.
DO $$
BEGIN
  IF getdatabaseencoding() <> 'UTF8' THEN
    RAISE EXCEPTION 'crm_health needs a database in UTF8, and this one is in %', getdatabaseencoding()
      USING ERRCODE = 'feature_not_supported',
            HINT = format('CREATE DATABASE … ENCODING ''UTF8'' TEMPLATE template0, bring a dump of %I into it, and create the extension there', current_database());
  END IF;
END
$$;

-- The schema outlives the extension: what the user configured is kept in it (see config_kept.sql).
DO $$
DECLARE
  v_owner oid;
BEGIN
  SELECT n.nspowner INTO v_owner FROM pg_catalog.pg_namespace n WHERE n.nspname = 'crm_health';
  IF NOT FOUND THEN
    CREATE SCHEMA crm_health;
    ALTER EXTENSION crm_health DROP SCHEMA crm_health;
  ELSIF NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.oid = v_owner AND r.rolsuper) THEN
    RAISE EXCEPTION 'schema crm_health exists and belongs to %, who is not a superuser', v_owner::pg_catalog.regrole
      USING ERRCODE = 'duplicate_schema',
            HINT = 'look at what is in it; then DROP SCHEMA crm_health, or ALTER SCHEMA crm_health OWNER TO a superuser';
  END IF;
END
$$;

COMMENT ON SCHEMA crm_health IS 'Relationship health: configuration, jobs, explanations. Kept when the extension is dropped, with the configuration in config_changes';
GRANT USAGE ON SCHEMA crm_health TO PUBLIC;
