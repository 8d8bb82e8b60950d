//! How deals move through their stages, from a team's own history.
//!
//! Each spell of a deal in a stage ends by moving on (to a later or an earlier stage, or won) or by
//! being lost, or it still lasts. For each stage the daily hazards of both ends are estimated with
//! lasting spells right-censored ([`table`]), steadied where days are thin by a Weibull
//! ([`weibull`]) bent to whole bands of days, then for each user by the team ([`hazard`]); chained over the stages
//! ([`pipeline`]) they give the chance to be won, the days it takes, and how a deal's time in its
//! stage compares.
//!
//! Contract: time is whole days in a stage; no clock is read. Every probability is finite and in
//! 0–1. Under [`MIN_COMPLETED`] completed spells there is no model, and thresholds stay in force.

pub mod hazard;
pub mod pipeline;
pub mod spell;
pub mod table;
pub mod weibull;

pub use hazard::{Hazards, KAPPA};
pub use pipeline::{MIN_COMPLETED, Outlook, Pipeline, StageModel};
pub use spell::{End, Spell, SurvivalError};
pub use table::{HORIZON_DAYS, LifeTable};
pub use weibull::Weibull;
