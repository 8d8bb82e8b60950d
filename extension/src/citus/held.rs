//! The work of one call, on the server that holds the user.

use pgrx::datum::{JsonB, TimestampWithTimeZone, Uuid};
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_getarg, pg_sys};
use serde_json::{Value, json};

use super::call;
use super::scope::{self, Scope};
use super::shards::{self, Whose};
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
        let result = or_raise(run(Whose::User(user), &call, &arguments.0, &settings.0));
        JsonB(result).into_datum().unwrap_or(pg_sys::Datum::null())
    }
}

pg_function! {
    /// `crm_health.on_shard(p_shard_id, p_call, p_arguments, p_settings)`
    fn on_shard(fcinfo) {
        // SAFETY: the types are those of the function's declaration, which is strict.
        let (shard, call, arguments, settings) = unsafe {
            (
                pg_getarg::<i64>(fcinfo, 0).expect("strict"),
                pg_getarg::<String>(fcinfo, 1).expect("strict"),
                pg_getarg::<JsonB>(fcinfo, 2).expect("strict"),
                pg_getarg::<JsonB>(fcinfo, 3).expect("strict"),
            )
        };
        let result = or_raise(run(Whose::Shard(shard), &call, &arguments.0, &settings.0));
        JsonB(result).into_datum().unwrap_or(pg_sys::Datum::null())
    }
}

/// `{"result": …, "told": […]}`: what the call returned, and what is to be told of.
fn run(whose: Whose, name: &str, arguments: &Value, settings: &Value) -> Result<Value> {
    // The coordinator has asked who may; it comes as the superuser who owns the extension.
    let is_from_here = call::is_asking();
    if !is_from_here && !caller::is_trusted(None, "") {
        return Err(Error::NotTrusted);
    }
    let part = |schema| {
        shards::part(whose, schema).map_err(|error| match error {
            Error::HeldElsewhere { whose } if is_from_here => Error::NotSent { whose },
            error => error,
        })
    };
    let schema = settings["crm_schema"].as_str().unwrap_or_default();
    let scope = Scope {
        settings: Settings {
            crm_schema: schema.to_owned(),
            // Nobody is asked again.
            trusted_roles: String::new(),
            alert_quiet_days: number(settings, "alert_quiet_days")?,
        },
        config: settings["config"].clone(),
        crm: part(schema)?,
        subject: settings["subject"].as_str().map(str::to_owned),
        told: Vec::new(),
    };
    let (result, told) = scope::within(scope, || work(whose, name, arguments));
    Ok(json!({"result": result?, "told": told}))
}

fn work(whose: Whose, call: &str, arguments: &Value) -> Result<Value> {
    match (whose, call) {
        (Whose::User(user), "refresh_deals") => refresh(Kind::Deals, user, arguments),
        (Whose::User(user), "refresh_relationships") => {
            refresh(Kind::Relationships, user, arguments)
        }
        (Whose::User(user), "link_replies") => Ok(crate::replies::link(user)?.into()),
        (_, "refresh_users") => refresh_users(arguments),
        (_, "purge") => crate::purge::purge_part(arguments),
        _ => match STATEMENTS.iter().find(|(name, _)| *name == call) {
            Some((_, statement)) => rows(statement, arguments),
            None => Err(Error::Input(format!("there is no call \"{call}\""))),
        },
    }
}

/// Calls that are the same function here. $1 the arguments, $2 the instant among them. The rows go as arrays of texts.
const STATEMENTS: [(&str, &str); 10] = [
    (
        "explain_deal",
        "SELECT jsonb_agg(jsonb_build_array(r.signal, r.value, r.score::text, r.weight::text, r.contribution::text, r.reason))
         FROM crm_health.explain_deal(($1 ->> 'id')::uuid, $2) r",
    ),
    (
        "explain_contact",
        "SELECT jsonb_agg(jsonb_build_array(r.signal, r.value, r.score::text, r.weight::text, r.contribution::text, r.reason))
         FROM crm_health.explain_contact(($1 ->> 'id')::uuid, $2) r",
    ),
    (
        "needs_attention",
        "SELECT jsonb_agg(jsonb_build_array(r.kind, r.user_id, r.id, r.name, r.health_score::text, r.health_status,
                                            r.deal_value::text, to_jsonb(r.reasons)::text))
         FROM crm_health.needs_attention(
           CASE WHEN $1 ? 'users' THEN ARRAY(SELECT u::uuid FROM jsonb_array_elements_text($1 -> 'users') u) END,
           ($1 ->> 'limit')::integer, $2) r",
    ),
    (
        "acknowledge_alert",
        "SELECT jsonb_build_array(jsonb_build_array(crm_health.acknowledge_alert(($1 ->> 'id')::uuid))) WHERE $2 IS NOT NULL",
    ),
    (
        "dismiss_alert",
        "SELECT jsonb_build_array(jsonb_build_array(crm_health.dismiss_alert(($1 ->> 'id')::uuid))) WHERE $2 IS NOT NULL",
    ),
    (
        "forget_contact",
        "SELECT crm_health.forget_contact(($1 ->> 'id')::uuid) WHERE $2 IS NOT NULL",
    ),
    (
        "export_contact",
        "SELECT crm_health.export_contact(($1 ->> 'id')::uuid) WHERE $2 IS NOT NULL",
    ),
    (
        "ghost_probability",
        "SELECT jsonb_build_array(jsonb_build_array(crm_health.ghost_probability(($1 ->> 'id')::uuid, ($1 ->> 'days')::integer, $2)::text))",
    ),
    (
        "replay",
        "SELECT jsonb_agg(jsonb_build_array(r.as_of::text, r.subject_type, r.subject_id, r.health_score::text, r.health_status,
                                            r.risk_level, r.is_ghost_risk::text, r.ghost_probability_percent::text))
         FROM crm_health.replay(($1 ->> 'user')::uuid, $2, ($1 ->> 'to')::timestamptz, ($1 ->> 'step')::interval) r",
    ),
    (
        "fill_history",
        "SELECT jsonb_agg(jsonb_build_array(r.deal_snapshots::text, r.relationship_snapshots::text))
         FROM crm_health.fill_history(($1 ->> 'user')::uuid, $2, ($1 ->> 'to')::timestamptz, ($1 ->> 'step')::interval) r",
    ),
];

fn rows(statement: &str, arguments: &Value) -> Result<Value> {
    let arguments = [JsonB(arguments.clone()).into(), instant(arguments)?.into()];
    let rows: Option<JsonB> = Spi::connect_mut(|client| {
        client
            .update(statement, Some(1), &arguments)?
            .first()
            .get_one()
    })?;
    Ok(rows.map_or_else(|| json!([]), |JsonB(rows)| rows))
}

/// The instant of a call.
pub(crate) fn instant(arguments: &Value) -> Result<TimestampWithTimeZone> {
    let as_of = arguments["as_of"].as_i64().unwrap_or_default();
    TimestampWithTimeZone::try_from(as_of).map_err(|_| Error::AsOfOutOfRange)
}

fn refresh(kind: Kind, user: Uuid, arguments: &Value) -> Result<Value> {
    let age = number(arguments, "max_age_hours")?;
    let as_of = instant(arguments)?;
    let scored = crate::refresh::refresh(kind, vec![Some(user)], Some(age), as_of)?;
    Ok(scored.iter().map(row).collect())
}

/// Both kinds of the users given, who are of one shard: how many scores were computed.
fn refresh_users(arguments: &Value) -> Result<Value> {
    let mut users = Vec::new();
    for user in arguments["users"].as_array().into_iter().flatten() {
        users.push(call::id(user.as_str())?);
    }
    let (age, as_of) = (number(arguments, "max_age_hours")?, instant(arguments)?);
    let mut counts = Vec::new();
    for kind in [Kind::Deals, Kind::Relationships] {
        let scored = crate::refresh::refresh(kind, users.clone(), Some(age), as_of)?;
        counts.push(scored.iter().filter(|one| !one.fresh).count());
    }
    Ok(json!(counts))
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
