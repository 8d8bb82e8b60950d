//! What a user should look at first, with the reasons in words.

use pgrx::datum::{JsonB, TimestampWithTimeZone, Uuid};
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_getarg, pg_sys};
use serde_json::json;

use crate::crm::{self, Crm};
use crate::error::{Error, Result, or_raise};
use crate::owner::AsOwner;
use crate::raw::{RowSink, pg_function};
use crate::refresh::{Kind, check_as_of, reasons_statement, worst_statement};
use crate::settings::{Settings, scoring_config};
use crate::{caller, citus};

/// A deal or contact with a bad score.
struct Item {
    kind: &'static str,
    user: Uuid,
    id: Uuid,
    name: Option<String>,
    score: i32,
    status: String,
    /// Value of the deal, or of the contact's deals.
    value: Option<AnyNumeric>,
    reasons: Vec<String>,
}

pg_function! {
    /// `crm_health.needs_attention(p_user_ids, p_limit, p_as_of)`
    fn needs_attention(fcinfo) {
        let mut sink = RowSink::new(fcinfo);
        // SAFETY: the types are those of the function's declaration.
        let (users, limit, as_of) = unsafe {
            (
                pg_getarg::<Vec<Option<Uuid>>>(fcinfo, 0),
                pg_getarg::<i32>(fcinfo, 1).unwrap_or(10),
                pg_getarg::<TimestampWithTimeZone>(fcinfo, 2),
            )
        };
        for item in or_raise(attention(users, limit, as_of)) {
            sink.push([
                item.kind.into_datum(),
                item.user.into_datum(),
                item.id.into_datum(),
                item.name.into_datum(),
                item.score.into_datum(),
                item.status.into_datum(),
                item.value.into_datum(),
                item.reasons.into_datum(),
            ]);
        }
        pg_sys::Datum::null()
    }
}

fn attention(
    users: Option<Vec<Option<Uuid>>>,
    limit: i32,
    as_of: Option<TimestampWithTimeZone>,
) -> Result<Vec<Item>> {
    let as_of = as_of.ok_or(Error::AsOfOutOfRange)?;
    check_as_of(as_of)?;
    if limit < 0 {
        return Err(Error::Input(format!(
            "p_limit must not be negative, but is {limit}"
        )));
    }
    let settings = Settings::read()?;
    let crm = crm::current(&settings.crm_schema)?;
    let owner = crm.score_owner()?;
    let users = whose(users, owner, &settings)?;
    if crm.is_spread() {
        let mut items = attention_elsewhere(&crm, users.as_deref(), limit, as_of, &settings)?;
        order(&mut items, limit);
        return Ok(items);
    }
    let config = scoring_config()?;
    let mut items = {
        let _owner = AsOwner::enter(owner);
        let mut items = worst(Kind::Deals, &crm, users.as_deref(), limit)?;
        items.extend(worst(Kind::Relationships, &crm, users.as_deref(), limit)?);
        items
    };
    order(&mut items, limit);
    // Pipelines are the extension's, and not read as the owner of the scores.
    let owners: Vec<Uuid> = items.iter().map(|item| item.user).collect();
    let of_deals = crate::pipeline::added_to(config.clone(), Kind::Deals, Some(&owners))?;
    let _owner = AsOwner::enter(owner);
    for (kind, config) in [(Kind::Deals, &of_deals), (Kind::Relationships, &config)] {
        give_reasons(kind, &crm, &mut items, as_of, config)?;
    }
    Ok(items)
}

/// The worst first, and no more than asked for.
fn order(items: &mut Vec<Item>, limit: i32) {
    items.sort_by(|a, b| {
        a.score
            .cmp(&b.score)
            .then_with(|| b.value.cmp(&a.value))
            .then_with(|| a.name.cmp(&b.name))
    });
    items.truncate(limit as usize);
}

/// What each server, or each user's, finds the worst of its own.
fn attention_elsewhere(
    crm: &Crm,
    users: Option<&[Uuid]>,
    limit: i32,
    as_of: TimestampWithTimeZone,
    settings: &Settings,
) -> Result<Vec<Item>> {
    const CALL: &str = "needs_attention";
    let mut arguments = json!({"limit": limit, "as_of": pg_sys::TimestampTz::from(as_of)});
    let mut rows = Vec::new();
    match users {
        None => {
            for found in citus::on_all(crm, CALL, &arguments, settings)? {
                rows.extend(citus::texts(&found)?);
            }
        }
        Some(users) => {
            for user in users {
                arguments["users"] = json!([user.to_string()]);
                rows.extend(citus::rows(*user, CALL, &arguments, settings)?);
            }
        }
    }
    rows.into_iter().map(item).collect()
}

/// A row of texts as an item.
fn item(row: Vec<Option<String>>) -> Result<Item> {
    let unreadable =
        || Error::Input("a server's answer to needs_attention is not readable".to_owned());
    let Ok([kind, user, id, name, score, status, value, reasons]) =
        <[Option<String>; 8]>::try_from(row)
    else {
        return Err(unreadable());
    };
    let id_of = |text: Option<String>| citus::id(text.as_deref())?.ok_or_else(unreadable);
    let value = value.map(|text| AnyNumeric::try_from(text.as_str()));
    Ok(Item {
        kind: if kind.as_deref() == Some(kind_of(Kind::Deals)) {
            kind_of(Kind::Deals)
        } else {
            kind_of(Kind::Relationships)
        },
        user: id_of(user)?,
        id: id_of(id)?,
        name,
        score: score
            .and_then(|text| text.parse().ok())
            .ok_or_else(unreadable)?,
        status: status.unwrap_or_default(),
        value: value.transpose().map_err(|_| unreadable())?,
        reasons: reasons
            .map_or_else(|| Ok(Vec::new()), |text| serde_json::from_str(&text))
            .map_err(|_| unreadable())?,
    })
}

/// Whose scores are meant. Without a list: everyone's for who may see everyone's, one's own else.
fn whose(
    users: Option<Vec<Option<Uuid>>>,
    owner: pg_sys::Oid,
    settings: &Settings,
) -> Result<Option<Vec<Uuid>>> {
    let users = match users {
        Some(users) => users.into_iter().flatten().collect(),
        None if caller::is_trusted(Some(owner), &settings.trusted_roles) => return Ok(None),
        None => vec![caller::jwt_subject_id().ok_or(Error::NotYours)?],
    };
    caller::authorize(&users, Some(owner), &settings.trusted_roles)?;
    Ok(Some(users))
}

fn worst(kind: Kind, crm: &Crm, users: Option<&[Uuid]>, limit: i32) -> Result<Vec<Item>> {
    let statement = worst_statement(kind, crm)?;
    Spi::connect(|client| {
        let users = users.map(<[Uuid]>::to_vec);
        let rows = client.select(
            statement.as_str(),
            None,
            &[users.into(), i64::from(limit).into()],
        )?;
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            items.push(Item {
                kind: kind_of(kind),
                user: row.get(1)?.expect("a score has its user"),
                id: row.get(2)?.expect("a score has its deal or contact"),
                name: row.get(3)?,
                score: row.get(4)?.unwrap_or(0),
                status: row.get(5)?.unwrap_or_default(),
                value: row.get(6)?,
                reasons: Vec::new(),
            });
        }
        Ok(items)
    })
}

fn give_reasons(
    kind: Kind,
    crm: &Crm,
    items: &mut [Item],
    as_of: TimestampWithTimeZone,
    config: &serde_json::Value,
) -> Result<()> {
    let mut items: Vec<&mut Item> = items
        .iter_mut()
        .filter(|item| item.kind == kind_of(kind))
        .collect();
    let targets: Vec<_> = items
        .iter()
        .map(|item| (item.user, Some(item.id), None))
        .collect();
    let found = reasons(kind, crm, &targets, as_of, config)?;
    for (item, reasons) in items.iter_mut().zip(found) {
        item.reasons = reasons;
    }
    Ok(())
}

/// The reasons of scores, the weightiest first, for targets given as user, deal or contact, and
/// company. Called by the owner of the scores.
pub(crate) fn reasons(
    kind: Kind,
    crm: &Crm,
    targets: &[(Uuid, Option<Uuid>, Option<Uuid>)],
    as_of: TimestampWithTimeZone,
    config: &serde_json::Value,
) -> Result<Vec<Vec<String>>> {
    let mut found = vec![Vec::new(); targets.len()];
    if targets.is_empty() {
        return Ok(found);
    }
    let statement = reasons_statement(kind, crm, config)?;
    let users: Vec<Uuid> = targets.iter().map(|target| target.0).collect();
    let ids: Vec<Option<Uuid>> = targets.iter().map(|target| target.1).collect();
    let companies: Vec<Option<Uuid>> = targets.iter().map(|target| target.2).collect();
    Spi::connect(|client| {
        let rows = client.select(
            statement.as_str(),
            None,
            &[
                users.into(),
                ids.into(),
                companies.into(),
                as_of.into(),
                JsonB(config.clone()).into(),
            ],
        )?;
        for row in rows {
            let ordinal: i64 = row.get(1)?.expect("reasons have their target");
            found[ordinal as usize - 1] = row.get(2)?.unwrap_or_default();
        }
        Ok(found)
    })
}

fn kind_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Deals => "deal",
        Kind::Relationships => "contact",
    }
}
