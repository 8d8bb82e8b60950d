//! Stage 1: a renewal process with dropout, for one stream as of one day.
//!
//! Gaps between days follow a Weibull of shape c whose rate is gamma-mixed over contacts, with one
//! pseudo-gap of size α; after each day the contact may drop out for good, with a Beta(a, b)
//! chance. Both mixtures integrate in closed form, so a score takes a few logarithms.

use super::powers::middle_power;
use super::stream::{Day, Stream};
use super::{Constants, Streams};

/// Where a stream stands: how long it has been silent, and how that compares with its own past.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// R: days of silence, at least 1.
    pub silent_days: i64,
    /// n: distinct days seen.
    pub days: u32,
    shape: f64,
    /// s = 1 + x.
    count: f64,
    /// A = α + G.
    scale: f64,
    /// ρ = (R − ½)^c.
    elapsed: f64,
    /// lr = s·ln(1 + ρ/A): minus the log of the silence's survival.
    log_ratio: f64,
    /// P(alive): the contact has not dropped out.
    alive: f64,
}

impl Standing {
    /// The stream of inbound days as of `today`; `None` where there were no events at all.
    ///
    /// A contact that never wrote has been silent since the first day anyone wrote to them.
    #[inline]
    #[must_use]
    pub fn inbound(streams: &Streams, today: Day, constants: &Constants) -> Option<Self> {
        if streams.is_empty() {
            return None;
        }
        let since = streams.silent_since();
        Some(Self::new(&streams.inbound, since, today, constants))
    }

    /// The stream of any days as of `today`; `None` where there were no events at all.
    #[inline]
    #[must_use]
    pub fn any(streams: &Streams, today: Day, constants: &Constants) -> Option<Self> {
        let stream = &streams.any;
        (!streams.is_empty()).then(|| Self::new(stream, stream.last, today, constants))
    }

    fn new(stream: &Stream, since: Day, today: Day, constants: &Constants) -> Self {
        let silent_days = (i64::from(today) - i64::from(since)).max(1);
        let count = 1.0 + stream.gap_count;
        let scale = constants.gap_prior + stream.gap_sum;
        let elapsed = middle_power(silent_days, constants.shape);
        let log_ratio = count * (elapsed / scale).ln_1p();
        let returns = f64::from(stream.days.saturating_sub(1));
        let odds_against = constants.dropout_a / (constants.dropout_b + returns);
        let alive = 1.0 / (1.0 + odds_against * log_ratio.min(MOST_EXPONENT).exp());
        let (shape, days) = (constants.shape, stream.days);
        Self {
            silent_days,
            days,
            shape,
            count,
            scale,
            elapsed,
            log_ratio,
            alive,
        }
    }

    /// The chance, 0–1, that the contact has not dropped out. Alone it is no ghost probability.
    #[must_use]
    pub fn alive(&self) -> f64 {
        self.alive
    }

    /// The share, 0–1, of this contact's own silences that would last longer than this one.
    #[must_use]
    pub fn longer_silences(&self) -> f64 {
        (-self.log_ratio).exp()
    }

    /// P0(H): the chance, 0–1, of no further day within `horizon_days`.
    #[inline]
    #[must_use]
    pub fn silent_probability(&self, horizon_days: u32) -> f64 {
        let ahead = middle_power(self.silent_days + i64::from(horizon_days), self.shape);
        let growth = (ahead - self.elapsed).max(0.0) / (self.scale + self.elapsed);
        let word = -(-self.count * growth.ln_1p()).exp_m1();
        1.0 - self.alive * word
    }

    /// The median gap between days, in days.
    #[must_use]
    pub fn median_gap_days(&self) -> f64 {
        let quantile = (std::f64::consts::LN_2 / self.count).exp_m1();
        (self.scale * quantile).powf(1.0 / self.shape) + 0.5
    }
}

/// An exponential of this is finite.
const MOST_EXPONENT: f64 = 700.0;

/// σ(z), with |z| capped so that the exponential stays finite.
#[inline]
pub(crate) fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + (-z.clamp(-MOST_EXPONENT, MOST_EXPONENT)).exp())
}

/// How near to 0 and 1 the second stage lets a probability of the first come.
pub(super) const LEAST: f64 = 1e-6;

/// The log-odds of a probability kept a millionth away from 0 and 1.
#[inline]
pub(crate) fn log_odds(probability: f64) -> f64 {
    let p = probability.clamp(LEAST, 1.0 - LEAST);
    (p / (1.0 - p)).ln()
}
