//! The table `crm_health.ghost_models`, read and written as the owner of the extension.

use crm_health_scoring::silence::{Constants, Decision, FitReport};
use pgrx::datum::{JsonB, TimestampWithTimeZone};
use pgrx::prelude::*;

use crate::error::{Error, Result};

/// Fits, and changes of the model in use, keep each other out by this advisory lock.
const LOCK: i64 = 0x6372_6d5f_6768_6f73;

/// `crm_health.is_ghost_constants(constants)`: text, for a JSON number may be beyond all floats.
#[pg_extern(sql = false, immutable, parallel_safe)]
fn is_ghost_constants(constants: &str) -> bool {
    serde_json::from_str::<Constants>(constants).is_ok_and(|constants| constants.validate().is_ok())
}

/// A model by name, or the one in use.
pub(super) fn constants(name: Option<&str>) -> Result<(String, Constants)> {
    Spi::connect(|client| {
        let rows = client.select(
            "SELECT m.name, m.constants FROM crm_health.ghost_models m
             WHERE CASE WHEN $1 IS NULL THEN m.is_active OR m.shipped ELSE m.name = $1 END
             ORDER BY m.is_active DESC LIMIT 1",
            Some(1),
            &[name.into()],
        )?;
        if rows.is_empty() {
            return Err(Error::UnknownGhostModel(
                name.unwrap_or("default").to_owned(),
            ));
        }
        let row = rows.first();
        let name: String = row.get(1)?.unwrap_or_default();
        let JsonB(json) = row.get(2)?.unwrap_or(JsonB(serde_json::Value::Null));
        let constants = serde_json::from_value(json).map_err(|error| Error::Config {
            reason: error.to_string(),
        })?;
        Ok((name, constants))
    })
}

/// Keeps other fits out until the transaction ends; an error where one is running.
pub(super) fn lock() -> Result<()> {
    let alone: Option<bool> =
        Spi::get_one_with_args("SELECT pg_try_advisory_xact_lock($1)", &[LOCK.into()])?;
    if alone == Some(true) {
        Ok(())
    } else {
        Err(Error::FitRunning)
    }
}

/// Whether a model of this name is there.
pub(super) fn exists(name: &str) -> Result<bool> {
    let found: Option<bool> = Spi::get_one_with_args(
        "SELECT EXISTS (SELECT FROM crm_health.ghost_models m WHERE m.name = $1)",
        &[name.into()],
    )?;
    Ok(found == Some(true))
}

/// A fit to be kept.
pub(super) struct Fitted<'a> {
    pub(super) name: &'a str,
    pub(super) as_of: TimestampWithTimeZone,
    pub(super) events: u64,
    pub(super) compared_with: &'a str,
    pub(super) report: &'a FitReport,
}

/// Keeps a fit, and puts it in use where it won.
pub(super) fn store(fitted: &Fitted<'_>) -> Result<()> {
    let report = fitted.report;
    let json = |value: serde_json::Result<serde_json::Value>| {
        value.map(JsonB).map_err(|error| Error::Config {
            reason: error.to_string(),
        })
    };
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let held_out = report
        .held_out
        .map(|(by, rows)| (serde_json::to_value(by), count(rows)));
    let (by, held_out_rows) = held_out.map_or((None, 0), |(by, rows)| {
        (by.ok().and_then(|by| by.as_str().map(str::to_owned)), rows)
    });
    Spi::connect_mut(|client| {
        client.update(
            "INSERT INTO crm_health.ghost_models (name, constants, is_active, as_of, decision, first_cutoff,
               last_cutoff, events_read, rows_used, users_used, contacts_used, held_out_by, held_out_rows,
               compared_with, metrics)
             VALUES ($1, $2, $3, $4, $5, date '1970-01-01' + $6, date '1970-01-01' + $7, $8, $9, $10, $11,
               $12, $13, $14, $15)",
            None,
            &[
                fitted.name.into(),
                json(serde_json::to_value(report.constants))?.into(),
                (report.decision == Decision::Accept).into(),
                fitted.as_of.into(),
                decision(report).into(),
                report.cutoffs.map(|(first, _)| first).into(),
                report.cutoffs.map(|(_, last)| last).into(),
                i64::try_from(fitted.events).unwrap_or(i64::MAX).into(),
                count(report.rows).into(),
                count(report.users).into(),
                count(report.pairs).into(),
                by.into(),
                held_out_rows.into(),
                fitted.compared_with.into(),
                json(serde_json::to_value(&report.metrics))?.into(),
            ],
        )?;
        Ok(())
    })
}

/// The decision in words.
pub(super) fn decision(report: &FitReport) -> String {
    match report.decision {
        Decision::Accept => "put in use: better on held-out history".to_owned(),
        Decision::Keep(reason) => format!("not put in use: {reason}"),
    }
}
