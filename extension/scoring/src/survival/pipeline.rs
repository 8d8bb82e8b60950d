//! The stages chained: from a deal's stage and its days there to the chance that it is won.

use serde::{Deserialize, Serialize};

use crate::phrase::chance;

use super::hazard::{Hazards, KAPPA};
use super::spell::{Spell, SurvivalError};
use super::table::{HORIZON_DAYS, LifeTable};
use super::weibull::Weibull;

/// Fewer completed spells than this, over all stages, make no model.
pub const MIN_COMPLETED: u64 = 10;

/// A chance to be won below this gives no date: it would be the date of a rare exception.
const MIN_WIN_PROBABILITY: f64 = 0.01;

/// One stage of a fitted pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageModel {
    /// The daily hazards, [`HORIZON_DAYS`] of each end.
    pub hazards: Hazards,
    /// Where a deal that moves on goes: a share, 0–1, for each stage, the last for won.
    pub destinations: Vec<f64>,
}

/// A fitted pipeline. Its JSON form is the list of its stages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<StageModel>", into = "Vec<StageModel>")]
pub struct Pipeline {
    stages: Vec<StageModel>,
    /// For each stage, the chance to be won within 0, 1, … days of moving on from it.
    won_after_moving: Vec<Vec<f64>>,
}

/// What is to be expected of a deal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlook {
    /// The chance, 0–1, that the deal is won within a year.
    pub win_probability: f64,
    /// The mean days until then, if it is won within a year; `None` where that is under 1 % likely.
    pub days_to_close: Option<f64>,
    /// The share, 0–1, of the deals that moved on from this stage and had done so sooner.
    pub slower_than: f64,
}

impl Pipeline {
    /// Fits a team's pipeline; `None` under [`MIN_COMPLETED`] completed spells.
    ///
    /// `typical_days` has one entry for each open stage, in their order: how long a deal may stay
    /// before it worries anyone. It only steers stages that hardly anybody has left yet.
    ///
    /// # Errors
    /// [`SurvivalError::UnknownStage`] where a spell names a stage that is not there.
    pub fn fit(typical_days: &[f64], spells: &[Spell]) -> Result<Option<Self>, SurvivalError> {
        let tables = LifeTable::of(spells, typical_days.len())?;
        if tables.iter().map(LifeTable::completed).sum::<u64>() < MIN_COMPLETED {
            return Ok(None);
        }
        let stages = tables.iter().zip(typical_days).enumerate();
        let stages = stages.map(|(index, (table, &typical))| team_stage(index, table, typical));
        Ok(Some(Self::chain(stages.collect())))
    }

    /// The pipeline of one user: the team's, as far as the user's own spells do not say otherwise.
    /// They are among the team's, and weigh twice: little, where there are several users.
    ///
    /// # Errors
    /// [`SurvivalError::UnknownStage`] where a spell names a stage that is not there.
    pub fn for_user(&self, spells: &[Spell]) -> Result<Self, SurvivalError> {
        let tables = LifeTable::of(spells, self.stages.len())?;
        let stages = self
            .stages
            .iter()
            .zip(&tables)
            .map(|(stage, table)| StageModel {
                hazards: stage.hazards.updated_by(table),
                destinations: shrunk_shares(&table.destinations, &stage.destinations, KAPPA),
            });
        Ok(Self::chain(stages.collect()))
    }

    /// Solves the chances to be won, shortest horizon first: what is won within h days of moving on
    /// needs only what is won within fewer days of entering the next stage, so stages may recur.
    fn chain(stages: Vec<StageModel>) -> Self {
        let leaving: Vec<Vec<f64>> = stages
            .iter()
            .map(|stage| moving_density(&stage.hazards))
            .collect();
        let mut entered = vec![Vec::with_capacity(HORIZON_DAYS + 1); stages.len()];
        let mut after: Vec<Vec<f64>> = entered.clone();
        for horizon in 0..=HORIZON_DAYS {
            for (index, density) in leaving.iter().enumerate() {
                entered[index].push(convolve(density, &after[index], horizon));
            }
            for (index, stage) in stages.iter().enumerate() {
                let won = stage.destinations[stages.len()];
                let elsewhere = stage.destinations.iter().zip(&entered);
                let through: f64 = elsewhere.map(|(share, to)| share * to[horizon]).sum();
                after[index].push((won + through).min(1.0));
            }
        }
        Self {
            stages,
            won_after_moving: after,
        }
    }

    /// The stages, in their order.
    #[must_use]
    pub fn stages(&self) -> &[StageModel] {
        &self.stages
    }

    /// The chance, 0–1, that a deal with so many whole days in a stage is won within `horizon_days`
    /// (a year at most); `None` for a stage that is not there.
    #[must_use]
    pub fn win_within(&self, stage: usize, days: u32, horizon_days: u32) -> Option<f64> {
        let horizon = (horizon_days as usize).min(HORIZON_DAYS);
        let density = self.moving_density_after(stage, days, horizon)?;
        Some(convolve(&density, &self.won_after_moving[stage], horizon).min(1.0))
    }

    /// Everything to be expected of a deal; `None` for a stage that is not there.
    #[must_use]
    pub fn outlook(&self, stage: usize, days: u32) -> Option<Outlook> {
        let density = self.moving_density_after(stage, days, HORIZON_DAYS)?;
        let after = &self.won_after_moving[stage];
        let win_probability = convolve(&density, after, HORIZON_DAYS).min(1.0);
        // The mean of a waiting time within a horizon is the sum over its days of those not yet won.
        let mut won_so_far = 0.0;
        let won_by: Vec<f64> = after
            .iter()
            .map(|chance| {
                won_so_far += chance;
                won_so_far
            })
            .collect();
        let won_days = convolve(&density, &won_by, HORIZON_DAYS - 1);
        let mean = HORIZON_DAYS as f64 - won_days / win_probability;
        Some(Outlook {
            win_probability,
            days_to_close: (win_probability >= MIN_WIN_PROBABILITY).then_some(mean.max(0.0)),
            slower_than: self.slower_than(stage, days),
        })
    }

    /// The chances to move on after 1, 2, … more days, given the days already spent in the stage.
    fn moving_density_after(&self, stage: usize, days: u32, count: usize) -> Option<Vec<f64>> {
        let hazards = &self.stages.get(stage)?.hazards;
        let mut stayed = 1.0;
        let density = (0..count).map(|ahead| {
            let (moving, lost) = hazards.on((days as usize).saturating_add(ahead));
            let moved = stayed * moving;
            stayed *= (1.0 - moving - lost).max(0.0);
            moved
        });
        Some(density.collect())
    }

    /// Aalen–Johansen's share of those that moved on, up to now, of all that do within the horizon.
    fn slower_than(&self, stage: usize, days: u32) -> f64 {
        let (moved, _) = self.stages[stage].hazards.cumulative_incidence();
        let all = moved[HORIZON_DAYS];
        let so_far = moved[(days as usize).min(HORIZON_DAYS)];
        if all > 0.0 {
            (so_far / all).min(1.0)
        } else {
            0.0
        }
    }
}

/// The Weibull of a stage, bent to what was counted in each band of days, then on each day.
fn team_stage(index: usize, table: &LifeTable, typical_days: f64) -> StageModel {
    let moved: u64 = table.moved.iter().map(|&count| u64::from(count)).sum();
    // One spell of either end, seen before the first, keeps an end that was never seen possible.
    let moving_share = (moved as f64 + 1.0) / (table.completed() as f64 + 2.0);
    let smooth = Weibull::fitted(table, typical_days).hazards(moving_share);
    let mut onward = vec![0.0; table.destinations.len()];
    onward[index + 1] = 1.0;
    StageModel {
        hazards: smooth.bent_to(table).updated_by(table),
        destinations: shrunk_shares(&table.destinations, &onward, 1.0),
    }
}

/// Shares of counts, with prior shares that weigh as much as `weight` of them.
fn shrunk_shares(counts: &[u32], prior: &[f64], weight: f64) -> Vec<f64> {
    let total: f64 = counts.iter().map(|&count| f64::from(count)).sum();
    let share =
        |(&count, share): (&u32, &f64)| (f64::from(count) + weight * share) / (total + weight);
    counts.iter().zip(prior).map(share).collect()
}

/// The chance to move on after exactly 1, 2, … days.
fn moving_density(hazards: &Hazards) -> Vec<f64> {
    hazards
        .survival()
        .iter()
        .zip(&hazards.moving)
        .map(|(stayed, moving)| stayed * moving)
        .collect()
}

/// Σ over j = 1 … horizon of density(j)·after(horizon − j); `density[0]` is that of one day.
fn convolve(density: &[f64], after: &[f64], horizon: usize) -> f64 {
    // Four sums side by side: the additions of a single one would wait for each other.
    let mut sums = [0.0; 4];
    let (fours, rest) = density[..horizon].as_chunks::<4>();
    let (rest_after, fours_after) = after[..horizon].as_rchunks::<4>();
    for (d, a) in fours.iter().zip(fours_after.iter().rev()) {
        for lane in 0..4 {
            sums[lane] += d[lane] * a[3 - lane];
        }
    }
    let rest: f64 = rest
        .iter()
        .zip(rest_after.iter().rev())
        .map(|(d, a)| d * a)
        .sum();
    sums.iter().sum::<f64>() + rest
}

impl From<Pipeline> for Vec<StageModel> {
    fn from(pipeline: Pipeline) -> Self {
        pipeline.stages
    }
}

impl TryFrom<Vec<StageModel>> for Pipeline {
    type Error = SurvivalError;

    fn try_from(stages: Vec<StageModel>) -> Result<Self, SurvivalError> {
        for (index, stage) in stages.iter().enumerate() {
            let damaged = |what| SurvivalError::Damaged { stage: index, what };
            stage.check(stages.len()).map_err(damaged)?;
        }
        Ok(Self::chain(stages))
    }
}

impl StageModel {
    /// What keeps the promises of [`Pipeline`]; a NaN fails every comparison.
    fn check(&self, stages: usize) -> Result<(), &'static str> {
        let Hazards { moving, lost } = &self.hazards;
        if moving.len() != HORIZON_DAYS || lost.len() != HORIZON_DAYS {
            return Err("it needs 365 hazards of each end");
        }
        let possible = |(m, l): (&f64, &f64)| *m >= 0.0 && *l >= 0.0 && m + l <= 1.0 + 1e-9;
        if !moving.iter().zip(lost).all(possible) {
            return Err("a hazard is outside 0 to 1");
        }
        let total: f64 = self.destinations.iter().sum();
        let shares = self.destinations.iter().all(|share| *share >= 0.0)
            && (1.0 - 1e-6..=1.0 + 1e-6).contains(&total);
        if self.destinations.len() != stages + 1 || !shares {
            return Err("the destinations are no shares of one, a stage each and won");
        }
        Ok(())
    }
}

impl Outlook {
    /// The chance to be won in whole percent, which is never certainty: `42 %`, `over 99 %`, `under 1 %`.
    #[must_use]
    pub fn chance(&self) -> String {
        chance(percent(self.win_probability))
    }

    /// For example "slower than 85 % of the deals that moved on from this stage; 42 % likely to be
    /// won within a year, then in about 24 days".
    #[must_use]
    pub fn sentence(&self) -> String {
        let pace = format!(
            "slower than {} % of the deals that moved on from this stage; {} likely to be won \
             within a year",
            percent(self.slower_than),
            self.chance()
        );
        match self.days_to_close.map(|days| days.round().max(1.0)) {
            None => pace,
            Some(days) if days <= 1.0 => format!("{pace}, then in about 1 day"),
            Some(days) => format!("{pace}, then in about {days:.0} days"),
        }
    }
}

/// A share in whole percent, halves up.
fn percent(share: f64) -> i32 {
    (100.0 * share + 0.5).floor() as i32
}
