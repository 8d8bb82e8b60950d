//! `crm_health.fit_deal_model`: learns the team's pipeline, and whether to tell owners apart.

use std::collections::HashMap;
use std::rc::Rc;

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

/// Fits, and changes of the model in use, keep each other out by this advisory lock.
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
    // SAFETY: reads the clock.
    if pg_sys::TimestampTz::from(as_of) > unsafe { pg_sys::GetCurrentTimestamp() } {
        return Err(Error::Input(
            "p_as_of must not lie in the future: what deals do until then is not known".to_owned(),
        ));
    }
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
        .filter(|used| used.fitted.stages == courses.stages);
    // One that has seen the days to judge by knows the answers: it is held against them no more than the new one is.
    let seen = same_stages.filter(|used| used.as_of > before);
    let used = same_stages.filter(|_| seen.is_none()).map_or_else(
        || Ok(Judged::default()),
        |used| judged(&courses, &used.fitted.pipeline, before),
    )?;
    let why;
    (outcome.activated, why) = match seen {
        Some(used) => newer(used.as_of, instant),
        None => better(fitted.metrics.as_ref(), used.metrics.as_ref()),
    };
    (outcome.fitted, outcome.in_use) = (fitted.metrics, used.metrics);
    outcome.decision = why.to_owned();
    // Whichever is in use now, its owners are told apart by what they have had up to now; one that has seen as much
    // keeps what it knows of them.
    if outcome.activated || seen.is_none() {
        let told_apart = if outcome.activated {
            fitted.told_apart
        } else {
            used.told_apart
        };
        let apart = if told_apart { "" } else { " not" };
        outcome.decision += &format!("; owners of deals are{apart} told apart");
        owners::keep(
            &courses.stages,
            &if told_apart { owners } else { HashMap::new() },
        )?;
    }
    let compared_with = in_use.map(|used| used.name);
    let fitted = FittedPipeline {
        stages: courses.stages,
        pipeline,
    };
    outcome.name = Some(store(name, as_of, &outcome, &fitted, compared_with)?);
    Ok(outcome)
}

/// Whether a fit takes the place of one that has seen the days to judge by, and why.
const fn newer(used: pg_sys::TimestampTz, fitted: pg_sys::TimestampTz) -> (bool, &'static str) {
    if fitted > used {
        let why =
            "put in use: the one in use has seen the days to judge by, and less than this one";
        (true, why)
    } else {
        (false, "not put in use: the one in use has seen as much")
    }
}

/// The same of one that has not: by how right both were.
fn better(fitted: Option<&Metrics>, used: Option<&Metrics>) -> (bool, &'static str) {
    match (fitted, used) {
        (Some(fitted), Some(used)) if fitted.log_loss > used.log_loss => {
            (false, "not put in use: worse about the last 90 days")
        }
        (Some(_), Some(_)) => (true, "put in use: no worse about the last 90 days"),
        _ => (true, "put in use: nothing to compare it with"),
    }
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

/// The pipeline in use, and as of when it was learned.
struct InUse {
    name: String,
    as_of: pg_sys::TimestampTz,
    fitted: Rc<FittedPipeline>,
}

fn in_use() -> Result<Option<InUse>> {
    let (name, as_of): (Option<String>, Option<TimestampWithTimeZone>) = Spi::connect(|client| {
        let text = "SELECT m.name, m.as_of FROM crm_health.deal_models m WHERE m.is_active";
        let rows = client.select(text, Some(1), &[])?;
        if rows.is_empty() {
            return Ok((None, None));
        }
        rows.first().get_two()
    })?;
    let config = super::added_to(json!({}), crate::refresh::Kind::Deals, Some(&[]))?;
    let (Some(name), Some(as_of), Some(fitted)) = (name, as_of, of_config(&config)?) else {
        return Ok(None);
    };
    Ok(Some(InUse {
        name,
        as_of: as_of.into(),
        fitted,
    }))
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
