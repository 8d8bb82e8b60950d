//! Configuration: the documented defaults, a TOML file over them, the environment over both.
//!
//! Contract: an unknown key is refused, a value that cannot work is refused with the name of its key, and secrets
//! come from the environment or from files named there, never from the TOML file and never into a log.

mod env;
mod notify;
mod reference;
mod secrets;
mod sentiment;
mod validate;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

pub use env::Environment;
pub use notify::{Channel, ChannelKind, ChannelSecrets, LOG, Notify, Severity, variables};
pub use reference::reference;
pub use secrets::Secrets;
pub use sentiment::{Anthropic, Sentiment};

/// The file shipped in the repository: every key with its default and its meaning.
pub const DEFAULTS: &str = include_str!("../../config/crm-health-sync.toml");

/// Where the configuration is looked for when nobody says otherwise.
pub const DEFAULT_PATH: &str = "/etc/crm-health/sync.toml";

/// What is wrong with the configuration, with the key or variable to mend.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file named on the command line or in `CRM_HEALTH_CONFIG` cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, an unknown key, or a wrong type.
    #[error("{origin}: {message}")]
    Syntax {
        /// The file or variable.
        origin: String,
        /// What the parser said.
        message: String,
    },
    /// A value that cannot work.
    #[error("{key}: {message}")]
    Value {
        /// The setting.
        key: String,
        /// What it must be.
        message: String,
    },
}

impl ConfigError {
    pub(crate) fn value(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Value {
            key: key.into(),
            message: message.into(),
        }
    }
}

/// All settings of the daemon.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of the HTTP endpoints.
    pub listen: SocketAddr,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What `/metrics` exports.
    pub metrics: MetricsExport,
    /// The database.
    pub database: Database,
    /// Gmail and the token endpoint.
    pub google: Google,
    /// Quotas and what calls cost.
    pub quota: Quota,
    /// What is synced, and when.
    pub sync: Sync,
    /// What is read of the mood of mail.
    pub sentiment: Sentiment,
    /// The language model that reads it, where a key is configured.
    pub anthropic: Anthropic,
    /// Notifications: where to, and when.
    pub notify: Notify,
    /// Secrets; never part of the file.
    #[serde(skip)]
    pub secrets: Secrets,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `[metrics]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsExport {
    /// Whether the extension's metrics are exported too.
    pub extension: bool,
}

/// `[database]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Schema of the CRM tables.
    pub crm_schema: String,
    /// Size of the pool.
    pub max_connections: u32,
    /// Seconds to wait for a connection.
    pub connect_timeout_seconds: u64,
    /// Seconds that a run waits for a database that went away.
    pub outage_wait_seconds: u64,
}

/// `[google]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Google {
    /// Base of the Gmail API, without a trailing slash.
    pub gmail_base_url: String,
    /// OAuth token endpoint.
    pub token_url: String,
    /// OAuth consent page.
    pub consent_url: String,
    /// OAuth client id.
    pub client_id: String,
    /// Seconds for one request.
    pub request_timeout_seconds: u64,
    /// Seconds for a connection.
    pub connect_timeout_seconds: u64,
    /// Bytes of the largest answer read.
    pub max_response_bytes: usize,
    /// Seconds before expiry at which an access token is refreshed.
    pub refresh_ahead_seconds: u64,
    /// First backoff in milliseconds.
    pub backoff_first_ms: u64,
    /// Largest backoff in milliseconds.
    pub backoff_cap_ms: u64,
    /// Tries for one request or part.
    pub max_tries: u32,
    /// Seconds that a run waits for a rate limit at most.
    pub max_rate_wait_seconds: u64,
}

/// `[quota]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Units a minute for one mailbox.
    pub user_units_per_minute: u32,
    /// Units a minute for the project.
    pub project_units_per_minute: u32,
    /// Share of the minute's units that may go at once (0–1), mailbox.
    pub user_burst_share: f64,
    /// The same for the project.
    pub project_burst_share: f64,
    /// Share of the project's bucket that a backfill leaves (0–1).
    pub backfill_reserve_share: f64,
    /// Units of `messages.get`.
    pub message_units: u32,
    /// Units of `messages.list`.
    pub list_units: u32,
    /// Units of `history.list`.
    pub history_units: u32,
    /// Units of `getProfile`.
    pub profile_units: u32,
    /// Units of `settings.sendAs.list`.
    pub send_as_units: u32,
}

/// `[sync]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    /// Cron expression, UTC.
    pub schedule: String,
    /// Largest random delay after the schedule, seconds.
    pub jitter_seconds: u64,
    /// Days since the last login within which a user is active.
    pub active_window_days: u32,
    /// Days of mail that a first sync reads.
    pub first_sync_days: u32,
    /// Messages of one mailbox in one run.
    pub max_messages_per_run: u64,
    /// Mailboxes at the same time.
    pub concurrent_mailboxes: usize,
    /// Parts of a batch request, 1–100.
    pub batch_size: usize,
    /// Life of a lease without renewal, seconds.
    pub lease_seconds: u64,
    /// Whether subjects are stored.
    pub keep_subjects: bool,
    /// Seconds until a run that was cut short is repeated.
    pub repeat_after_seconds: u64,
    /// Whether scores are refreshed after a sync.
    pub refresh_scores: bool,
    /// Seconds after which a refresh counts as failed.
    pub refresh_timeout_seconds: u64,
    /// Whether send-as aliases are read.
    pub read_aliases: bool,
}

impl Config {
    /// Reads the defaults, `file` (or the default path if it exists) and the environment.
    ///
    /// # Errors
    /// [`ConfigError`] names the file, key or variable and what it must be.
    pub fn load(file: Option<&Path>, env: &Environment) -> Result<Self, ConfigError> {
        let mut table = parse_table("built-in defaults", DEFAULTS)?;
        let named = match file {
            Some(file) => Some(file.to_path_buf()),
            None => env.config_path()?,
        };
        let (path, origin) = match named {
            Some(path) => (Some(path.clone()), path.display().to_string()),
            None => (existing_default(), DEFAULT_PATH.to_owned()),
        };
        if let Some(path) = path {
            let text =
                std::fs::read_to_string(&path).map_err(|source| ConfigError::Unreadable {
                    path: path.clone(),
                    source,
                })?;
            merge(&mut table, parse_table(&origin, &text)?);
        }
        let wrong = |e: toml::de::Error| ConfigError::Syntax {
            origin: origin.clone(),
            message: e.message().to_owned(),
        };
        table.clone().try_into::<Self>().map_err(wrong)?;
        env.overlay(&mut table)?;
        let mut config: Self = table.try_into().map_err(wrong)?;
        config.secrets = Secrets::read(env, &config.notify)?;
        config.validate()?;
        Ok(config)
    }
}

impl Google {
    /// Backoff before try number `attempt` (0 = first retry), without jitter.
    #[must_use]
    pub fn backoff(&self, attempt: u32) -> Duration {
        let doubled = self.backoff_first_ms.saturating_mul(1 << attempt.min(16));
        Duration::from_millis(doubled.min(self.backoff_cap_ms))
    }
}

fn existing_default() -> Option<PathBuf> {
    let path = PathBuf::from(DEFAULT_PATH);
    path.exists().then_some(path)
}

fn parse_table(origin: &str, text: &str) -> Result<toml::Table, ConfigError> {
    text.parse()
        .map_err(|e: toml::de::Error| ConfigError::Syntax {
            origin: origin.to_owned(),
            message: e.to_string().trim_end().to_owned(),
        })
}

/// Lays `over` on `base`, table by table.
fn merge(base: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => merge(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}
