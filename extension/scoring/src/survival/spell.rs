//! One deal's stay in one stage.

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

/// One deal's stay in one stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// A stored stage has hazards or shares that are no probabilities, or too many or few of them.
    #[error("stage {stage} of the stored model is damaged: {what}")]
    Damaged {
        /// The index of the stage.
        stage: usize,
        /// What is wrong.
        what: &'static str,
    },
}
