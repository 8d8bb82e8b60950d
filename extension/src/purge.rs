//! Deletes what the retention settings no longer keep.

use pgrx::datum::{JsonB, TimestampWithTimeZone};
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_getarg, pg_sys};
use serde_json::{Value, json};

use crate::crm::Crm;
use crate::error::{Error, Result, or_raise};
use crate::owner::AsOwner;
use crate::raw::pg_function;
use crate::refresh::check_as_of;
use crate::settings::Settings;
use crate::{caller, citus, crm};

pg_function! {
    /// `crm_health.purge(p_as_of)`
    fn purge(fcinfo) {
        // SAFETY: the argument is declared timestamptz.
        let as_of = unsafe { pg_getarg::<TimestampWithTimeZone>(fcinfo, 0) };
        let deleted = or_raise(purge_all(as_of));
        JsonB(deleted).into_datum().unwrap_or(pgrx::pg_sys::Datum::null())
    }
}

fn purge_all(as_of: Option<TimestampWithTimeZone>) -> Result<serde_json::Value> {
    let as_of = as_of.ok_or(Error::AsOfOutOfRange)?;
    // SAFETY: reads the clock.
    if check_as_of(as_of)? > unsafe { pg_sys::GetCurrentTimestamp() } {
        return Err(Error::AsOfInFuture);
    }
    let settings = Settings::read()?;
    let crm = crm::current(&settings.crm_schema)?;
    let owner = crm.score_owner()?;
    if !caller::is_trusted(Some(owner), &settings.trusted_roles) {
        return Err(Error::NotTrusted);
    }
    let history_days = days("history_retention_days")?;
    let runs = delete(
        "DELETE FROM crm_health.runs r
         WHERE r.state <> 'running' AND r.started_at < $1 - make_interval(days => $2)",
        as_of,
        days("run_log_retention_days")?,
    )?;
    let notifications = notifications(as_of)?;
    let (deals, relationships) = if crm.is_spread() {
        histories_elsewhere(&crm, as_of, history_days, &settings)?
    } else {
        let _owner = AsOwner::enter(owner);
        histories(&crm, as_of, history_days)?
    };
    Ok(serde_json::json!({
        "runsDeleted": runs,
        "notificationsDeleted": notifications,
        "dealSnapshotsDeleted": deals,
        "relationshipSnapshotsDeleted": relationships,
    }))
}

/// Old snapshots of deals and of relationships go; returns how many.
fn histories(crm: &Crm, as_of: TimestampWithTimeZone, days: i32) -> Result<(usize, usize)> {
    let relationships = ("relationship_health_history", "relationship_health_id");
    Ok((
        snapshots(crm, "deal_health_history", "deal_id", as_of, days)?,
        snapshots(crm, relationships.0, relationships.1, as_of, days)?,
    ))
}

/// The same, by all servers that hold users.
fn histories_elsewhere(
    crm: &Crm,
    as_of: TimestampWithTimeZone,
    days: i32,
    settings: &Settings,
) -> Result<(usize, usize)> {
    let arguments = json!({"as_of": pg_sys::TimestampTz::from(as_of), "days": days});
    let mut sums = [0, 0];
    for deleted in citus::on_all(crm, "purge", &arguments, settings)? {
        for (sum, count) in sums.iter_mut().zip([&deleted[0], &deleted[1]]) {
            *sum += count.as_u64().map_or(0, |count| count as usize);
        }
    }
    Ok((sums[0], sums[1]))
}

/// The part of it that is on this server, for the coordinator.
pub(crate) fn purge_part(arguments: &Value) -> Result<Value> {
    let crm = crm::current(&Settings::read()?.crm_schema)?;
    let days = arguments["days"]
        .as_i64()
        .and_then(|days| i32::try_from(days).ok());
    let days = days.ok_or_else(|| Error::Input("\"days\" must be a number".to_owned()))?;
    let as_of = citus::instant(arguments)?;
    let _owner = AsOwner::enter(crm.score_owner()?);
    let (deals, relationships) = histories(&crm, as_of, days)?;
    Ok(json!([deals, relationships]))
}

/// Old notifications go, delivered or not.
fn notifications(as_of: TimestampWithTimeZone) -> Result<usize> {
    if !crate::outbox::is_there()? {
        return Ok(0);
    }
    delete(
        "DELETE FROM crm_health.notifications n WHERE n.created_at < $1 - make_interval(days => $2)",
        as_of,
        days("notification_retention_days")?,
    )
}

fn days(setting: &str) -> Result<i32> {
    let value: Option<i32> = Spi::get_one_with_args(
        "SELECT (SELECT s.value::integer FROM crm_health.settings s WHERE s.name = $1)",
        &[setting.into()],
    )?;
    value.ok_or_else(|| Error::Config {
        reason: format!("the setting {setting} is missing"),
    })
}

/// Old snapshots go; of a day more than a week ago the last one stays.
fn snapshots(
    crm: &Crm,
    table: &str,
    of: &str,
    as_of: TimestampWithTimeZone,
    retention_days: i32,
) -> Result<usize> {
    let Some(history) = crm.find(table) else {
        return Ok(0);
    };
    let statement = format!(
        include_str!("../../sql/refresh/purge_history.sql"),
        history = history.qualified(),
        of = of
    );
    delete(&statement, as_of, retention_days)
}

fn delete(statement: &str, as_of: TimestampWithTimeZone, days: i32) -> Result<usize> {
    Spi::connect_mut(|client| {
        Ok(client
            .update(statement, None, &[as_of.into(), days.into()])?
            .len())
    })
}
