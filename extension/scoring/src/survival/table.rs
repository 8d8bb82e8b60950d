//! Counting: who was in a stage on its j-th day, and who left it on that day.

use super::hazard::Hazards;
use super::spell::{End, Spell, SurvivalError};

/// The days in a stage that are told apart, and the longest horizon of a prediction.
pub const HORIZON_DAYS: usize = 365;

/// The life table of one stage. Day j, counted from 0, runs from j to j + 1 days in the stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifeTable {
    /// n: spells that were seen entering each day.
    pub at_risk: Vec<u32>,
    /// Spells that moved on, or were won, on each day.
    pub moved: Vec<u32>,
    /// Spells that were lost on each day.
    pub lost: Vec<u32>,
    /// Where those that moved on went: one count for each stage, and the last for won.
    pub destinations: Vec<u32>,
}

impl LifeTable {
    fn empty(stages: usize) -> Self {
        Self {
            at_risk: vec![0; HORIZON_DAYS],
            moved: vec![0; HORIZON_DAYS],
            lost: vec![0; HORIZON_DAYS],
            destinations: vec![0; stages + 1],
        }
    }

    /// One table for each of `stages` stages. Open spells are censored: they count as at risk on
    /// the days they completed. Days beyond the horizon are not told apart and not counted.
    ///
    /// # Errors
    /// [`SurvivalError::UnknownStage`] where a spell is in, or moved to, a stage that is not there.
    pub fn of(spells: &[Spell], stages: usize) -> Result<Vec<Self>, SurvivalError> {
        let mut tables = vec![Self::empty(stages); stages];
        for spell in spells {
            let stage = known(spell.stage, stages)?;
            if let End::Moved(to) = spell.end {
                known(to, stages)?;
            }
            tables[stage].add(spell);
        }
        tables.iter_mut().for_each(Self::sum_risk);
        Ok(tables)
    }

    /// Marks where a spell enters and leaves the risk set; [`Self::sum_risk`] adds up.
    fn add(&mut self, spell: &Spell) {
        let last = (spell.days as usize).min(HORIZON_DAYS);
        let ended = spell.end != End::Open;
        let first = (spell.unseen_days as usize).min(last);
        let after = (last + usize::from(ended)).min(HORIZON_DAYS);
        if first == after {
            return;
        }
        self.at_risk[first] = self.at_risk[first].wrapping_add(1);
        if let Some(left) = self.at_risk.get_mut(after) {
            *left = left.wrapping_sub(1);
        }
        if last < HORIZON_DAYS {
            self.count_end(last, spell.end);
        }
    }

    fn count_end(&mut self, day: usize, end: End) {
        match end {
            End::Open => {}
            End::Lost => self.lost[day] += 1,
            End::Moved(to) => self.count_move(day, to),
            End::Won => self.count_move(day, self.destinations.len() - 1),
        }
    }

    fn count_move(&mut self, day: usize, to: usize) {
        self.moved[day] += 1;
        self.destinations[to] += 1;
    }

    /// From changes of the risk set, which wrap below zero, to the set itself, which does not.
    fn sum_risk(&mut self) {
        let mut sum = 0_u32;
        for change in &mut self.at_risk {
            sum = sum.wrapping_add(*change);
            *change = sum;
        }
    }

    /// How many spells were seen to end.
    #[must_use]
    pub fn completed(&self) -> u64 {
        self.moved
            .iter()
            .chain(&self.lost)
            .map(|&count| u64::from(count))
            .sum()
    }

    /// h = d/n for both ends; 0 on days that nobody was seen to enter.
    #[must_use]
    pub fn raw_hazards(&self) -> Hazards {
        let of = |ends: &[u32]| {
            let pairs = ends.iter().zip(&self.at_risk);
            pairs
                .map(|(&d, &n)| {
                    if n == 0 {
                        0.0
                    } else {
                        f64::from(d) / f64::from(n)
                    }
                })
                .collect()
        };
        Hazards {
            moving: of(&self.moved),
            lost: of(&self.lost),
        }
    }
}

fn known(stage: usize, stages: usize) -> Result<usize, SurvivalError> {
    if stage < stages {
        Ok(stage)
    } else {
        Err(SurvivalError::UnknownStage { stage, stages })
    }
}
