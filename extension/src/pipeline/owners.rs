//! Owners of deals told apart: the team's pipeline, shrunk to the deals that each has had.
//!
//! A fit keeps the spells of each owner in `crm_health.deal_owners`, where that was better about the
//! past than one pipeline for all. They are fewer numbers than the hazards that come of them, which
//! the scoring function works out for the owners whose deals it meets.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crm_health_scoring::survival::{Pipeline, Spell};
use pgrx::datum::{JsonB, Uuid};
use pgrx::prelude::*;
use pgrx::{pg_getarg, pg_sys};
use serde_json::{Map, Value};

use super::{SECTION, damaged};
use crate::error::{Error, Result};

/// The key of the configuration that holds the spells of owners, as text, by the owner's id.
pub(crate) const OWNERS: &str = "deal_owners";

/// The owners of a configuration, and the pipelines solved for them so far.
pub(super) struct Owners {
    spells: Map<String, Value>,
    solved: RefCell<HashMap<Uuid, Option<Rc<Pipeline>>>>,
}

impl Owners {
    pub(super) fn of_config(config: &Value) -> Self {
        let spells = config.get(OWNERS).and_then(Value::as_object);
        Self {
            spells: spells.cloned().unwrap_or_default(),
            solved: RefCell::default(),
        }
    }

    /// The pipeline of an owner; `None` where the team's holds.
    pub(super) fn pipeline(&self, owner: Uuid, team: &Pipeline) -> Result<Option<Rc<Pipeline>>> {
        if let Some(solved) = self.solved.borrow().get(&owner) {
            return Ok(solved.clone());
        }
        let spells = self.spells.get(&owner.to_string()).and_then(Value::as_str);
        let own = spells
            .map(|spells| own_pipeline(spells, team))
            .transpose()?;
        self.solved.borrow_mut().insert(owner, own.clone());
        Ok(own)
    }
}

fn own_pipeline(spells: &str, team: &Pipeline) -> Result<Rc<Pipeline>> {
    let spells: Vec<Spell> = serde_json::from_str(spells).map_err(|error| Error::Config {
        reason: format!("the spells of an owner of deals: {error}"),
    })?;
    let own = team.for_user(&spells).map_err(|error| damaged(&error))?;
    Ok(Rc::new(own))
}

/// Puts what is known of owners (`None`: of all) into a configuration that has a pipeline, in the
/// place of others.
pub(crate) fn add_owners(config: &mut Value, owners: Option<&[Uuid]>) -> Result<()> {
    let Some(stages) = config.get(SECTION).map(|model| model["stages"].clone()) else {
        return Ok(());
    };
    let mut found = Map::new();
    if is_there()? && owners.is_none_or(|owners| !owners.is_empty()) {
        Spi::connect(|client| -> Result<()> {
            // Stages are told by their places: those of another pipeline mean others.
            let rows = client.select(
                "SELECT o.owner_id::text, o.spells::text FROM crm_health.deal_owners o
                 WHERE ($1::uuid[] IS NULL OR o.owner_id = ANY ($1)) AND o.stages = $2",
                None,
                &[owners.map(<[Uuid]>::to_vec).into(), JsonB(stages).into()],
            )?;
            for row in rows {
                if let (Some(owner), Some(spells)) = (row.get(1)?, row.get::<String>(2)?) {
                    found.insert(owner, Value::String(spells));
                }
            }
            Ok(())
        })?;
    }
    config[OWNERS] = Value::Object(found);
    Ok(())
}

/// Keeps the spells of owners in the place of those kept before.
pub(super) fn keep(stages: &[String], owners: &HashMap<Uuid, Vec<Spell>>) -> Result<()> {
    if !is_there()? {
        return Ok(());
    }
    Spi::run("DELETE FROM crm_health.deal_owners")?;
    let unwritable = |error: serde_json::Error| Error::Config {
        reason: error.to_string(),
    };
    let spells = owners.values().map(serde_json::to_string);
    let spells = spells.collect::<std::result::Result<Vec<_>, _>>();
    Spi::run_with_args(
        "INSERT INTO crm_health.deal_owners (owner_id, stages, spells)
         SELECT o.owner_id, $2, o.spells::json FROM unnest($1, $3) AS o (owner_id, spells)",
        &[
            owners.keys().copied().collect::<Vec<_>>().into(),
            JsonB(stages.into()).into(),
            spells.map_err(unwritable)?.into(),
        ],
    )?;
    Ok(())
}

/// What a statement adds to the arguments of the functions that score a deal.
pub(crate) fn owner_argument() -> Result<&'static str> {
    Ok(if is_there()? { ", g.user_id" } else { "" })
}

/// Whose deal it is, where the function of the catalog has the argument: before 0.2.0 it has none.
///
/// # Safety
/// The call must be of a function whose arguments after the configuration are those of
/// [`measure_deal`](crate::score::measure_deal).
pub(crate) unsafe fn deal_owner(fcinfo: pg_sys::FunctionCallInfo) -> Option<Uuid> {
    const OWNER: usize = 9;
    unsafe {
        if usize::try_from((*fcinfo).nargs).is_ok_and(|arguments| arguments > OWNER) {
            pg_getarg(fcinfo, OWNER)
        } else {
            None
        }
    }
}

thread_local! {
    static IS_THERE: Cell<bool> = const { Cell::new(false) };
}

/// Whether the catalog can tell owners apart: not between the update of the package and that of the
/// extension.
fn is_there() -> Result<bool> {
    if IS_THERE.get() {
        return Ok(true);
    }
    let found: Option<bool> = Spi::connect(|client| {
        let rows = client.select(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c
               WHERE c.relname = 'deal_owners'
                 AND c.relnamespace = (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = 'crm_health'))",
            Some(1),
            &[],
        )?;
        rows.first().get_one()
    })?;
    IS_THERE.set(found == Some(true));
    Ok(IS_THERE.get())
}
