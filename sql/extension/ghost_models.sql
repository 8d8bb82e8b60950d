-- The constants of the silence model: what ships, and every fit with what it was judged on.

CREATE FUNCTION crm_health.is_ghost_constants(p_constants text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'is_ghost_constants_wrapper';
COMMENT ON FUNCTION crm_health.is_ghost_constants(text)
  IS 'Whether these are constants that the silence model can work with: all there, finite and in their ranges';

CREATE TABLE crm_health.ghost_models (
  name            text PRIMARY KEY,
  constants       jsonb NOT NULL,
  is_active       boolean NOT NULL DEFAULT false,
  fitted_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  as_of           timestamptz,
  decision        text NOT NULL,
  first_cutoff    date,
  last_cutoff     date,
  events_read     bigint NOT NULL DEFAULT 0,
  rows_used       bigint NOT NULL DEFAULT 0,
  users_used      bigint NOT NULL DEFAULT 0,
  contacts_used   bigint NOT NULL DEFAULT 0,
  held_out_by     text,
  held_out_rows   bigint NOT NULL DEFAULT 0,
  compared_with   text,
  metrics         jsonb NOT NULL DEFAULT '[]',
  shipped         boolean NOT NULL DEFAULT false,
  CONSTRAINT ghost_models_name_is_named CHECK (name <> '' AND octet_length(name) <= 200),
  CONSTRAINT ghost_models_constants_are_usable CHECK (crm_health.is_ghost_constants(constants::text)),
  CONSTRAINT ghost_models_held_out_by_is_known CHECK (held_out_by IN ('user', 'contact'))
);
CREATE UNIQUE INDEX ghost_models_one_is_active ON crm_health.ghost_models (is_active) WHERE is_active;
COMMENT ON TABLE crm_health.ghost_models IS 'Constants of the silence model: what ships, and every fit of this deployment; one is in use';
COMMENT ON COLUMN crm_health.ghost_models.decision IS 'Why it was or was not put in use when it was fitted';
COMMENT ON COLUMN crm_health.ghost_models.first_cutoff IS 'The first day as of which the fit looked at the past';
COMMENT ON COLUMN crm_health.ghost_models.held_out_by IS 'What was kept from the fit to judge it on: user or, where there are too few, contact';
COMMENT ON COLUMN crm_health.ghost_models.compared_with IS 'The model that was in use when this one was fitted';
COMMENT ON COLUMN crm_health.ghost_models.metrics IS 'For each horizon: how right this model and the one then in use were on what was held out';

-- One model is in use: whoever puts one in use takes the other out. A restore thereby brings back the
-- one that was in use when the dump was made.
CREATE FUNCTION crm_health.keep_one_ghost_model() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND OLD.shipped AND (NEW.name, NEW.constants) IS DISTINCT FROM (OLD.name, OLD.constants)) THEN
    RAISE EXCEPTION 'the constants that ship cannot be deleted or changed'
      USING ERRCODE = 'restrict_violation', HINT = 'SELECT crm_health.use_ghost_model(name) puts others in use';
  END IF;
  IF NEW.is_active THEN
    UPDATE crm_health.ghost_models m SET is_active = false WHERE m.is_active AND m.name <> NEW.name;
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm_health.keep_one_ghost_model() IS 'Trigger: one model is in use, and the one that ships stays';
REVOKE ALL ON FUNCTION crm_health.keep_one_ghost_model() FROM PUBLIC;

INSERT INTO crm_health.ghost_models (name, constants, is_active, decision, shipped) VALUES
  ('default',
   '{"shape": 0.75, "gap_prior": 11.3031, "dropout_a": 0.2046, "dropout_b": 1.7403, "memory": 0.8847,
     "beta": [0.0478, 0.3532, 0.6818, -0.6633, 0.6117]}',
   true, 'ships: fitted on five mail and call corpora', true);

CREATE TRIGGER keep_one_ghost_model BEFORE INSERT OR UPDATE ON crm_health.ghost_models
  FOR EACH ROW EXECUTE FUNCTION crm_health.keep_one_ghost_model();
CREATE TRIGGER keep_shipped_ghost_model BEFORE DELETE ON crm_health.ghost_models
  FOR EACH ROW WHEN (OLD.shipped) EXECUTE FUNCTION crm_health.keep_one_ghost_model();

SELECT pg_catalog.pg_extension_config_dump('crm_health.ghost_models', 'WHERE NOT shipped');
