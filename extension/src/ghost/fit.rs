//! `crm_health.fit_ghost_model`: learns the constants from the deployment's own past.
//!
//! One transaction, one at a time. Nothing is written before the fit is done, so that a fit that
//! is cancelled or killed leaves everything as it was.

use std::ops::ControlFlow;

use crm_health_scoring::silence::fit::MAX_ROWS;
use crm_health_scoring::silence::{Constants, Decision, FitReport, History, Progress, Stage, fit};
use pgrx::datum::TimestampWithTimeZone;
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_getarg, pg_sys};

use super::days::day_of;
use super::history;
use super::models::{self, Fitted};
use super::probability::finite;
use crate::error::{Error, Result, or_raise};
use crate::owner::AsOwner;
use crate::raw::{RowSink, pg_function};
use crate::settings::Settings;
use crate::{caller, crm};

pg_function! {
    /// `crm_health.fit_ghost_model(p_as_of, p_name)`
    fn fit_ghost_model(fcinfo) {
        let mut sink = RowSink::new(fcinfo);
        // SAFETY: the types are those of the function's declaration.
        let (as_of, name) = unsafe {
            (
                pg_getarg::<TimestampWithTimeZone>(fcinfo, 0),
                pg_getarg::<String>(fcinfo, 1),
            )
        };
        let (name, report) = or_raise(learn(as_of, name));
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX).into_datum();
        sink.push([
            name.into_datum(),
            (report.decision == Decision::Accept).into_datum(),
            models::decision(&report).into_datum(),
            count(report.rows),
            count(report.users),
            count(report.pairs),
            count(report.held_out.map_or(0, |(_, rows)| rows)),
            mean_log_loss(&report, true).into_datum(),
            mean_log_loss(&report, false).into_datum(),
        ]);
        pg_sys::Datum::null()
    }
}

/// Fits, keeps the fit under a name where there is one, and puts it in use where it is better.
fn learn(
    as_of: Option<TimestampWithTimeZone>,
    name: Option<String>,
) -> Result<(Option<String>, FitReport)> {
    let as_of = finite(as_of)?;
    let settings = Settings::read()?;
    let crm = crm::current(&settings.crm_schema)?;
    let owner = crm.score_owner()?;
    if !caller::is_trusted(Some(owner), &settings.trusted_roles) {
        return Err(Error::NotTrusted);
    }
    crm.on_one_server("fit_ghost_model()")?;
    // SAFETY: reads a flag.
    if unsafe { pg_sys::RecoveryInProgress() } {
        return Err(Error::Standby);
    }
    models::lock()?;
    let name = free_name(name)?;
    let (in_use_name, in_use) = models::constants(None)?;
    let (history, events) = {
        let _owner = AsOwner::enter(owner);
        history::read(&crm, as_of)?
    };
    let report = fit_history(&history, as_of, &in_use);
    if report.metrics.is_empty() {
        pgrx::notice!("nothing was fitted: {}", models::decision(&report));
        return Ok((None, report));
    }
    models::store(&Fitted {
        name: &name,
        as_of,
        events,
        compared_with: &in_use_name,
        report: &report,
    })?;
    Ok((Some(name), report))
}

/// The name given, or one made of the time; an error where it is taken.
fn free_name(given: Option<String>) -> Result<String> {
    let name = match given {
        Some(name) => name,
        None => Spi::get_one(
            "SELECT 'fit of ' || to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
        )?
        .unwrap_or_default(),
    };
    check_name(&name)?;
    if models::exists(&name)? {
        return Err(Error::ModelExists {
            kind: "ghost",
            name,
        });
    }
    Ok(name)
}

/// Whether a model may be so named.
pub(crate) fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > 200 {
        return Err(Error::Input("p_name must have 1 to 200 bytes".to_owned()));
    }
    Ok(())
}

fn fit_history(history: &History, as_of: TimestampWithTimeZone, in_use: &Constants) -> FitReport {
    let rows = history.monthly_rows(day_of(as_of.into()), MAX_ROWS);
    pgrx::notice!(
        "fitting on {} moments in the past of {} contacts",
        rows.len(),
        history.pairs()
    );
    let mut told = None;
    let fitted = fit(history, &rows, in_use, |progress: Progress| {
        // A cancelled statement ends here: the error unwinds through the fit.
        pgrx::check_for_interrupts!();
        if told != Some(progress.stage) {
            told = Some(progress.stage);
            pgrx::notice!("{}", in_words(progress.stage));
        }
        ControlFlow::Continue(())
    });
    match fitted {
        Ok(report) => report,
        Err(cancelled) => unreachable!("{cancelled}, though nothing broke it off"),
    }
}

fn in_words(stage: Stage) -> &'static str {
    match stage {
        Stage::Gaps => "learning the gaps between days",
        Stage::Rows => "reading the days with what was learned",
        Stage::Calibration => "calibrating the probabilities",
        Stage::HeldOut => "judging on what was held out",
    }
}

/// The held-out log-loss averaged over the horizons, of the fit or of what was in use.
fn mean_log_loss(report: &FitReport, fitted: bool) -> Option<f64> {
    let of = |metrics: &crm_health_scoring::silence::fit::HorizonMetrics| {
        if fitted {
            metrics.fitted.log_loss
        } else {
            metrics.in_use.log_loss
        }
    };
    let count = report.metrics.len() as f64;
    (!report.metrics.is_empty()).then(|| report.metrics.iter().map(of).sum::<f64>() / count)
}
