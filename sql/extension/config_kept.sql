-- Two things happen when a row of the configuration changes. It is marked, so that pg_dump carries it
-- and a restore puts it in the place of the row that ships. And it is written to config_changes, a
-- plain table that DROP EXTENSION leaves: CREATE EXTENSION reads it back.

CREATE FUNCTION crm_health.mark_config_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  -- The key of each config table is its leading text columns.
  v_keys text[] := TG_ARGV;
  v_same_key text;
  v_shipped jsonb;
BEGIN
  SELECT string_agg(format('t.%1$I = ($1).%1$I', k), ' AND ') INTO v_same_key FROM unnest(v_keys) k;
  IF TG_OP = 'INSERT' THEN
    EXECUTE format('DELETE FROM %s t WHERE %s AND t.shipped AND t.changed_at IS NULL RETURNING to_jsonb(t)', TG_RELID::regclass, v_same_key)
      INTO v_shipped USING NEW;
    NEW.shipped := v_shipped IS NOT NULL;
    IF TG_TABLE_NAME = 'settings' THEN
      NEW.description := coalesce(nullif(NEW.description, ''), v_shipped ->> 'description', '');
    END IF;
    NEW.changed_at := coalesce(NEW.changed_at, now());
    RETURN NEW;
  ELSIF TG_OP = 'UPDATE' THEN
    IF OLD.shipped AND EXISTS (
      SELECT FROM unnest(v_keys) k WHERE to_jsonb(OLD) -> k IS DISTINCT FROM to_jsonb(NEW) -> k) THEN
      RAISE EXCEPTION 'a row of % that ships cannot be renamed', TG_RELID::regclass
        USING ERRCODE = 'restrict_violation', HINT = 'INSERT a row of the new name instead';
    END IF;
    NEW.shipped := OLD.shipped;
    NEW.changed_at := now();
    RETURN NEW;
  END IF;
  IF OLD.shipped AND pg_trigger_depth() = 1 THEN
    RAISE EXCEPTION 'a row of % that ships cannot be deleted', TG_RELID::regclass
      USING ERRCODE = 'restrict_violation', HINT = 'UPDATE its values instead';
  END IF;
  RETURN OLD;
END
$$;
COMMENT ON FUNCTION crm_health.mark_config_change() IS 'Trigger: tells rows that the user changed from those that ship';
REVOKE ALL ON FUNCTION crm_health.mark_config_change() FROM PUBLIC;

CREATE FUNCTION crm_health.keep_config_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_grantee text;
  v_is_renamed boolean;
BEGIN
  -- The row that ships made way for the user's: not a change of its own.
  IF TG_OP = 'DELETE' AND pg_trigger_depth() > 1 THEN
    RETURN NULL;
  END IF;
  -- Made at the first change, not by the install script: a restore brings its own.
  IF to_regclass('crm_health.config_changes') IS NULL THEN
    CREATE TABLE crm_health.config_changes (
      changed_at timestamptz NOT NULL,
      changed_by text NOT NULL,
      table_name text NOT NULL,
      deleted    boolean NOT NULL,
      row_data   jsonb NOT NULL
    );
    COMMENT ON TABLE crm_health.config_changes IS 'What was configured, by whom and when. Not owned by the extension: CREATE EXTENSION reads it back after a DROP EXTENSION';
    -- Default privileges may have opened it, and what is in it becomes configuration again.
    FOR v_grantee IN
      SELECT DISTINCT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END
      FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) g
      WHERE c.oid = 'crm_health.config_changes'::regclass AND g.grantee <> c.relowner
    LOOP
      EXECUTE format('REVOKE ALL ON crm_health.config_changes FROM %s', v_grantee);
    END LOOP;
  END IF;
  -- Under another key the old row is gone.
  v_is_renamed := TG_OP = 'UPDATE' AND EXISTS (
    SELECT FROM unnest(TG_ARGV) k WHERE to_jsonb(OLD) -> k IS DISTINCT FROM to_jsonb(NEW) -> k);
  IF v_is_renamed THEN
    INSERT INTO crm_health.config_changes (changed_at, changed_by, table_name, deleted, row_data)
    VALUES (clock_timestamp(), session_user, TG_TABLE_NAME, true, to_jsonb(OLD));
  END IF;
  INSERT INTO crm_health.config_changes (changed_at, changed_by, table_name, deleted, row_data)
  VALUES (clock_timestamp(), session_user, TG_TABLE_NAME, TG_OP = 'DELETE',
          to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END));
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm_health.keep_config_change() IS 'Trigger: writes each change of the configuration to config_changes';
REVOKE ALL ON FUNCTION crm_health.keep_config_change() FROM PUBLIC;

-- The cut-offs of a model descend; rows alone cannot say that.
CREATE FUNCTION crm_health.disordered_cutoffs() RETURNS SETOF text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT DISTINCT a.model
  FROM crm_health.status_cutoffs a
  JOIN crm_health.status_cutoffs b USING (model)
  WHERE (a.status, b.status) IN (('healthy', 'warning'), ('warning', 'critical'), ('healthy', 'critical'), ('healthy', 'at_risk'))
    AND a.min_score <= b.min_score
$$;
COMMENT ON FUNCTION crm_health.disordered_cutoffs() IS 'The models whose cut-offs do not descend';

CREATE FUNCTION crm_health.check_cutoffs() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF EXISTS (SELECT FROM crm_health.disordered_cutoffs()) THEN
    RAISE EXCEPTION 'cut-offs of crm_health.status_cutoffs must descend: healthy above warning above critical, healthy above at_risk'
      USING ERRCODE = 'check_violation', HINT = 'change the rows of one model in one statement';
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm_health.check_cutoffs() IS 'Trigger: refuses cut-offs that do not descend';
REVOKE ALL ON FUNCTION crm_health.check_cutoffs() FROM PUBLIC;

CREATE TRIGGER mark_config_change BEFORE INSERT OR UPDATE OR DELETE ON crm_health.settings
  FOR EACH ROW EXECUTE FUNCTION crm_health.mark_config_change('name');
CREATE TRIGGER mark_config_change BEFORE INSERT OR UPDATE OR DELETE ON crm_health.stage_thresholds
  FOR EACH ROW EXECUTE FUNCTION crm_health.mark_config_change('stage');
CREATE TRIGGER mark_config_change BEFORE INSERT OR UPDATE OR DELETE ON crm_health.signal_weights
  FOR EACH ROW EXECUTE FUNCTION crm_health.mark_config_change('model', 'signal');
CREATE TRIGGER mark_config_change BEFORE INSERT OR UPDATE OR DELETE ON crm_health.status_cutoffs
  FOR EACH ROW EXECUTE FUNCTION crm_health.mark_config_change('model', 'status');

-- Not of an INSERT: rows that come back one by one, as a dump may bring them, pass through states that do not descend.
CREATE TRIGGER check_cutoffs AFTER UPDATE ON crm_health.status_cutoffs
  FOR EACH STATEMENT EXECUTE FUNCTION crm_health.check_cutoffs();

CREATE TRIGGER keep_config_change AFTER INSERT OR UPDATE OR DELETE ON crm_health.settings
  FOR EACH ROW EXECUTE FUNCTION crm_health.keep_config_change('name');
CREATE TRIGGER keep_config_change AFTER INSERT OR UPDATE OR DELETE ON crm_health.stage_thresholds
  FOR EACH ROW EXECUTE FUNCTION crm_health.keep_config_change('stage');
CREATE TRIGGER keep_config_change AFTER INSERT OR UPDATE OR DELETE ON crm_health.signal_weights
  FOR EACH ROW EXECUTE FUNCTION crm_health.keep_config_change('model', 'signal');
CREATE TRIGGER keep_config_change AFTER INSERT OR UPDATE OR DELETE ON crm_health.status_cutoffs
  FOR EACH ROW EXECUTE FUNCTION crm_health.keep_config_change('model', 'status');

-- What an earlier installation of this database was told: row by row, so that one that is not valid any
-- more does not take the others along. The cut-offs of a model come together, for one alone may not descend.
DO $$
DECLARE
  v_table text;
  v_keys text;
  v_together text;
  v_updates text;
  v_group text[];
BEGIN
  IF to_regclass('crm_health.config_changes') IS NULL THEN
    RETURN;
  END IF;
  IF EXISTS (SELECT FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
             WHERE c.oid = 'crm_health.config_changes'::regclass AND (c.relkind <> 'r' OR NOT r.rolsuper)) THEN
    RAISE EXCEPTION 'crm_health.config_changes is not a table of a superuser, and is not read back'
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'look at what is in it; then DROP TABLE crm_health.config_changes, or ALTER TABLE crm_health.config_changes OWNER TO a superuser';
  END IF;
  FOR v_table, v_keys, v_together, v_updates IN VALUES
    ('settings', '{name}', '{name}', '{value}'),
    ('stage_thresholds', '{stage}', '{stage}', '{optimal_days,warning_days,critical_days}'),
    ('signal_weights', '{model,signal}', '{model,signal}', '{weight}'),
    ('status_cutoffs', '{model,status}', '{model}', '{min_score}')
  LOOP
    FOR v_group IN EXECUTE format(
      'SELECT DISTINCT ARRAY[%s] FROM crm_health.config_changes c WHERE c.table_name = %L ORDER BY 1',
      (SELECT string_agg(format('c.row_data ->> %L', k), ', ') FROM unnest(v_together::text[]) k), v_table)
    LOOP
      BEGIN
        EXECUTE format(
          'INSERT INTO crm_health.%1$I (%2$s, changed_at)
           SELECT %3$s, k.changed_at
           FROM (
             SELECT DISTINCT ON (%4$s) c.*
             FROM crm_health.config_changes c
             WHERE c.table_name = %1$L AND ARRAY[%5$s] = $1
             ORDER BY %4$s, c.changed_at DESC
           ) k, jsonb_populate_record(NULL::crm_health.%1$I, k.row_data) r
           WHERE NOT k.deleted',
          v_table,
          (SELECT string_agg(quote_ident(c), ', ') FROM unnest(v_keys::text[] || v_updates::text[]) c),
          (SELECT string_agg('r.' || quote_ident(c), ', ') FROM unnest(v_keys::text[] || v_updates::text[]) c),
          (SELECT string_agg(format('c.row_data ->> %L', c), ', ') FROM unnest(v_keys::text[]) c),
          (SELECT string_agg(format('c.row_data ->> %L', c), ', ') FROM unnest(v_together::text[]) c))
        USING v_group;
        IF v_table = 'status_cutoffs' AND EXISTS (SELECT FROM crm_health.disordered_cutoffs()) THEN
          RAISE EXCEPTION 'the cut-offs do not descend' USING ERRCODE = 'check_violation';
        END IF;
      EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN
        RAISE WARNING 'what config_changes kept of % in crm_health.% is no longer valid and was not read back: %',
          v_group, v_table, SQLERRM;
      END;
    END LOOP;
  END LOOP;
END
$$;
