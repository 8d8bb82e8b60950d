//! What the coordinator asks of the servers that hold the users.

use std::cell::Cell;

use pgrx::datum::{JsonB, TimestampWithTimeZone, Uuid};
use pgrx::pg_sys;
use pgrx::prelude::*;
use serde_json::{Value, json};

use crate::crm::Crm;
use crate::error::{Error, Result};
use crate::outbox;
use crate::refresh::{Kind, Scored};
use crate::settings::{Settings, scoring_config};

/// Refreshes users one after another, each where she is. The caller has been authorized.
pub(crate) fn refresh(
    kind: Kind,
    users: &[Uuid],
    max_age_hours: i32,
    as_of: TimestampWithTimeZone,
    settings: &Settings,
) -> Result<Vec<Scored>> {
    let call = match kind {
        Kind::Deals => "refresh_deals",
        Kind::Relationships => "refresh_relationships",
    };
    let arguments =
        json!({"max_age_hours": max_age_hours, "as_of": pg_sys::TimestampTz::from(as_of)});
    let mut settings = sent(settings, Some(&[]))?;
    let mut scored = Vec::new();
    for user in users {
        if kind == Kind::Deals {
            crate::pipeline::add_owners(&mut settings["config"], Some(&[*user]))?;
        }
        let result = on_worker(*user, call, &arguments, &settings)?;
        for row in result.as_array().ok_or_else(unreadable)? {
            scored.push(read(*user, row)?);
        }
    }
    Ok(scored)
}

/// Links the replies of a user where she is. The caller has been authorized.
pub(crate) fn link_replies(user: Uuid, settings: &Settings) -> Result<i64> {
    let result = on_worker(
        user,
        "link_replies",
        &json!({}),
        &sent(settings, Some(&[]))?,
    )?;
    result.as_i64().ok_or_else(unreadable)
}

/// The rows of a function where the user is, each an array of texts. The caller has been authorized.
pub(crate) fn rows(
    user: Uuid,
    call: &str,
    arguments: &Value,
    settings: &Settings,
) -> Result<Vec<Vec<Option<String>>>> {
    let settings = sent(settings, Some(&[user]))?;
    texts(&on_worker(user, call, arguments, &settings)?)
}

/// What a function returns where the user is, as JSON. The caller has been authorized.
pub(crate) fn value(
    user: Uuid,
    call: &str,
    arguments: &Value,
    settings: &Settings,
) -> Result<Value> {
    on_worker(user, call, arguments, &sent(settings, Some(&[user]))?)
}

/// Rows as [`super::held`] writes them.
pub(crate) fn texts(rows: &Value) -> Result<Vec<Vec<Option<String>>>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let row = |row: &Value| Some(row.as_array()?.iter().map(text).collect());
    rows.as_array()
        .and_then(|rows| rows.iter().map(row).collect())
        .ok_or_else(unreadable)
}

/// Whose row of a table it is. As the owner of the extension, for the owner of the scores need not be
/// one who may log in to other servers; nothing but the key is read.
pub(crate) fn user_of(crm: &Crm, table: &str, key: &str, id: Uuid) -> Result<Option<Uuid>> {
    let Some(relation) = crm.find(table) else {
        return Ok(None);
    };
    let statement = format!(
        "SELECT t.{key} FROM {} t WHERE t.id = $1",
        relation.qualified()
    );
    Spi::connect(|client| {
        let found = client.select(statement.as_str(), Some(1), &[id.into()])?;
        if found.is_empty() {
            return Ok(None);
        }
        Ok(found.first().get(1)?)
    })
}

/// What goes along with each call: settings and configuration are the coordinator's, with what
/// the pipelines of `owners` (`None`: of all) are made of.
pub(super) fn sent(settings: &Settings, owners: Option<&[Uuid]>) -> Result<Value> {
    Ok(json!({
        "crm_schema": settings.crm_schema,
        "alert_quiet_days": settings.alert_quiet_days,
        "subject": crate::caller::jwt_subject(),
        "config": crate::pipeline::added_to(scoring_config()?, Kind::Deals, owners)?,
    }))
}

/// Has the server that holds the user do the work, in this transaction, and posts what is to be told.
///
/// As the owner of the extension: call it in no [`AsOwner`](crate::owner::AsOwner).
fn on_worker(user: Uuid, call: &str, arguments: &Value, settings: &Value) -> Result<Value> {
    // Citus sends away what names the user as a constant; a UUID needs no quoting.
    let statement = format!(
        "SELECT w.answer FROM crm_health.on_worker('{user}'::uuid, $1, $2, $3) AS w (answer)"
    );
    let _asking = Asking::begin();
    let answer: Option<JsonB> = Spi::connect_mut(|client| {
        let arguments = [
            call.into(),
            JsonB(arguments.clone()).into(),
            JsonB(settings.clone()).into(),
        ];
        client
            .update(statement.as_str(), None, &arguments)?
            .first()
            .get_one()
    })?;
    let JsonB(mut answer) = answer.ok_or_else(unreadable)?;
    post(&answer["told"])?;
    Ok(answer["result"].take())
}

thread_local! {
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// Whether the call in progress comes from this very session: where the coordinator holds users itself, or where Citus
/// kept a call that it should have sent away. Who may call has been asked then.
pub(super) fn is_asking() -> bool {
    ASKING.get()
}

struct Asking;

impl Asking {
    fn begin() -> Self {
        ASKING.set(true);
        Self
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        ASKING.set(false);
    }
}

/// Posts what servers want told.
pub(super) fn post(told: &Value) -> Result<()> {
    match told.as_array() {
        Some(told) => outbox::post_rows(told),
        None => Ok(()),
    }
}

/// A row as [`super::held`] writes it.
fn read(user: Uuid, row: &Value) -> Result<Scored> {
    Ok(Scored {
        user,
        id: id(row[0].as_str())?,
        company: id(row[1].as_str())?,
        score_id: None,
        score: row[2].as_i64().and_then(|score| i32::try_from(score).ok()),
        status: row[3].as_str().map(str::to_owned),
        ghost_risk: None,
        fresh: row[4].as_bool().ok_or_else(unreadable)?,
        scored_at: None,
        reasons: None,
    })
}

/// An id from its text.
pub(crate) fn id(text: Option<&str>) -> Result<Option<Uuid>> {
    let Some(text) = text else {
        return Ok(None);
    };
    let hex: String = text.chars().filter(|letter| *letter != '-').collect();
    let id = u128::from_str_radix(&hex, 16).map_err(|_| unreadable())?;
    Ok(Some(Uuid::from_bytes(id.to_be_bytes())))
}

fn unreadable() -> Error {
    Error::Input(
        "a server that holds users answered unexpectedly: all need the same version of crm_health"
            .to_owned(),
    )
}
