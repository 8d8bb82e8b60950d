//! What a fit found, how right it was, and whether it should be used.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::features::Features;
use super::split::Split;
use super::{Cancelled, HORIZONS_DAYS, MIN_GAIN, OnProgress, Stage};
use crate::silence::stream::Day;
use crate::silence::{Constants, History, Metrics, RowKey};

/// Why the constants in use stay in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeepReason {
    /// Under [`super::MIN_ROWS`] rows.
    TooFewRows,
    /// Too few users and contacts to hold some of them out.
    NothingToHoldOut,
    /// Every contact stayed silent, or every contact wrote.
    AllLabelsEqual,
    /// The fit does not lower the held-out log-loss by [`MIN_GAIN`].
    NotBetter,
}

impl std::fmt::Display for KeepReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TooFewRows => "too little history: under 100 rows",
            Self::NothingToHoldOut => "too few users and contacts to hold some of them out",
            Self::AllLabelsEqual => "every contact stayed silent, or every contact wrote",
            Self::NotBetter => "no better than the constants in use on held-out users",
        })
    }
}

/// What to do with the fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Use the fitted constants: they beat those in use.
    Accept,
    /// Keep the constants in use.
    Keep(KeepReason),
}

/// What was held out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldOutBy {
    /// Whole users: the probabilities were judged on people the fit knows nothing of.
    User,
    /// Contacts of the same users, where there are too few users.
    Contact,
}

/// The held-out metrics of one horizon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HorizonMetrics {
    /// H, in days.
    pub horizon_days: u32,
    /// How right the fitted constants were.
    pub fitted: Metrics,
    /// How right the constants in use were, on the same rows.
    pub in_use: Metrics,
}

/// What a fit found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitReport {
    /// Whether to use the fit.
    pub decision: Decision,
    /// The fitted constants, or those in use where nothing could be fitted.
    pub constants: Constants,
    /// How many rows there were, held-out ones included.
    pub rows: usize,
    /// How many users they came from.
    pub users: usize,
    /// How many pairs of a user and a contact.
    pub pairs: usize,
    /// The earliest and the latest cut-off, as days since 1970-01-01; `None` without rows.
    pub cutoffs: Option<(Day, Day)>,
    /// What was held out, and how many rows; `None` where nothing was fitted.
    pub held_out: Option<(HeldOutBy, usize)>,
    /// How right fitted and used constants were on the held-out rows, for 7, 14, 30 and 60 days.
    pub metrics: Vec<HorizonMetrics>,
}

impl FitReport {
    /// The report of a fit that has not happened yet.
    pub(super) fn keeping(history: &History, rows: &[RowKey], in_use: &Constants) -> Self {
        let users: HashSet<u64> = rows.iter().map(|&row| history.user(row)).collect();
        let pairs: HashSet<u32> = rows.iter().map(|row| row.pair).collect();
        let first = rows.iter().map(|row| row.cutoff).min();
        let last = rows.iter().map(|row| row.cutoff).max();
        Self {
            decision: Decision::Keep(KeepReason::TooFewRows),
            constants: *in_use,
            rows: rows.len(),
            users: users.len(),
            pairs: pairs.len(),
            cutoffs: first.zip(last),
            held_out: None,
            metrics: Vec::new(),
        }
    }

    pub(super) fn because(mut self, reason: KeepReason) -> Self {
        self.decision = Decision::Keep(reason);
        self
    }

    /// Compares the fitted constants with those in use on the held-out rows.
    pub(super) fn judged(
        mut self,
        history: &History,
        split: &Split,
        fitted: Constants,
        progress: OnProgress<'_>,
    ) -> Result<Self, Cancelled> {
        let rows = &split.held_out;
        let of_fitted = judge(history, rows, &fitted, progress)?;
        let of_used = judge(history, rows, &self.constants, progress)?;
        let pairs = of_fitted.into_iter().zip(of_used).zip(HORIZONS_DAYS);
        let metrics = pairs.map(|((fitted, in_use), horizon_days)| HorizonMetrics {
            horizon_days,
            fitted,
            in_use,
        });
        self.metrics = metrics.collect();
        self.held_out = Some((split.by, rows.len()));
        self.constants = fitted;
        self.decision = self.decide();
        Ok(self)
    }

    /// Accepts what lowers the log-loss averaged over the horizons.
    fn decide(&self) -> Decision {
        let gain = |m: &HorizonMetrics| m.in_use.log_loss - m.fitted.log_loss;
        let mean_gain = self.metrics.iter().map(gain).sum::<f64>() / HORIZONS_DAYS.len() as f64;
        if self.metrics.len() == HORIZONS_DAYS.len() && mean_gain >= MIN_GAIN {
            Decision::Accept
        } else {
            Decision::Keep(KeepReason::NotBetter)
        }
    }
}

fn judge(
    history: &History,
    rows: &[RowKey],
    constants: &Constants,
    progress: OnProgress<'_>,
) -> Result<Vec<Metrics>, Cancelled> {
    let features = Features::read(history, rows, constants, Stage::HeldOut, progress)?;
    let of = |horizon| Metrics::of(features.predictions(horizon, &constants.beta));
    Ok((0..HORIZONS_DAYS.len()).filter_map(of).collect())
}
