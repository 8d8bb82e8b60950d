//! Daily hazards of the two ways out of a stage, and what follows from them.

use serde::{Deserialize, Serialize};

use super::table::LifeTable;

/// κ: a prior hazard weighs as much as this many spells seen on the day.
pub const KAPPA: f64 = 20.0;

/// How many ends the prior curve weighs in each band of [`Hazards::bent_to`].
pub const BAND_ENDS: f64 = 5.0;

/// The first day of each band: doubling, as the days thin out.
const BANDS: [usize; 6] = [0, 7, 14, 28, 56, 112];

/// The chances, 0–1, that a deal that entered a day of its stage leaves it on that day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hazards {
    /// By moving on: to another stage, or won.
    pub moving: Vec<f64>,
    /// By being lost.
    pub lost: Vec<f64>,
}

impl Hazards {
    /// Shrinks the hazards of a table towards these: (d + κh)/(n + κ), day by day and end by end.
    #[must_use]
    pub fn updated_by(&self, table: &LifeTable) -> Self {
        let blend = |prior: &[f64], ends: &[u32]| {
            let days = prior.iter().zip(ends).zip(&table.at_risk);
            days.map(|((h, &d), &n)| (f64::from(d) + KAPPA * h) / (f64::from(n) + KAPPA))
                .collect()
        };
        Self {
            moving: blend(&self.moving, &table.moved),
            lost: blend(&self.lost, &table.lost),
        }
    }

    /// Scales these by what a table saw, band by band: (d + [`BAND_ENDS`])/(expected + [`BAND_ENDS`]).
    ///
    /// Bends a smooth curve to the table where a whole fortnight or more of days agrees that it is
    /// too high or too low for one of the ends, even where single days are too thin to tell.
    #[must_use]
    pub fn bent_to(&self, table: &LifeTable) -> Self {
        let mut bent = Self {
            moving: bend(&self.moving, &table.moved, &table.at_risk),
            lost: bend(&self.lost, &table.lost, &table.at_risk),
        };
        for (moving, lost) in bent.moving.iter_mut().zip(&mut bent.lost) {
            let total = (*moving + *lost).max(1.0);
            (*moving, *lost) = (*moving / total, *lost / total);
        }
        bent
    }

    /// S: the chance to be in the stage still after 0, 1, … days.
    #[must_use]
    pub fn survival(&self) -> Vec<f64> {
        let mut survival = vec![1.0];
        for (moving, lost) in self.moving.iter().zip(&self.lost) {
            let stayed = survival[survival.len() - 1];
            survival.push(stayed * (1.0 - moving - lost).max(0.0));
        }
        survival
    }

    /// Aalen–Johansen: the chance to have moved on, and to have been lost, within 0, 1, … days.
    #[must_use]
    pub fn cumulative_incidence(&self) -> (Vec<f64>, Vec<f64>) {
        let survival = self.survival();
        let add_up = |hazards: &[f64]| {
            let mut sums = vec![0.0];
            for (hazard, stayed) in hazards.iter().zip(&survival) {
                sums.push(sums[sums.len() - 1] + stayed * hazard);
            }
            sums
        };
        (add_up(&self.moving), add_up(&self.lost))
    }

    /// Both hazards on a day; those of the last day from there on.
    pub(super) fn on(&self, day: usize) -> (f64, f64) {
        let day = day.min(self.moving.len() - 1);
        (self.moving[day], self.lost[day])
    }
}

fn bend(prior: &[f64], ends: &[u32], at_risk: &[u32]) -> Vec<f64> {
    let mut bent = prior.to_vec();
    for (index, &from) in BANDS.iter().enumerate() {
        let to = BANDS
            .get(index + 1)
            .map_or(prior.len(), |&next| next.min(prior.len()));
        let days = from.min(to)..to;
        let seen: f64 = ends[days.clone()].iter().map(|&d| f64::from(d)).sum();
        let expected: f64 = days
            .clone()
            .map(|day| f64::from(at_risk[day]) * prior[day])
            .sum();
        let factor = (seen + BAND_ENDS) / (expected + BAND_ENDS);
        bent[days].iter_mut().for_each(|hazard| *hazard *= factor);
    }
    bent
}
