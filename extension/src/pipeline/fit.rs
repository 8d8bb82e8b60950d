//! `crm_health.fit_deal_model`: learns the team's pipeline, and whether to tell owners apart.

use std::collections::HashMap;

use crm_health_scoring::silence::Metrics;
use crm_health_scoring::survival::{End, Pipeline};
use pgrx::datum::{JsonB, TimestampWithTimeZone};
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_getarg, pg_sys};
use serde_json::json;

use super::backtest::{Judged, judged, judged_from, learned};
use super::courses::Courses;
use super::{FittedPipeline, damaged, of_config, owners};
use crate::error::{Error, Result, or_raise};
use crate::ghost::looking_back::{check_name, finite};
use crate::owner::AsOwner;
use crate::raw::{RowSink, pg_function};
use crate::settings::{Settings, parse_config, scoring_config};
use crate::{caller, crm};

/// Fits keep each other out by this advisory lock.
const LOCK: i64 = 0x6372_6d5f_6465_616c;

/// What a fit found.
#[derive(Default)]
struct Outcome {
    name: Option<String>,
    activated: bool,
    decision: String,
    deals: usize,
    spells: usize,
    completed: usize,
    fitted: Option<Metrics>,
    in_use: Option<Metrics>,
}

pg_function! {
    /// `crm_health.fit_deal_model(p_as_of, p_name)`
    fn fit_deal_model(fcinfo) {
        let mut sink = RowSink::new(fcinfo);
        // SAFETY: the types are those of the function's declaration.
        let (as_of, name) = unsafe {
            (
                pg_getarg::<TimestampWithTimeZone>(fcinfo, 0),
                pg_getarg::<String>(fcinfo, 1),
            )
        };
        let outcome = or_raise(fit(as_of, name));
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX).into_datum();
        let loss = |metrics: &Option<Metrics>| metrics.as_ref().map(|metrics| metrics.log_loss);
        sink.push([
            outcome.name.into_datum(),
            outcome.activated.into_datum(),
            outcome.decision.into_datum(),
            count(outcome.deals),
            count(outcome.spells),
            count(outcome.completed),
            loss(&outcome.fitted).into_datum(),
            loss(&outcome.in_use).into_datum(),
        ]);
        pg_sys::Datum::null()
    }
}

fn fit(as_of: Option<TimestampWithTimeZone>, name: Option<String>) -> Result<Outcome> {
    let as_of = finite(as_of)?;
    // SAFETY: reads a flag.
    if unsafe { pg_sys::RecoveryInProgress() } {
        return Err(Error::Standby);
    }
    let courses = read(as_of)?;
    let alone: Option<bool> =
        Spi::get_one_with_args("SELECT pg_try_advisory_xact_lock($1)", &[LOCK.into()])?;
    if alone != Some(true) {
        return Err(Error::FitRunning);
    }
    if let Some(name) = &name {
        check_free(name)?;
    }
    let instant: pg_sys::TimestampTz = as_of.into();
    let (spells, owners) = courses.spells_at(instant);
    let mut outcome = Outcome {
        deals: courses.deals(),
        spells: spells.len(),
        completed: spells.iter().filter(|spell| spell.end != End::Open).count(),
        decision: "not put in use: too few stage changes".to_owned(),
        ..Outcome::default()
    };
    pgrx::notice!(
        "learning from {} stays of {} deals in their stages",
        outcome.spells,
        outcome.deals
    );
    let Some(pipeline) =
        Pipeline::fit(&courses.typical_days, &spells).map_err(|error| damaged(&error))?
    else {
        return Ok(outcome);
    };
    pgrx::notice!("judging on the deals that were open 90 days before");
    let before = judged_from(instant);
    let fitted = learned(&courses, before)?;
    let fitted = fitted.map_or_else(
        || Ok(Judged::default()),
        |earlier| judged(&courses, &earlier, before),
    )?;
    let in_use = in_use()?;
    let same_stages = in_use
        .as_ref()
        .filter(|(_, used)| used.stages == courses.stages);
    let used = same_stages.map_or_else(
        || Ok(Judged::default()),
        |(_, used)| judged(&courses, &used.pipeline, before),
    )?;
    outcome.activated = match (&fitted.metrics, &used.metrics) {
        (Some(fitted), Some(used)) => fitted.log_loss < used.log_loss,
        _ => true,
    };
    let why = match (outcome.activated, &used.metrics) {
        (true, None) => "put in use: nothing to compare it with",
        (true, Some(_)) => "put in use: better about the last 90 days",
        (false, _) => "not put in use: no better about the last 90 days",
    };
    // Whichever is in use now, its owners are told apart by what they have had up to now.
    let told_apart = if outcome.activated {
        fitted.told_apart
    } else {
        used.told_apart
    };
    let apart = if told_apart { "" } else { " not" };
    outcome.decision = format!("{why}; owners of deals are{apart} told apart");
    (outcome.fitted, outcome.in_use) = (fitted.metrics, used.metrics);
    owners::keep(
        &courses.stages,
        &if told_apart { owners } else { HashMap::new() },
    )?;
    let fitted = FittedPipeline {
        stages: courses.stages,
        pipeline,
    };
    let compared_with = in_use.map(|(name, _)| name);
    outcome.name = Some(store(name, as_of, &outcome, &fitted, compared_with)?);
    Ok(outcome)
}

/// Refuses a name that is none, or taken.
fn check_free(name: &str) -> Result<()> {
    check_name(name)?;
    let taken: Option<bool> = Spi::get_one_with_args(
        "SELECT EXISTS (SELECT FROM crm_health.deal_models m WHERE m.name = $1)",
        &[name.into()],
    )?;
    if taken == Some(true) {
        return Err(Error::ModelExists {
            kind: "deal",
            name: name.to_owned(),
        });
    }
    Ok(())
}

/// All courses up to an instant, for a trusted caller.
pub(super) fn read(until: TimestampWithTimeZone) -> Result<Courses> {
    let settings = Settings::read()?;
    let crm = crm::current(&settings.crm_schema)?;
    let owner = crm.score_owner()?;
    if !caller::is_trusted(Some(owner), &settings.trusted_roles) {
        return Err(Error::NotTrusted);
    }
    crm.on_one_server("the deal model")?;
    // The configuration is the extension's, the courses are the CRM's.
    let config = parse_config(&scoring_config()?)?;
    let _owner = AsOwner::enter(owner);
    Courses::read(&config, &crm, until)
}

fn in_use() -> Result<Option<(String, std::rc::Rc<FittedPipeline>)>> {
    let name: Option<String> =
        Spi::get_one("SELECT (SELECT m.name FROM crm_health.deal_models m WHERE m.is_active)")?;
    let config = super::added_to(json!({}), crate::refresh::Kind::Deals, Some(&[]))?;
    Ok(name.zip(of_config(&config)?))
}

fn store(
    name: Option<String>,
    as_of: TimestampWithTimeZone,
    outcome: &Outcome,
    fitted: &FittedPipeline,
    compared_with: Option<String>,
) -> Result<String> {
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let model = serde_json::to_value(fitted).map_err(|error| Error::Config {
        reason: error.to_string(),
    })?;
    let metrics = json!({"fitted": outcome.fitted, "in_use": outcome.in_use});
    let name: Option<String> = Spi::get_one_with_args(
        "INSERT INTO crm_health.deal_models (name, model, is_active, as_of, decision, deals_used,
           spells_used, spells_completed, compared_with, metrics)
         VALUES (coalesce($1, 'fit of ' || to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')),
           $2, $3, $4, $5, $6, $7, $8, $9, $10)
         RETURNING name",
        &[
            name.into(),
            JsonB(model).into(),
            outcome.activated.into(),
            as_of.into(),
            outcome.decision.as_str().into(),
            count(outcome.deals).into(),
            count(outcome.spells).into(),
            count(outcome.completed).into(),
            compared_with.into(),
            JsonB(metrics).into(),
        ],
    )?;
    Ok(name.unwrap_or_default())
}
