//! The secrets: wrapped so that they do not print, read from the environment alone.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::notify::{ChannelSecrets, Notify};
use super::{ConfigError, Environment};

/// A secret for HTTP that is shorter than this could be guessed, and is refused.
const MIN_HTTP_SECRET: usize = 16;

const DATABASE_URL: &str = "CRM_HEALTH_DATABASE_URL";
const CLIENT_SECRET: &str = "CRM_HEALTH_GOOGLE_CLIENT_SECRET";
const CRON_SECRET: &str = "CRM_HEALTH_CRON_SECRET";
const DASHBOARD_SECRET: &str = "CRM_HEALTH_DASHBOARD_SECRET";
const TOKEN_KEY: &str = "CRM_HEALTH_TOKEN_KEY";
const ANTHROPIC_KEY: &str = "CRM_HEALTH_ANTHROPIC_API_KEY";

/// The variables that secrets come from, and what each is, for the reference.
pub(super) const VARIABLES: [(&str, &str); 8] = [
    (
        DATABASE_URL,
        "the database: `postgres://user:password@host/name`; required",
    ),
    (CLIENT_SECRET, "the secret of the OAuth client; required"),
    (
        CRON_SECRET,
        "what callers of the cron endpoints show, at least 16 characters; without it the endpoints are closed",
    ),
    (
        DASHBOARD_SECRET,
        "the password of the [dashboard](dashboard.md), at least 16 characters; without it the dashboard is off",
    ),
    (
        TOKEN_KEY,
        "32 bytes in base64, which seal the tokens at rest; several: the current one first, separated by commas; without it tokens are stored as they are",
    ),
    (
        ANTHROPIC_KEY,
        "the key of Anthropic's API; with it a [language model](sentiment.md) reads mail in place of the lexicon",
    ),
    (
        "CRM_HEALTH_CHANNEL_<NAME>_URL",
        "where the channel of this name posts to; without it the channel is not set up",
    ),
    (
        "CRM_HEALTH_CHANNEL_<NAME>_SECRET",
        "what a channel of kind `webhook` signs its posts with, at least 16 characters; required for such a one",
    ),
];

/// Everything that must never be printed.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// `CRM_HEALTH_DATABASE_URL`
    pub database_url: Option<SecretString>,
    /// `CRM_HEALTH_GOOGLE_CLIENT_SECRET`
    pub client_secret: Option<SecretString>,
    /// `CRM_HEALTH_CRON_SECRET`; without it the cron endpoints are closed.
    pub cron_secret: Option<SecretString>,
    /// `CRM_HEALTH_DASHBOARD_SECRET`; without it the dashboard is off.
    pub dashboard_secret: Option<SecretString>,
    /// `CRM_HEALTH_ANTHROPIC_API_KEY`; with it a language model reads mail in place of the lexicon.
    pub anthropic_key: Option<SecretString>,
    /// `CRM_HEALTH_TOKEN_KEY`; without it tokens are stored as they are.
    pub token_key: Option<SecretString>,
    /// `CRM_HEALTH_CHANNEL_…_URL` and `…_SECRET`; a channel without is not set up.
    pub channels: BTreeMap<String, ChannelSecrets>,
}

impl Secrets {
    pub(super) fn read(env: &Environment, notify: &Notify) -> Result<Self, ConfigError> {
        let mut channels = BTreeMap::new();
        for (name, channel) in &notify.channels {
            if let Some(found) = ChannelSecrets::read(env, name, channel.kind)? {
                channels.insert(name.clone(), found);
            }
        }
        let secrets = Self {
            channels,
            database_url: secret(env, DATABASE_URL)?,
            client_secret: secret(env, CLIENT_SECRET)?,
            cron_secret: secret(env, CRON_SECRET)?,
            dashboard_secret: secret(env, DASHBOARD_SECRET)?,
            anthropic_key: secret(env, ANTHROPIC_KEY)?,
            token_key: secret(env, TOKEN_KEY)?,
        };
        refuse_weak(CRON_SECRET, secrets.cron_secret.as_ref())?;
        refuse_weak(DASHBOARD_SECRET, secrets.dashboard_secret.as_ref())?;
        Ok(secrets)
    }
}

fn refuse_weak(name: &str, secret: Option<&SecretString>) -> Result<(), ConfigError> {
    let weak = |s: &SecretString| s.expose_secret().trim().len() < MIN_HTTP_SECRET;
    if secret.is_some_and(weak) {
        return Err(ConfigError::value(
            name,
            format!(
                "must have at least {MIN_HTTP_SECRET} characters; make one with: openssl rand -hex 32"
            ),
        ));
    }
    Ok(())
}

fn secret(env: &Environment, name: &str) -> Result<Option<SecretString>, ConfigError> {
    Ok(env.get(name)?.map(SecretString::from))
}
