//! Learning the constants from a deployment's own past.
//!
//! Contract: deterministic (same history, same constants, same report), cancellable at every
//! [`Progress`], and never a NaN: where the data does not carry a fit, or the fit does not beat the
//! constants in use on users it has not seen, those are kept and the report says why.
//!
//! The fit that is judged is the fit that is handed out: a quarter of the users, always the same
//! ones, is never learned from.

mod bfgs;
mod calibration;
mod features;
mod gaps;
mod report;
mod split;

use std::ops::ControlFlow;

pub(crate) use bfgs::minimise;
pub use report::{Decision, FitReport, HeldOutBy, HorizonMetrics, KeepReason};

use self::features::Features;
use self::split::Split;
use super::{Constants, History, RowKey};

/// The horizons of the second stage and of the report, in days.
pub const HORIZONS_DAYS: [u32; 4] = [7, 14, 30, 60];

/// Fewer rows than this keep the constants in use.
pub const MIN_ROWS: usize = 100;

/// More rows than this make the fit slower and no better: five coefficients are known to a
/// thousandth long before. Pass it to [`History::monthly_rows`].
pub const MAX_ROWS: usize = 400_000;

/// A fit must lower the held-out log-loss by this many nats, so that noise changes no model.
pub const MIN_GAIN: f64 = 1e-4;

/// What the fit is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Learning the gaps: the first stage.
    Gaps,
    /// Reading the rows with the first stage's constants.
    Rows,
    /// Learning the calibration: the second stage.
    Calibration,
    /// Judging on the held-out users.
    HeldOut,
}

/// A sign of life, given many times a second; breaking off here cancels the fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Iterations, or rows, done in this stage.
    pub done: u64,
    /// The most there can be; a stage may end earlier.
    pub total: u64,
}

/// The progress callback broke off; nothing was learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the fit was cancelled")]
pub struct Cancelled;

type OnProgress<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

/// Reports and turns a break into an error.
fn report_progress(
    on: OnProgress<'_>,
    stage: Stage,
    done: u64,
    total: u64,
) -> Result<(), Cancelled> {
    match on(Progress { stage, done, total }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Cancelled),
    }
}

/// Fits the constants on `rows` of `history` and compares them with those `in_use` on held-out users.
///
/// `rows` ascend; take them from [`History::monthly_rows`]. `in_use` has passed
/// [`Constants::validate`].
///
/// # Errors
/// [`Cancelled`] when `progress` breaks off.
pub fn fit(
    history: &History,
    rows: &[RowKey],
    in_use: &Constants,
    mut progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<FitReport, Cancelled> {
    let summary = FitReport::keeping(history, rows, in_use);
    if rows.len() < MIN_ROWS {
        return Ok(summary.because(KeepReason::TooFewRows));
    }
    let Some(split) = Split::of(history, rows) else {
        return Ok(summary.because(KeepReason::NothingToHoldOut));
    };
    let Some(fitted) = learn(history, &split.learned, &mut progress)? else {
        return Ok(summary.because(KeepReason::AllLabelsEqual));
    };
    summary.judged(history, &split, fitted, &mut progress)
}

/// Learns from all of `rows`, unjudged: what [`fit`] does with the users it learns from.
///
/// `None` where at some horizon all labels are equal, or no finite optimum was found.
///
/// # Errors
/// [`Cancelled`] when `progress` breaks off.
pub fn learn(
    history: &History,
    rows: &[RowKey],
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Option<Constants>, Cancelled> {
    if !labels_differ(history, rows) {
        return Ok(None);
    }
    let first = gaps::learn(history, rows, progress)?;
    let features = Features::read(history, rows, &first, Stage::Rows, progress)?;
    let beta = calibration::learn(&features, progress)?;
    let fitted = Constants { beta, ..first };
    Ok(fitted.validate().is_ok().then_some(fitted))
}

/// Whether some contacts stayed silent and some did not, at the month that matters most.
fn labels_differ(history: &History, rows: &[RowKey]) -> bool {
    let silent = |&row: &RowKey| super::history::silent(history.wait_days_after(row), 30);
    rows.iter().any(silent) && !rows.iter().all(silent)
}
