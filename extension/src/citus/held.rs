//! The work of one call, on the server that holds the user.

use pgrx::datum::{JsonB, TimestampWithTimeZone, Uuid};
use pgrx::{IntoDatum, pg_getarg, pg_sys};
use serde_json::{Value, json};

use super::scope::{self, Scope};
use super::shards;
use crate::caller;
use crate::error::{Error, Result, or_raise};
use crate::raw::pg_function;
use crate::refresh::{Kind, Scored};
use crate::settings::Settings;

pg_function! {
    /// `crm_health.on_worker(p_user_id, p_call, p_arguments, p_settings)`
    fn on_worker(fcinfo) {
        // SAFETY: the types are those of the function's declaration, which is strict.
        let (user, call, arguments, settings) = unsafe {
            (
                pg_getarg::<Uuid>(fcinfo, 0).expect("strict"),
                pg_getarg::<String>(fcinfo, 1).expect("strict"),
                pg_getarg::<JsonB>(fcinfo, 2).expect("strict"),
                pg_getarg::<JsonB>(fcinfo, 3).expect("strict"),
            )
        };
        let result = or_raise(run(user, &call, &arguments.0, &settings.0));
        JsonB(result).into_datum().unwrap_or(pg_sys::Datum::null())
    }
}

/// `{"result": …, "told": […]}`: what the call returned, and what is to be told of.
fn run(user: Uuid, call: &str, arguments: &Value, settings: &Value) -> Result<Value> {
    // The coordinator has asked who may; it comes as the superuser who owns the extension.
    if !caller::is_trusted(None, "") {
        return Err(Error::NotTrusted);
    }
    let schema = settings["crm_schema"].as_str().unwrap_or_default();
    let scope = Scope {
        settings: Settings {
            crm_schema: schema.to_owned(),
            // Nobody is asked again.
            trusted_roles: String::new(),
            alert_quiet_days: number(settings, "alert_quiet_days")?,
        },
        config: settings["config"].clone(),
        crm: shards::part_of(user, schema)?,
        told: Vec::new(),
    };
    let (result, told) = scope::within(scope, || work(user, call, arguments));
    Ok(json!({"result": result?, "told": told}))
}

fn work(user: Uuid, call: &str, arguments: &Value) -> Result<Value> {
    match call {
        "refresh_deals" => refresh(Kind::Deals, user, arguments),
        "refresh_relationships" => refresh(Kind::Relationships, user, arguments),
        "link_replies" => Ok(crate::replies::link(user)?.into()),
        _ => Err(Error::Input(format!("there is no call \"{call}\""))),
    }
}

fn refresh(kind: Kind, user: Uuid, arguments: &Value) -> Result<Value> {
    let as_of = arguments["as_of"].as_i64().unwrap_or_default();
    let as_of = TimestampWithTimeZone::try_from(as_of).map_err(|_| Error::AsOfOutOfRange)?;
    let age = number(arguments, "max_age_hours")?;
    let scored = crate::refresh::refresh(kind, vec![Some(user)], Some(age), as_of)?;
    Ok(scored.iter().map(row).collect())
}

/// A row as the coordinator reads it: see [`super::call`].
fn row(scored: &Scored) -> Value {
    let id = |id: Option<Uuid>| id.map(|id| id.to_string());
    json!([
        id(scored.id),
        id(scored.company),
        scored.score,
        scored.status,
        scored.fresh
    ])
}

fn number(of: &Value, name: &str) -> Result<i32> {
    of[name]
        .as_i64()
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| Error::Input(format!("\"{name}\" must be a number")))
}
