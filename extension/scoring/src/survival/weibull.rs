//! A censored Weibull with a prior: what is believed of a stage before its days are counted.

use std::convert::Infallible;

use super::hazard::Hazards;
use super::table::{HORIZON_DAYS, LifeTable};
use crate::silence::fit::minimise;

/// The prior deviation of ln k around 0: a hazard that neither rises nor falls.
const SHAPE_DEVIATION: f64 = 0.5;
/// The prior deviation of ln λ around the stage's typical days: a factor of e either way.
const SCALE_DEVIATION: f64 = 1.0;

/// S(t) = exp(−(t/λ)^k) for the time in a stage, whichever way it ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weibull {
    /// k: above 1 the hazard rises with time in the stage, below 1 it falls.
    pub shape: f64,
    /// λ, in days: 63 % of spells are over by then.
    pub scale_days: f64,
}

impl Weibull {
    /// The most probable Weibull of a life table, given how long a spell typically lasts.
    ///
    /// Spells that are censored, or that were not seen from their start, enter day by day through
    /// the risk sets, so they need no special case. An empty table gives the prior.
    #[must_use]
    pub fn fitted(table: &LifeTable, typical_days: f64) -> Self {
        let centre = typical_days.clamp(1.0, HORIZON_DAYS as f64).ln();
        let loss = |point: &[f64; 2]| {
            let prior = (point[0] / SHAPE_DEVIATION).powi(2)
                + ((point[1] - centre) / SCALE_DEVIATION).powi(2);
            0.5 * prior - Self::at(point).log_likelihood(table)
        };
        let Ok(best) = minimise(loss, [0.0, centre], 100, |_| Ok::<(), Infallible>(()));
        Self::at(&best)
    }

    fn at(point: &[f64; 2]) -> Self {
        let bounded = |z: f64| z.clamp(-7.0, 7.0).exp();
        Self {
            shape: bounded(point[0]).min(20.0),
            scale_days: bounded(point[1]),
        }
    }

    /// Σ d·ln h + (n − d)·ln(1 − h) over the days.
    fn log_likelihood(&self, table: &LifeTable) -> f64 {
        let mut sum = 0.0;
        for day in 0..HORIZON_DAYS {
            let left = f64::from(table.moved[day] + table.lost[day]);
            let stayed = f64::from(table.at_risk[day]) - left;
            let risk = self.cumulative(day + 1) - self.cumulative(day);
            if left > 0.0 {
                sum += left * (-(-risk).exp_m1()).max(1e-300).ln();
            }
            sum -= stayed * risk.min(1e6);
        }
        sum
    }

    /// (t/λ)^k.
    fn cumulative(&self, days: usize) -> f64 {
        (days as f64 / self.scale_days).powf(self.shape)
    }

    /// The daily hazards, of which a share, 0–1, is of moving on and the rest of being lost.
    #[must_use]
    pub fn hazards(&self, moving_share: f64) -> Hazards {
        let leaving = |day| {
            let risk = self.cumulative(day + 1) - self.cumulative(day);
            -(-risk.clamp(0.0, 700.0)).exp_m1()
        };
        let all: Vec<f64> = (0..HORIZON_DAYS).map(leaving).collect();
        Hazards {
            moving: all.iter().map(|hazard| hazard * moving_share).collect(),
            lost: all
                .iter()
                .map(|hazard| hazard * (1.0 - moving_share))
                .collect(),
        }
    }
}
