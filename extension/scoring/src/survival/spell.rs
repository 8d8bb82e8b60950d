//! One deal's stay in one stage.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How a spell ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It has not: the deal is still in the stage.
    Open,
    /// The deal moved to the stage of this index, later or earlier in the pipeline.
    Moved(usize),
    /// The deal was won.
    Won,
    /// The deal was lost.
    Lost,
}

/// One deal's stay in one stage. Its JSON form is an array of four numbers, for many are kept: the
/// stage, the days, the unseen days, and the end: −1 open, −2 won, −3 lost, else the stage moved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Numbers", try_from = "Numbers")]
pub struct Spell {
    /// The index of the stage among the open stages of the pipeline.
    pub stage: usize,
    /// Whole days in the stage, until the end or until now.
    pub days: u32,
    /// Days in the stage when recording began: 0 for a spell that was seen from its start.
    ///
    /// A history seeded with the deals then open knows their past stay, but not of the deals that
    /// had left by then; counting such a stay as observed would make every stage look slower.
    pub unseen_days: u32,
    /// How it ended.
    pub end: End,
}

type Numbers = (usize, u32, u32, i64);

impl From<Spell> for Numbers {
    fn from(spell: Spell) -> Self {
        let end = match spell.end {
            End::Open => -1,
            End::Won => -2,
            End::Lost => -3,
            End::Moved(to) => i64::try_from(to).unwrap_or(i64::MAX),
        };
        (spell.stage, spell.days, spell.unseen_days, end)
    }
}

impl TryFrom<Numbers> for Spell {
    type Error = SurvivalError;

    fn try_from((stage, days, unseen_days, end): Numbers) -> Result<Self, SurvivalError> {
        let end = match end {
            -1 => End::Open,
            -2 => End::Won,
            -3 => End::Lost,
            to => End::Moved(usize::try_from(to).map_err(|_| SurvivalError::UnknownEnd(to))?),
        };
        Ok(Self {
            stage,
            days,
            unseen_days,
            end,
        })
    }
}

/// A history or a stored model that does not fit the pipeline.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SurvivalError {
    /// A spell names a stage that is not there.
    #[error("stage {stage} is not one of the {stages} stages of the pipeline")]
    UnknownStage {
        /// The index given.
        stage: usize,
        /// How many stages there are.
        stages: usize,
    },
    /// A stored spell ends in no way that is known.
    #[error("{0} is no end of a stay in a stage")]
    UnknownEnd(i64),
    /// A stored stage has hazards or shares that are no probabilities, or too many or few of them.
    #[error("stage {stage} of the stored model is damaged: {what}")]
    Damaged {
        /// The index of the stage.
        stage: usize,
        /// What is wrong.
        what: &'static str,
    },
}
