//! `[notify]`: what of the extension's outbox goes where, and when.

use std::collections::BTreeMap;

use chrono::NaiveTime;
use chrono_tz::Tz;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::validate::{is_safe_url, positive};
use super::{ConfigError, Environment};

/// A signing secret shorter than this could be guessed, and is refused.
const MIN_SIGNING_SECRET: usize = 16;

/// The channel that is always there.
pub const LOG: &str = "log";

/// `[notify]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notify {
    /// Whether notifications are delivered at all.
    pub enabled: bool,
    /// Where those go that concern a user without a route.
    pub default_channels: Vec<String>,
    /// Where those go that concern no user; empty: as by default.
    pub operator_channels: Vec<String>,
    /// Nothing less severe is delivered.
    pub min_severity: Severity,
    /// Seconds for which notifications are gathered into one message.
    pub group_seconds: u64,
    /// Notifications told in full in one message.
    pub max_items: usize,
    /// Hours after which an undelivered notification is of no use any more.
    pub max_age_hours: u32,
    /// Seconds after which the outbox is looked at without a bell.
    pub poll_seconds: u64,
    /// Seconds for one request.
    pub request_timeout_seconds: u64,
    /// First wait after a failure, seconds.
    pub backoff_first_seconds: u64,
    /// Longest wait after failures, seconds.
    pub backoff_cap_seconds: u64,
    /// Zone of the times below.
    pub time_zone: String,
    /// Beginning of the quiet hours, HH:MM; empty: none.
    pub quiet_from: String,
    /// End of the quiet hours, HH:MM.
    pub quiet_until: String,
    /// Whether critical notifications are sent in the quiet hours.
    pub critical_breaks_quiet: bool,
    /// When the daily digest goes out, HH:MM; empty: never.
    pub digest_at: String,
    /// The channels by name.
    pub channels: BTreeMap<String, Channel>,
}

/// `[notify.channels.NAME]`
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// What is at the other end.
    pub kind: ChannelKind,
}

/// What is at the other end of a channel.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    /// An incoming webhook of Slack.
    Slack,
    /// Whoever takes signed JSON.
    Webhook,
}

/// How urgent a notification is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// To be looked at.
    Warning,
    /// To be looked at now.
    Critical,
}

/// The secrets of a channel.
#[derive(Clone, Debug)]
pub struct ChannelSecrets {
    /// Where to post to.
    pub url: SecretString,
    /// What the posts are signed with; only a webhook has one.
    pub signing: Option<SecretString>,
}

impl Severity {
    /// The severity of this name; what is unknown is told like a warning, for it may matter.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "info" => Self::Info,
            "critical" => Self::Critical,
            _ => Self::Warning,
        }
    }

    /// Its name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl Notify {
    /// The zone of the quiet hours and the digest.
    ///
    /// # Errors
    /// The name is of no zone of the IANA database.
    pub fn zone(&self) -> Result<Tz, ConfigError> {
        self.time_zone.parse().map_err(|_| {
            ConfigError::value(
                "notify.time_zone",
                "must be UTC or a zone of the IANA database, such as Europe/Berlin",
            )
        })
    }

    /// From when until when it is quiet; `None`: never.
    ///
    /// # Errors
    /// One of the two is missing or no time, or they are the same.
    pub fn quiet_hours(&self) -> Result<Option<(NaiveTime, NaiveTime)>, ConfigError> {
        let from = time_of_day("notify.quiet_from", &self.quiet_from)?;
        let until = time_of_day("notify.quiet_until", &self.quiet_until)?;
        match (from, until) {
            (None, None) => Ok(None),
            (Some(from), Some(until)) if from != until => Ok(Some((from, until))),
            (Some(_), Some(_)) => Err(ConfigError::value(
                "notify.quiet_until",
                "must differ from notify.quiet_from; to send nothing at all set notify.enabled = false",
            )),
            (Some(_), None) => Err(ConfigError::value(
                "notify.quiet_until",
                "must be set too, HH:MM",
            )),
            (None, Some(_)) => Err(ConfigError::value(
                "notify.quiet_from",
                "must be set too, HH:MM",
            )),
        }
    }

    /// When the digest is due; `None`: never.
    ///
    /// # Errors
    /// Not a time.
    pub fn digest_time(&self) -> Result<Option<NaiveTime>, ConfigError> {
        time_of_day("notify.digest_at", &self.digest_at)
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        self.zone()?;
        self.quiet_hours()?;
        self.digest_time()?;
        for (key, value) in [
            ("notify.poll_seconds", self.poll_seconds),
            (
                "notify.request_timeout_seconds",
                self.request_timeout_seconds,
            ),
            ("notify.backoff_first_seconds", self.backoff_first_seconds),
        ] {
            positive(key, value)?;
        }
        within(
            "notify.request_timeout_seconds",
            self.request_timeout_seconds,
            1,
            120,
        )?;
        within(
            "notify.backoff_cap_seconds",
            self.backoff_cap_seconds,
            self.backoff_first_seconds,
            86_400,
        )?;
        within("notify.group_seconds", self.group_seconds, 0, 3_600)?;
        within("notify.max_items", self.max_items as u64, 1, 45)?;
        within(
            "notify.max_age_hours",
            u64::from(self.max_age_hours),
            1,
            168,
        )?;
        self.outlives_the_quiet_hours()?;
        self.validate_names()
    }

    /// What comes at their beginning must still be of use at their end.
    fn outlives_the_quiet_hours(&self) -> Result<(), ConfigError> {
        const DAY_MINUTES: i64 = 24 * 60;
        let Some((from, until)) = self.quiet_hours()? else {
            return Ok(());
        };
        let quiet = (until - from).num_minutes().rem_euclid(DAY_MINUTES);
        if i64::from(self.max_age_hours) * 60 > quiet {
            return Ok(());
        }
        Err(ConfigError::value(
            "notify.max_age_hours",
            "must be longer than the quiet hours: what waits for their end would be given up before",
        ))
    }

    fn validate_names(&self) -> Result<(), ConfigError> {
        for name in self.channels.keys() {
            if name == LOG || !is_channel_name(name) {
                return Err(ConfigError::value(
                    format!("notify.channels.{name}"),
                    "a name has 1 to 30 of a-z, 0-9 and _, begins with a letter, and is not log",
                ));
            }
        }
        for (key, names) in [
            ("notify.default_channels", &self.default_channels),
            ("notify.operator_channels", &self.operator_channels),
        ] {
            let known = |name: &&String| *name != LOG && !self.channels.contains_key(*name);
            if let Some(name) = names.iter().find(known) {
                return Err(ConfigError::value(
                    key,
                    format!("there is no channel {name}: add [notify.channels.{name}], or use log"),
                ));
            }
        }
        Ok(())
    }
}

impl ChannelSecrets {
    /// What the environment has for the channel `name`; `None`: it is not set up.
    pub(super) fn read(
        env: &Environment,
        name: &str,
        kind: ChannelKind,
    ) -> Result<Option<Self>, ConfigError> {
        let (url_name, secret_name) = variables(name);
        let url = env.get(&url_name)?.filter(|url| !url.trim().is_empty());
        let signing = env.get(&secret_name)?;
        let Some(url) = url else { return Ok(None) };
        if !is_safe_url(url.trim()) {
            return Err(ConfigError::value(
                url_name,
                "must be an https URL (plain http only to this machine)",
            ));
        }
        let short = |s: &String| s.trim().len() < MIN_SIGNING_SECRET;
        if kind == ChannelKind::Webhook && signing.as_ref().is_none_or(short) {
            return Err(ConfigError::value(
                secret_name,
                format!(
                    "must have at least {MIN_SIGNING_SECRET} characters; make one with: openssl rand -hex 32"
                ),
            ));
        }
        Ok(Some(Self {
            url: url.trim().to_owned().into(),
            signing: signing
                .filter(|_| kind == ChannelKind::Webhook)
                .map(|s| s.trim().to_owned().into()),
        }))
    }

    /// The host that is posted to, which may be told.
    #[must_use]
    pub fn host(&self) -> String {
        url::Url::parse(self.url.expose_secret())
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// The variables of a channel: its URL, its signing secret.
#[must_use]
pub fn variables(name: &str) -> (String, String) {
    let name = name.to_ascii_uppercase();
    (
        format!("CRM_HEALTH_CHANNEL_{name}_URL"),
        format!("CRM_HEALTH_CHANNEL_{name}_SECRET"),
    )
}

fn is_channel_name(name: &str) -> bool {
    (1..=30).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn time_of_day(key: &str, text: &str) -> Result<Option<NaiveTime>, ConfigError> {
    if text.is_empty() {
        return Ok(None);
    }
    NaiveTime::parse_from_str(text, "%H:%M")
        .map(Some)
        .map_err(|_| ConfigError::value(key, "must be a time such as 07:30, or empty"))
}

fn within(key: &str, value: u64, least: u64, most: u64) -> Result<(), ConfigError> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(ConfigError::value(
            key,
            format!("must be between {least} and {most}"),
        ))
    }
}
