//! Values that parse but cannot work.

use url::{Host, Url};

use super::{Config, ConfigError};

impl Config {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        self.validate_google()?;
        self.validate_quota()?;
        self.validate_sync()?;
        self.validate_anthropic()?;
        self.notify.validate()?;
        // One hears notifications, one may run the refresh of everyone for long.
        if self.database.max_connections < 4 {
            return Err(ConfigError::value(
                "database.max_connections",
                "must be at least 4",
            ));
        }
        let schema = &self.database.crm_schema;
        if schema.is_empty() || schema.contains(['\0', '\'']) {
            return Err(ConfigError::value(
                "database.crm_schema",
                "must name a schema",
            ));
        }
        Ok(())
    }

    fn validate_google(&self) -> Result<(), ConfigError> {
        check_url("google.gmail_base_url", &self.google.gmail_base_url)?;
        check_url("google.token_url", &self.google.token_url)?;
        check_url("google.consent_url", &self.google.consent_url)?;
        positive(
            "google.request_timeout_seconds",
            self.google.request_timeout_seconds,
        )?;
        positive("google.max_tries", u64::from(self.google.max_tries))?;
        if self.google.max_response_bytes < 65_536 {
            return Err(ConfigError::value(
                "google.max_response_bytes",
                "must be at least 65536",
            ));
        }
        Ok(())
    }

    fn validate_quota(&self) -> Result<(), ConfigError> {
        let quota = &self.quota;
        for (key, share) in [
            ("quota.user_burst_share", quota.user_burst_share),
            ("quota.project_burst_share", quota.project_burst_share),
            ("quota.backfill_reserve_share", quota.backfill_reserve_share),
        ] {
            if !(share > 0.0 && share < 1.0) {
                return Err(ConfigError::value(
                    key,
                    "must be between 0 and 1, both excluded",
                ));
            }
        }
        let burst = f64::from(quota.user_units_per_minute) * quota.user_burst_share;
        if burst < f64::from(quota.message_units.max(quota.list_units)) {
            return Err(ConfigError::value(
                "quota.user_units_per_minute",
                "its burst must pay for at least one message",
            ));
        }
        positive(
            "quota.project_units_per_minute",
            u64::from(quota.project_units_per_minute),
        )
    }

    fn validate_anthropic(&self) -> Result<(), ConfigError> {
        let a = &self.anthropic;
        check_url("anthropic.base_url", &a.base_url)?;
        for (key, value) in [
            ("anthropic.input_usd_per_million", a.input_usd_per_million),
            ("anthropic.output_usd_per_million", a.output_usd_per_million),
            ("anthropic.daily_cap_usd", a.daily_cap_usd),
        ] {
            if !(value.is_finite() && value > 0.0) {
                return Err(ConfigError::value(key, "must be above 0"));
            }
        }
        for (key, text) in [
            ("anthropic.model", &a.model),
            ("anthropic.version", &a.version),
        ] {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:@".contains(&b);
            if text.is_empty() || !text.bytes().all(plain) {
                return Err(ConfigError::value(key, "must be letters, digits and -._:@"));
            }
        }
        if !(1..=100).contains(&a.batch_size) {
            return Err(ConfigError::value(
                "anthropic.batch_size",
                "must be between 1 and 100",
            ));
        }
        if !(1..=366).contains(&a.max_age_days) {
            return Err(ConfigError::value(
                "anthropic.max_age_days",
                "must be between 1 and 366",
            ));
        }
        positive(
            "anthropic.requests_per_minute",
            u64::from(a.requests_per_minute),
        )?;
        positive(
            "anthropic.max_mails_per_run",
            u64::from(a.max_mails_per_run),
        )?;
        positive(
            "anthropic.request_timeout_seconds",
            a.request_timeout_seconds,
        )?;
        positive("anthropic.max_tries", u64::from(a.max_tries))
    }

    fn validate_sync(&self) -> Result<(), ConfigError> {
        let sync = &self.sync;
        if let Err(error) = crate::service::Schedule::parse(&sync.schedule) {
            return Err(ConfigError::value("sync.schedule", error.to_string()));
        }
        if !(1..=100).contains(&sync.batch_size) {
            return Err(ConfigError::value(
                "sync.batch_size",
                "must be between 1 and 100",
            ));
        }
        if sync.lease_seconds < 10 {
            return Err(ConfigError::value(
                "sync.lease_seconds",
                "must be at least 10",
            ));
        }
        positive("sync.max_messages_per_run", sync.max_messages_per_run)?;
        positive("sync.repeat_after_seconds", sync.repeat_after_seconds)?;
        positive("sync.first_sync_days", u64::from(sync.first_sync_days))?;
        positive(
            "sync.active_window_days",
            u64::from(sync.active_window_days),
        )?;
        positive(
            "sync.concurrent_mailboxes",
            sync.concurrent_mailboxes as u64,
        )
    }
}

pub(super) fn positive(key: &str, value: u64) -> Result<(), ConfigError> {
    if value == 0 {
        Err(ConfigError::value(key, "must be at least 1"))
    } else {
        Ok(())
    }
}

/// Tokens travel there: https, or plain http to this machine only.
fn check_url(key: &str, text: &str) -> Result<(), ConfigError> {
    Url::parse(text).map_err(|e| ConfigError::value(key, format!("not a URL: {e}")))?;
    if is_safe_url(text) {
        Ok(())
    } else {
        Err(ConfigError::value(
            key,
            "must be https (plain http only to this machine)",
        ))
    }
}

/// Whether a secret may travel there.
pub(super) fn is_safe_url(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let local = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && local)
}
