//! The constants of the silence model: the defaults, their ranges, their JSON form.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What the model knows before it sees a contact.
///
/// The defaults were fitted on five mail and call corpora. A deployment's own come from
/// [`fit`](crate::silence::fit()). Unknown keys are refused, so a misspelt one never goes unnoticed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constants {
    /// c, the Weibull shape of the gaps between days; above 0, at most 1. Below 1 the hazard of a
    /// word falls as the silence lasts, which keeps the probability from falling with silence.
    pub shape: f64,
    /// α, the size of the one pseudo-gap that stands in for a contact's own, in days^c.
    pub gap_prior: f64,
    /// a of the Beta(a, b) chance that a contact drops out after a session.
    pub dropout_a: f64,
    /// b of the Beta(a, b) chance that a contact drops out after a session.
    pub dropout_b: f64,
    /// δ, the weight that a gap keeps when the next one ends; 0 to [`Constants::MAX_MEMORY`].
    pub memory: f64,
    /// β0–β4 of the second stage: intercept, log-odds of silence from the inbound stream and from
    /// the stream of any day, and the two counts of days. β1 and β2 are not negative.
    pub beta: [f64; 5],
}

impl Default for Constants {
    fn default() -> Self {
        Self {
            shape: 0.75,
            gap_prior: 11.3031,
            dropout_a: 0.2046,
            dropout_b: 1.7403,
            memory: 0.8847,
            beta: [0.0478, 0.3532, 0.6818, -0.6633, 0.6117],
        }
    }
}

/// The weight below which a gap no longer matters.
const FORGOTTEN: f64 = 0.000_45;

/// A constant that the model cannot work with.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("silence model constant \"{name}\" must be {range}, not {value}")]
pub struct ConstantsError {
    /// The key of the constant.
    pub name: &'static str,
    /// What it must be.
    pub range: &'static str,
    /// What it is.
    pub value: f64,
}

impl Constants {
    /// The largest δ: about a hundred gaps of memory. Above it a stream could not be rebuilt from
    /// a bounded list of days.
    pub const MAX_MEMORY: f64 = 0.99;
    /// The smallest shape that is told apart from "any gap is as likely as any other".
    pub const MIN_SHAPE: f64 = 0.05;
    /// The bounds of α, a and b.
    pub const POSITIVE: (f64, f64) = (1e-6, 1e6);
    /// The bound of every |β|.
    pub const MAX_BETA: f64 = 50.0;

    /// How many of a stream's last days are enough to rebuild it: the gaps before them weigh less
    /// than 0.05 %. 64 at the default memory.
    #[must_use]
    pub fn days_to_remember(&self) -> usize {
        let gaps = FORGOTTEN.ln() / self.memory.clamp(1e-9, Self::MAX_MEMORY).ln();
        // One day more than gaps; at most 780, so the cast cannot lose anything.
        gaps.ceil() as usize + 1
    }

    /// Refuses what would break the model's promises (finite, 0–1, monotone).
    ///
    /// # Errors
    /// [`ConstantsError`] names the first constant that is out of its range or not a number.
    pub fn validate(&self) -> Result<(), ConstantsError> {
        let (low, high) = Self::POSITIVE;
        check("shape", "0.05 to 1", self.shape, Self::MIN_SHAPE, 1.0)?;
        check(
            "gap_prior",
            "0.000001 to 1000000",
            self.gap_prior,
            low,
            high,
        )?;
        check(
            "dropout_a",
            "0.000001 to 1000000",
            self.dropout_a,
            low,
            high,
        )?;
        check(
            "dropout_b",
            "0.000001 to 1000000",
            self.dropout_b,
            low,
            high,
        )?;
        check("memory", "0 to 0.99", self.memory, 0.0, Self::MAX_MEMORY)?;
        for (index, name) in ["beta[0]", "beta[3]", "beta[4]"].into_iter().enumerate() {
            let value = self.beta[[0, 3, 4][index]];
            check(name, "-50 to 50", value, -Self::MAX_BETA, Self::MAX_BETA)?;
        }
        check("beta[1]", "0 to 50", self.beta[1], 0.0, Self::MAX_BETA)?;
        check("beta[2]", "0 to 50", self.beta[2], 0.0, Self::MAX_BETA)
    }
}

/// A NaN is in no range, so it fails here too.
fn check(
    name: &'static str,
    range: &'static str,
    value: f64,
    low: f64,
    high: f64,
) -> Result<(), ConstantsError> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(ConstantsError { name, range, value })
}
