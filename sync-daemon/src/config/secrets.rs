//! The secrets: wrapped so that they do not print, read from the environment alone.

use secrecy::{ExposeSecret, SecretString};

use super::{ConfigError, Environment};

/// A cron secret shorter than this could be guessed, and is refused.
const MIN_CRON_SECRET: usize = 16;

/// Everything that must never be printed.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// `CRM_HEALTH_DATABASE_URL`
    pub database_url: Option<SecretString>,
    /// `CRM_HEALTH_GOOGLE_CLIENT_SECRET`
    pub client_secret: Option<SecretString>,
    /// `CRM_HEALTH_CRON_SECRET`; without it the cron endpoints are closed.
    pub cron_secret: Option<SecretString>,
    /// `CRM_HEALTH_ANTHROPIC_API_KEY`; with it a language model reads mail in place of the lexicon.
    pub anthropic_key: Option<SecretString>,
    /// `CRM_HEALTH_TOKEN_KEY`; without it tokens are stored as they are.
    pub token_key: Option<SecretString>,
}

impl Secrets {
    pub(super) fn read(env: &Environment) -> Result<Self, ConfigError> {
        let secrets = Self {
            database_url: secret(env, "CRM_HEALTH_DATABASE_URL")?,
            client_secret: secret(env, "CRM_HEALTH_GOOGLE_CLIENT_SECRET")?,
            cron_secret: secret(env, "CRM_HEALTH_CRON_SECRET")?,
            anthropic_key: secret(env, "CRM_HEALTH_ANTHROPIC_API_KEY")?,
            token_key: secret(env, "CRM_HEALTH_TOKEN_KEY")?,
        };
        secrets.refuse_weak_cron_secret()?;
        Ok(secrets)
    }

    fn refuse_weak_cron_secret(&self) -> Result<(), ConfigError> {
        let weak = |s: &SecretString| s.expose_secret().trim().len() < MIN_CRON_SECRET;
        if self.cron_secret.as_ref().is_some_and(weak) {
            return Err(ConfigError::value(
                "CRM_HEALTH_CRON_SECRET",
                format!(
                    "must have at least {MIN_CRON_SECRET} characters; make one with: openssl rand -hex 32"
                ),
            ));
        }
        Ok(())
    }
}

fn secret(env: &Environment, name: &str) -> Result<Option<SecretString>, ConfigError> {
    Ok(env.get(name)?.map(SecretString::from))
}
