//! `crm_health.backtest`: the past scored as it would have been then, against what came true.

use crm_health_scoring::silence::fit::MAX_ROWS;
use crm_health_scoring::silence::history::CUTOFF_STEP_DAYS;
use crm_health_scoring::silence::stream::Day;
use crm_health_scoring::silence::{self, Metrics, RowKey};
use pgrx::datum::{JsonB, TimestampWithTimeZone};
use pgrx::{IntoDatum, pg_getarg, pg_sys};

use super::days::day_of;
use super::history;
use super::models;
use super::probability::{finite, horizon_days};
use crate::error::{Error, Result, or_raise};
use crate::owner::AsOwner;
use crate::raw::{RowSink, pg_function};
use crate::settings::Settings;
use crate::{caller, crm};

/// More cut-offs than this are a mistake: forty years of them.
const MAX_CUTOFFS: usize = 500;

/// Days from 1970-01-01 to PostgreSQL's 2000-01-01.
const EPOCH_SHIFT_DAYS: i32 = 10_957;

pg_function! {
    /// `crm_health.backtest(p_from, p_to, p_horizon_days, p_model)`
    fn backtest(fcinfo) {
        let mut sink = RowSink::new(fcinfo);
        // SAFETY: the types are those of the function's declaration.
        let (from, to, horizon, model) = unsafe {
            (
                pg_getarg::<TimestampWithTimeZone>(fcinfo, 0),
                pg_getarg::<TimestampWithTimeZone>(fcinfo, 1),
                pg_getarg::<i32>(fcinfo, 2),
                pg_getarg::<String>(fcinfo, 3),
            )
        };
        for (cutoff, metrics) in or_raise(judge(from, to, horizon, model.as_deref())) {
            sink.push(row(cutoff, &metrics));
        }
        pg_sys::Datum::null()
    }
}

/// How right the model was as of each cut-off, a month apart, and `None`: over all of them.
fn judge(
    from: Option<TimestampWithTimeZone>,
    to: Option<TimestampWithTimeZone>,
    horizon: Option<i32>,
    model: Option<&str>,
) -> Result<Vec<(Option<Day>, Metrics)>> {
    let horizon = horizon_days(horizon)?;
    let cutoffs = cutoffs(finite(from)?, finite(to)?)?;
    let settings = Settings::read()?;
    let crm = crm::current(&settings.crm_schema)?;
    let owner = crm.score_owner()?;
    if !caller::is_trusted(Some(owner), &settings.trusted_roles) {
        return Err(Error::NotTrusted);
    }
    crm.on_one_server("the backtest of the ghost model")?;
    let (_, constants) = models::constants(model)?;
    let (history, _) = {
        let _owner = AsOwner::enter(owner);
        history::read(&crm, pgrx::datum::datetime_support::now())?
    };
    let rows = history.rows_at(&cutoffs, horizon.cast_signed(), MAX_ROWS);
    let judge = |rows: &[RowKey]| {
        pgrx::check_for_interrupts!();
        silence::backtest(&history, rows, horizon, &constants)
    };
    let mut found = Vec::new();
    for cutoff in cutoffs {
        let at: Vec<RowKey> = rows
            .iter()
            .copied()
            .filter(|row| row.cutoff == cutoff)
            .collect();
        found.extend(judge(&at).map(|metrics| (Some(cutoff), metrics)));
    }
    found.extend(judge(&rows).map(|metrics| (None, metrics)));
    Ok(found)
}

/// The days from one to the other, 30 apart.
pub(crate) fn cutoffs(from: TimestampWithTimeZone, to: TimestampWithTimeZone) -> Result<Vec<Day>> {
    let (first, last) = (day_of(from.into()), day_of(to.into()));
    if last < first {
        return Err(Error::Input("p_to must not lie before p_from".to_owned()));
    }
    let cutoffs: Vec<Day> = (first..=last)
        .step_by(CUTOFF_STEP_DAYS.unsigned_abs() as usize)
        .take(MAX_CUTOFFS + 1)
        .collect();
    if cutoffs.len() > MAX_CUTOFFS {
        return Err(Error::Input(format!(
            "p_from and p_to must lie at most {} days apart",
            MAX_CUTOFFS as i64 * i64::from(CUTOFF_STEP_DAYS)
        )));
    }
    Ok(cutoffs)
}

/// A row of a backtest: the day, and how right the probabilities were.
pub(crate) fn row(cutoff: Option<Day>, metrics: &Metrics) -> [Option<pg_sys::Datum>; 9] {
    // A date is the number of days since 2000-01-01.
    let date = cutoff.map(|day| pg_sys::Datum::from(day - EPOCH_SHIFT_DAYS));
    let bins = serde_json::to_value(&metrics.reliability).expect("bins are JSON");
    [
        date,
        i64::try_from(metrics.rows).unwrap_or(i64::MAX).into_datum(),
        metrics.base_rate.into_datum(),
        metrics.auc.into_datum(),
        metrics.average_precision.into_datum(),
        metrics.brier.into_datum(),
        metrics.log_loss.into_datum(),
        metrics.calibration_error.into_datum(),
        JsonB(bins).into_datum(),
    ]
}
