//! The refresh of many users: all servers side by side.
//!
//! Each server works through its own users in a transaction of its own, and commits it. What it
//! wants told is posted afterwards, in the coordinator's transaction: a coordinator that dies in
//! between has the scores, and not the notifications of that batch.

use pgrx::datum::{JsonB, TimestampWithTimeZone, Uuid};
use pgrx::prelude::*;
use pgrx::spi::quote_literal;
use pgrx::{IntoDatum, pg_getarg, pg_sys};
use serde_json::{Value, json};

use super::call::{post, sent};
use crate::caller;
use crate::crm::{self, Crm};
use crate::error::{Error, Result, or_raise};
use crate::raw::pg_function;
use crate::settings::Settings;

pg_function! {
    /// `crm_health.refresh_on_workers(p_user_ids, p_max_age_hours, p_as_of)`
    fn refresh_on_workers(fcinfo) {
        // SAFETY: the types are those of the function's declaration.
        let (users, max_age_hours, as_of) = unsafe {
            (
                pg_getarg::<Vec<Option<Uuid>>>(fcinfo, 0).unwrap_or_default(),
                pg_getarg::<i32>(fcinfo, 1).unwrap_or_default(),
                pg_getarg::<TimestampWithTimeZone>(fcinfo, 2),
            )
        };
        let users = users.into_iter().flatten().collect();
        let result = as_of
            .ok_or(Error::AsOfOutOfRange)
            .and_then(|as_of| refresh(users, max_age_hours, as_of));
        // SAFETY: says that a NULL is returned.
        or_raise(result).map(JsonB).into_datum().unwrap_or_else(|| unsafe {
            (*fcinfo).isnull = true;
            pg_sys::Datum::null()
        })
    }
}

pg_function! {
    /// `crm_health.worker_count()`
    fn worker_count(_fcinfo) {
        let servers = or_raise(count());
        servers.into_datum().unwrap_or(pg_sys::Datum::null())
    }
}

/// One server, and what of it is meant: users, or shards of their scores.
struct Server {
    host: String,
    port: i32,
    users: Vec<Uuid>,
    shards: Vec<i64>,
}

fn spread_crm(settings: &Settings) -> Result<Option<std::rc::Rc<Crm>>> {
    let crm = crm::current(&settings.crm_schema)?;
    Ok(Some(crm).filter(|crm| crm.is_spread()))
}

fn count() -> Result<i32> {
    // A CRM that is not usable is told of by the refresh itself.
    let Ok(Some(_)) = Settings::read().and_then(|settings| spread_crm(&settings)) else {
        return Ok(0);
    };
    Spi::connect(|client| {
        let rows = client.select(
            "SELECT count(*)::integer FROM pg_catalog.pg_dist_node n
             WHERE n.noderole = 'primary' AND n.isactive AND n.shouldhaveshards",
            Some(1),
            &[],
        )?;
        Ok(rows.first().get_one()?.unwrap_or(0))
    })
}

fn refresh(
    users: Vec<Uuid>,
    max_age_hours: i32,
    as_of: TimestampWithTimeZone,
) -> Result<Option<Value>> {
    let settings = Settings::read()?;
    let Some(crm) = spread_crm(&settings)? else {
        return Ok(None);
    };
    let owner = crm.score_owner()?;
    if !caller::is_trusted(Some(owner), &settings.trusted_roles) {
        return Err(Error::NotTrusted);
    }
    let Some(spread) = &crm.spread else {
        return Ok(None);
    };
    let anchor = crm.score_table("relationship_health_scores")?.qualified();
    let arguments = json!({
        "max_age_hours": max_age_hours, "as_of": pg_sys::TimestampTz::from(as_of), "anchor": anchor});
    let settings = sent(&settings, Some(&users))?;
    let servers = servers(users, spread.anchor()?)?;
    let answers = ask(&servers, &|server| {
        let users: Vec<String> = server.users.iter().map(ToString::to_string).collect();
        format!(
            "SELECT crm_health.refresh_held('{{{}}}', {}, {})",
            users.join(","),
            quote_literal(arguments.to_string()),
            quote_literal(settings.to_string())
        )
    })?;
    let mut all = json!({"done": 0, "deals": 0, "relationships": 0, "errors": []});
    for (server, answer) in servers.iter().zip(answers) {
        match answer {
            Ok(answer) => {
                for count in ["done", "deals", "relationships"] {
                    let sum =
                        all[count].as_i64().unwrap_or(0) + answer[count].as_i64().unwrap_or(0);
                    all[count] = sum.into();
                }
                add_errors(
                    &mut all,
                    answer["errors"].as_array().cloned().unwrap_or_default(),
                );
                post(&answer["told"])?;
            }
            Err(reason) => add_errors(&mut all, server.lost(&reason)),
        }
    }
    Ok(Some(all))
}

fn add_errors(all: &mut Value, errors: Vec<Value>) {
    if let Some(known) = all["errors"].as_array_mut() {
        known.extend(errors);
    }
}

impl Server {
    fn no_answer(&self, reason: &str) -> Error {
        Error::ServerLost {
            server: format!("{}:{}", self.host, self.port),
            reason: reason.trim().to_owned(),
        }
    }

    /// An error for each of the users of a server that gave no answer.
    fn lost(&self, reason: &str) -> Vec<Value> {
        let reason = self.no_answer(reason).to_string();
        let error = |user: &Uuid| json!({"userId": user.to_string(), "reason": reason, "sqlState": "08006"});
        self.users.iter().map(error).collect()
    }
}

fn servers(users: Vec<Uuid>, anchor: pg_sys::Oid) -> Result<Vec<Server>> {
    Spi::connect(|client| {
        let rows = client.select(
            include_str!("../../../sql/refresh/citus_servers.sql"),
            None,
            &[users.into(), anchor.into()],
        )?;
        let mut servers = Vec::with_capacity(rows.len());
        for row in rows {
            servers.push(Server {
                host: row.get(1)?.unwrap_or_default(),
                port: row.get(2)?.unwrap_or_default(),
                users: row.get(3)?.unwrap_or_default(),
                shards: Vec::new(),
            });
        }
        Ok(servers)
    })
}

/// Each server's answer to its command, or why there is none.
fn ask(
    servers: &[Server],
    command: &dyn Fn(&Server) -> String,
) -> Result<Vec<std::result::Result<Value, String>>> {
    if servers.is_empty() {
        return Ok(Vec::new());
    }
    let column = |get: &dyn Fn(&Server) -> String| servers.iter().map(get).collect::<Vec<_>>();
    let ports: Vec<i32> = servers.iter().map(|server| server.port).collect();
    Spi::connect_mut(|client| {
        let rows = client.update(
            "SELECT r.success, r.result FROM pg_catalog.master_run_on_worker($1, $2, $3, true) AS r",
            None,
            &[
                column(&|server| server.host.clone()).into(),
                ports.into(),
                column(command).into(),
            ],
        )?;
        let mut answers = Vec::with_capacity(servers.len());
        for row in rows {
            let answer: String = row.get(2)?.unwrap_or_default();
            let succeeded: Option<bool> = row.get(1)?;
            answers.push(match serde_json::from_str(&answer) {
                Ok(value) if succeeded == Some(true) => Ok(value),
                _ => Err(answer),
            });
        }
        Ok(answers)
    })
}

/// What a call returns on each shard, all servers side by side; the caller has been authorized.
/// Each server does it in a transaction of its own.
pub(crate) fn on_all(
    crm: &Crm,
    call: &str,
    arguments: &Value,
    settings: &Settings,
) -> Result<Vec<Value>> {
    let Some(spread) = &crm.spread else {
        return Ok(Vec::new());
    };
    let settings = sent(settings, None)?;
    let servers = holders(spread.anchor()?)?;
    let answers = ask(&servers, &|server| {
        let shards: Vec<String> = server.shards.iter().map(ToString::to_string).collect();
        format!(
            "SELECT coalesce(jsonb_agg(crm_health.on_shard(s, {}, {}, {}) -> 'result'), '[]') FROM unnest('{{{}}}'::bigint[]) s",
            quote_literal(call),
            quote_literal(arguments.to_string()),
            quote_literal(settings.to_string()),
            shards.join(",")
        )
    })?;
    let mut results = Vec::new();
    for (server, answer) in servers.iter().zip(answers) {
        match answer {
            Ok(Value::Array(answers)) => results.extend(answers),
            Ok(other) => return Err(server.no_answer(&other.to_string())),
            Err(reason) => return Err(server.no_answer(&reason)),
        }
    }
    Ok(results)
}

/// The servers that hold users, each with the shards of their scores.
fn holders(anchor: pg_sys::Oid) -> Result<Vec<Server>> {
    Spi::connect(|client| {
        let rows = client.select(
            "SELECT n.nodename::text, n.nodeport, array_agg(s.shardid ORDER BY s.shardid)
             FROM pg_catalog.pg_dist_shard s
             JOIN pg_catalog.pg_dist_placement p USING (shardid)
             JOIN pg_catalog.pg_dist_node n ON n.groupid = p.groupid AND n.noderole = 'primary'
             WHERE s.logicalrelid = $1::regclass GROUP BY 1, 2 ORDER BY 1, 2",
            None,
            &[anchor.into()],
        )?;
        let mut servers = Vec::with_capacity(rows.len());
        for row in rows {
            servers.push(Server {
                host: row.get(1)?.unwrap_or_default(),
                port: row.get(2)?.unwrap_or_default(),
                users: Vec::new(),
                shards: row.get(3)?.unwrap_or_default(),
            });
        }
        Ok(servers)
    })
}
