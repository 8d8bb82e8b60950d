//! How right pipelines were: `crm_health.backtest_deals`, and what a fit is judged by.
//!
//! What a pipeline is worth is told by the past: one is learned from what was known 90 days before,
//! and judged by which of the deals then open were won since.

use std::collections::HashMap;

use crm_health_scoring::silence::Metrics;
use crm_health_scoring::survival::Pipeline;
use pgrx::datum::{TimestampWithTimeZone, Uuid};
use pgrx::{pg_getarg, pg_sys};

use super::courses::Courses;
use super::{damaged, fit};
use crate::error::{Result, or_raise};
use crate::ghost::looking_back::{cutoffs, finite, horizon_days, row};
use crate::raw::{RowSink, pg_function};

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// How far back, and how far ahead, a fit is judged, in days.
const JUDGED_DAYS: u32 = 90;

/// How right a pipeline was, in the better of two ways.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) metrics: Option<Metrics>,
    /// Whether it was better with each owner of deals told apart.
    pub(super) told_apart: bool,
}

pg_function! {
    /// `crm_health.backtest_deals(p_from, p_to, p_horizon_days)`
    fn backtest_deals(fcinfo) {
        let mut sink = RowSink::new(fcinfo);
        // SAFETY: the types are those of the function's declaration.
        let (from, to, horizon) = unsafe {
            (
                pg_getarg::<TimestampWithTimeZone>(fcinfo, 0),
                pg_getarg::<TimestampWithTimeZone>(fcinfo, 1),
                pg_getarg::<i32>(fcinfo, 2),
            )
        };
        for found in or_raise(look_back(from, to, horizon)) {
            sink.push(found);
        }
        pg_sys::Datum::null()
    }
}

/// The pipeline that would have been learned at an instant; `None` under too few stage changes.
pub(super) fn learned(courses: &Courses, at: pg_sys::TimestampTz) -> Result<Option<Pipeline>> {
    let (spells, _) = courses.spells_at(at);
    Pipeline::fit(&courses.typical_days, &spells).map_err(|error| damaged(&error))
}

/// The instant as of which one is judged that is learned at an instant.
pub(super) fn judged_from(at: pg_sys::TimestampTz) -> pg_sys::TimestampTz {
    at - i64::from(JUDGED_DAYS) * MICROSECONDS_PER_DAY
}

/// How right a pipeline was about the deals open at an instant.
pub(super) fn judged(
    courses: &Courses,
    pipeline: &Pipeline,
    at: pg_sys::TimestampTz,
) -> Result<Judged> {
    let team = predictions(courses, pipeline, &HashMap::new(), at, JUDGED_DAYS);
    let owners = own_pipelines(courses, pipeline, at)?;
    let own = predictions(courses, pipeline, &owners, at, JUDGED_DAYS);
    let (team, own) = (Metrics::of(team), Metrics::of(own));
    let told_apart =
        matches!((&own, &team), (Some(own), Some(team)) if own.log_loss < team.log_loss);
    Ok(Judged {
        metrics: if told_apart { own } else { team },
        told_apart,
    })
}

/// The pipelines of those who owned deals at an instant, by what was known then.
fn own_pipelines(
    courses: &Courses,
    team: &Pipeline,
    at: pg_sys::TimestampTz,
) -> Result<HashMap<Uuid, Pipeline>> {
    let (_, spells) = courses.spells_at(at);
    let mut own = HashMap::new();
    for owner in courses.open_at(at).filter_map(|deal| deal.owner) {
        if let Some(spells) = spells.get(&owner)
            && !own.contains_key(&owner)
        {
            pgrx::check_for_interrupts!();
            let pipeline = team.for_user(spells).map_err(|error| damaged(&error))?;
            own.insert(owner, pipeline);
        }
    }
    Ok(own)
}

/// What is said of each deal open at an instant, by its owner's pipeline or else the team's, and
/// whether it was won in time.
fn predictions(
    courses: &Courses,
    team: &Pipeline,
    owners: &HashMap<Uuid, Pipeline>,
    at: pg_sys::TimestampTz,
    horizon_days: u32,
) -> Vec<(f64, bool)> {
    let end = at + i64::from(horizon_days) * MICROSECONDS_PER_DAY;
    let said = courses.open_at(at).filter_map(|deal| {
        let own = deal.owner.and_then(|owner| owners.get(&owner));
        let said = own
            .unwrap_or(team)
            .win_within(deal.stage, deal.days, horizon_days)?;
        Some((said, deal.won_at.is_some_and(|won| won <= end)))
    });
    said.collect()
}

fn look_back(
    from: Option<TimestampWithTimeZone>,
    to: Option<TimestampWithTimeZone>,
    horizon: Option<i32>,
) -> Result<Vec<[Option<pg_sys::Datum>; 9]>> {
    let horizon = horizon_days(horizon)?;
    let days = cutoffs(finite(from)?, finite(to)?)?;
    let now = pgrx::datum::datetime_support::now();
    let courses = fit::read(now)?;
    let now: pg_sys::TimestampTz = now.into();
    let (mut found, mut all) = (Vec::new(), Vec::new());
    for day in days {
        pgrx::check_for_interrupts!();
        let at = crate::ghost::days::start_of(day);
        if at + i64::from(horizon) * MICROSECONDS_PER_DAY > now {
            break;
        }
        let said = said_at(&courses, at, horizon)?;
        found.extend(Metrics::of(said.clone()).map(|metrics| row(Some(day), &metrics)));
        all.extend(said);
    }
    found.extend(Metrics::of(all).map(|metrics| row(None, &metrics)));
    Ok(found)
}

/// What a fit at an instant would have said of the deals then open.
fn said_at(
    courses: &Courses,
    at: pg_sys::TimestampTz,
    horizon_days: u32,
) -> Result<Vec<(f64, bool)>> {
    let Some(pipeline) = learned(courses, at)? else {
        return Ok(Vec::new());
    };
    let before = judged_from(at);
    let told_apart = match learned(courses, before)? {
        Some(earlier) => judged(courses, &earlier, before)?.told_apart,
        None => false,
    };
    let owners = if told_apart {
        own_pipelines(courses, &pipeline, at)?
    } else {
        HashMap::new()
    };
    Ok(predictions(courses, &pipeline, &owners, at, horizon_days))
}
