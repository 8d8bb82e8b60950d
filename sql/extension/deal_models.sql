-- Fitted pipelines: how long deals stay in each stage, and where they go from there.

CREATE TABLE crm_health.deal_models (
  name             text PRIMARY KEY,
  model            jsonb NOT NULL,
  is_active        boolean NOT NULL DEFAULT false,
  fitted_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  as_of            timestamptz NOT NULL,
  decision         text NOT NULL,
  deals_used       bigint NOT NULL,
  spells_used      bigint NOT NULL,
  spells_completed bigint NOT NULL,
  compared_with    text,
  metrics          jsonb NOT NULL DEFAULT '{}',
  CONSTRAINT deal_models_name_is_named CHECK (name <> '' AND octet_length(name) <= 200)
);
CREATE UNIQUE INDEX deal_models_one_is_active ON crm_health.deal_models (is_active) WHERE is_active;
COMMENT ON TABLE crm_health.deal_models IS 'Pipelines fitted on this deployment''s own stage changes; at most one is in use';
COMMENT ON COLUMN crm_health.deal_models.model IS 'The stages in order, and for each its daily hazards and where deals go from it';
COMMENT ON COLUMN crm_health.deal_models.metrics IS 'How right a pipeline fitted 90 days earlier was about the deals then open, and how right the model in use was';

CREATE FUNCTION crm_health.keep_one_deal_model() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE crm_health.deal_models m SET is_active = false WHERE m.is_active AND m.name <> NEW.name;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm_health.keep_one_deal_model() IS 'Trigger: one model is in use';
REVOKE ALL ON FUNCTION crm_health.keep_one_deal_model() FROM PUBLIC;
CREATE TRIGGER keep_one_deal_model BEFORE INSERT OR UPDATE ON crm_health.deal_models
  FOR EACH ROW WHEN (NEW.is_active) EXECUTE FUNCTION crm_health.keep_one_deal_model();

SELECT pg_catalog.pg_extension_config_dump('crm_health.deal_models', '');
