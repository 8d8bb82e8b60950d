//! The settings and the scoring configuration, read at each call: a change takes effect at once.

use std::cell::RefCell;
use std::rc::Rc;

use crm_health_scoring::config::Config;
use pgrx::prelude::*;
use pgrx::spi::OwnedPreparedStatement;

use crate::error::{Error, Result};
use crate::raw::value;
use crate::statement::{Snapshot, Statement};

/// The settings that a refresh needs. The rest are read where SQL uses them.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) crm_schema: String,
    pub(crate) trusted_roles: String,
    /// For how long a dismissed alert stays quiet.
    pub(crate) alert_quiet_days: i32,
}

const READ_SETTINGS: &str = "SELECT name, value FROM crm_health.settings WHERE name IN ('crm_schema', 'trusted_roles', 'alert_quiet_days')";

thread_local! {
    // Every call reads the settings: making the plan would cost more than a call that finds all fresh.
    static SETTINGS: RefCell<Option<OwnedPreparedStatement>> = const { RefCell::new(None) };
    static CONFIG: RefCell<Option<Rc<Statement>>> = const { RefCell::new(None) };
}

impl Settings {
    pub(crate) fn read() -> Result<Self> {
        if let Some(settings) = crate::citus::settings() {
            return Ok(settings);
        }
        let mut settings = Self {
            crm_schema: "public".to_owned(),
            trusted_roles: String::new(),
            alert_quiet_days: 14,
        };
        Spi::connect(|client| -> Result<()> {
            let rows = SETTINGS.with_borrow_mut(|kept| {
                if kept.is_none() {
                    *kept = Some(client.prepare(READ_SETTINGS, &[])?.keep());
                }
                client.select(kept.as_ref().expect("just made"), None, &[])
            })?;
            for row in rows {
                let value: String = row.get(2)?.unwrap_or_default();
                match row.get::<&str>(1)? {
                    Some("crm_schema") => settings.crm_schema = value,
                    Some("trusted_roles") => settings.trusted_roles = value,
                    Some("alert_quiet_days") => {
                        settings.alert_quiet_days = value.parse().unwrap_or(14);
                    }
                    _ => {}
                }
            }
            Ok(())
        })?;
        Ok(settings)
    }
}

/// The scoring configuration of the config tables as JSON, checked to be usable.
pub(crate) fn scoring_config() -> Result<serde_json::Value> {
    if let Some(value) = crate::citus::config() {
        parse_config(&value)?;
        return Ok(value);
    }
    let found: Option<JsonB> = Spi::connect(|_| {
        let statement = config_statement()?;
        let _snapshot = Snapshot::newest();
        // SAFETY: there are no values, and the column is a jsonb.
        unsafe {
            let [config] = statement.read(&[]).one();
            Ok::<_, Error>(value(config))
        }
    })?;
    let JsonB(value) = found.ok_or_else(|| Error::Config {
        reason: "there is none".to_owned(),
    })?;
    parse_config(&value)?;
    Ok(value)
}

/// The query that `crm_health.scoring_config()` is made of: a call would have it parsed and planned each time.
fn config_statement() -> Result<Rc<Statement>> {
    const BODY: &str = "SELECT p.prosrc FROM pg_catalog.pg_proc p
       WHERE p.oid = 'crm_health.scoring_config()'::pg_catalog.regprocedure";
    if let Some(kept) = CONFIG.with_borrow(Clone::clone) {
        return Ok(kept);
    }
    // Not Spi::get_one, which takes a transaction id: there are none on a standby.
    let body: Option<String> =
        Spi::connect(|client| client.select(BODY, Some(1), &[])?.first().get_one())?;
    let made = Rc::new(Statement::new(&body.unwrap_or_default(), &[]));
    CONFIG.set(Some(Rc::clone(&made)));
    Ok(made)
}

/// The core's configuration from its JSON.
pub(crate) fn parse_config(value: &serde_json::Value) -> Result<Config> {
    let unusable = |reason: String| Error::Config { reason };
    let mut value = value.clone();
    // Not of the core's configuration: see `pipeline`.
    if let Some(sections) = value.as_object_mut() {
        sections.remove(crate::pipeline::SECTION);
        sections.remove(crate::pipeline::OWNERS);
    }
    let config: Config =
        serde_json::from_value(value).map_err(|error| unusable(error.to_string()))?;
    config
        .validate()
        .map_err(|error| unusable(error.to_string()))?;
    Ok(config)
}

use pgrx::datum::JsonB;
