//! Daily hazards of the two ways out of a stage, and what follows from them.

use serde::{Deserialize, Serialize};

use super::table::LifeTable;

/// κ: a prior hazard weighs as much as this many spells seen on the day.
pub const KAPPA: f64 = 20.0;

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
