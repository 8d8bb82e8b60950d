-- Whose notifications go elsewhere than by default. Users without a row: the setting notify.default_channels.
CREATE TABLE IF NOT EXISTS crm_health_sync.routes (
    user_id      uuid NOT NULL,
    channels     text[] NOT NULL DEFAULT '{}',
    muted_until  timestamptz,
    min_severity text,
    CONSTRAINT routes_pkey PRIMARY KEY (user_id),
    CONSTRAINT routes_min_severity_known CHECK (min_severity IN ('info', 'warning', 'critical')),
    CONSTRAINT routes_channels_have_names CHECK (array_position(channels, NULL) IS NULL)
);

COMMENT ON TABLE crm_health_sync.routes IS 'Where notifications about a user''s deals and contacts go; no row: the default channels';
COMMENT ON COLUMN crm_health_sync.routes.channels IS 'Names of channels of the configuration, or log; empty: the default ones';
COMMENT ON COLUMN crm_health_sync.routes.muted_until IS 'Nothing is sent before; infinity: never';
COMMENT ON COLUMN crm_health_sync.routes.min_severity IS 'Nothing less severe is sent; NULL: the setting notify.min_severity';
