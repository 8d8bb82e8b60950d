//! Everything a deployment may change: stage thresholds, weights, cut-offs, the ghost model.
//!
//! [`Config::default`] is what ships. A configuration is read from JSON whose sections may be left
//! out (they keep their defaults) but not misspelt, and is to be passed through
//! [`Config::validate`] before it is used; a score with one that was not is still a score.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::silence::{Constants, DEFAULT_GHOST_CUTOFF};
use crate::weights::Weights;

mod validate;

pub use validate::ConfigError;

/// Days in a stage at which a deal's stage velocity changes its pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageThresholds {
    /// Up to here the stage scores 100.
    pub optimal_days: i32,
    /// From `optimal_days` to here the score falls from 100 to 60.
    pub warning_days: i32,
    /// From `warning_days` to here it falls from 60 to 20, then by one point in five days.
    pub critical_days: i32,
}

/// Weights of a deal's components, in parts per 10,000; only their proportions matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DealWeights {
    /// Of the time in the stage.
    pub stage_velocity: i64,
    /// Of how meetings and e-mails sound.
    pub sentiment: i64,
    /// Of meetings and their recency.
    pub engagement: i64,
    /// Of activities and their recency.
    pub activity: i64,
    /// Of how quickly e-mails are answered.
    pub response_time: i64,
}

/// Weights of a relationship's components, in parts per 10,000; only their proportions matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelationshipWeights {
    /// Of how often there is contact, against the contact's own habit.
    pub communication_frequency: i64,
    /// Of whether and how quickly the contact answers.
    pub response_behavior: i64,
    /// Of opened e-mails and meetings.
    pub engagement_quality: i64,
    /// Of how meetings and e-mails sound.
    pub sentiment: i64,
    /// Of how often there are meetings, against the contact's own habit.
    pub meeting_pattern: i64,
}

/// The lowest overall scores, 0 to 100, of a deal's statuses; below `critical` it is stalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DealCutoffs {
    /// Lowest score of a healthy deal.
    pub healthy: i32,
    /// Lowest score of a deal in warning.
    pub warning: i32,
    /// Lowest score of a critical deal.
    pub critical: i32,
}

/// The lowest overall scores, 0 to 100, of a relationship's statuses; below `at_risk` it is critical.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelationshipCutoffs {
    /// Lowest score of a healthy relationship.
    pub healthy: i32,
    /// Lowest score of a relationship at risk.
    pub at_risk: i32,
}

text_enum! {
    /// How it is decided that a contact is about to fall silent.
    #[derive(Default)]
    pub enum GhostModel {
        /// Three rules of thumb over the risk factors.
        #[default]
        Rules = "rules",
        /// The probability of [`crate::silence`], from the contact's own days. What a database
        /// ships with; metrics alone hold no days, so that here the rules are the default.
        Calibrated = "calibrated",
    }
}

/// Everything a deployment may change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Thresholds by stage name. Names match exactly as they are stored: case and spaces count.
    pub stage_thresholds: BTreeMap<String, StageThresholds>,
    /// Thresholds of every stage not named above, and of a deal without a stage.
    pub default_stage: StageThresholds,
    /// Weights of the deal model.
    pub deal_weights: DealWeights,
    /// Weights of the relationship model.
    pub relationship_weights: RelationshipWeights,
    /// Cut-offs of a deal's status.
    pub deal_cutoffs: DealCutoffs,
    /// Cut-offs of a relationship's status.
    pub relationship_cutoffs: RelationshipCutoffs,
    /// The ghost model in use.
    pub ghost_model: GhostModel,
    /// The constants of the calibrated model.
    pub silence: Constants,
    /// The probability, 0–1, from which the calibrated model sees a ghost risk.
    pub ghost_cutoff: f64,
}

impl Config {
    /// The thresholds of a stage, or the default ones.
    #[must_use]
    pub fn thresholds(&self, stage: Option<&str>) -> StageThresholds {
        stage
            .and_then(|name| self.stage_thresholds.get(name))
            .copied()
            .unwrap_or(self.default_stage)
    }
}

const fn thresholds(optimal_days: i32, warning_days: i32, critical_days: i32) -> StageThresholds {
    StageThresholds {
        optimal_days,
        warning_days,
        critical_days,
    }
}

impl Default for Config {
    fn default() -> Self {
        let named = [
            ("SQL", thresholds(7, 14, 30)),
            ("Opportunity", thresholds(14, 21, 45)),
            ("Verbal", thresholds(7, 14, 21)),
            ("Signed", thresholds(0, 0, 0)),
        ];
        Self {
            stage_thresholds: named.map(|(name, days)| (name.to_owned(), days)).into(),
            default_stage: thresholds(14, 21, 30),
            deal_weights: DealWeights::default(),
            relationship_weights: RelationshipWeights::default(),
            deal_cutoffs: DealCutoffs {
                healthy: 75,
                warning: 50,
                critical: 25,
            },
            relationship_cutoffs: RelationshipCutoffs {
                healthy: 70,
                at_risk: 50,
            },
            ghost_model: GhostModel::default(),
            silence: Constants::default(),
            ghost_cutoff: DEFAULT_GHOST_CUTOFF,
        }
    }
}

impl Default for DealWeights {
    fn default() -> Self {
        Self {
            stage_velocity: 3000,
            sentiment: 2500,
            engagement: 2000,
            activity: 1500,
            response_time: 1000,
        }
    }
}

impl Default for RelationshipWeights {
    fn default() -> Self {
        Self {
            communication_frequency: 2500,
            response_behavior: 3000,
            engagement_quality: 2000,
            sentiment: 1500,
            meeting_pattern: 1000,
        }
    }
}

impl DealWeights {
    /// The components in the order of the score table's columns.
    pub(crate) const fn named(&self) -> Weights {
        [
            ("stage_velocity", self.stage_velocity),
            ("sentiment", self.sentiment),
            ("engagement", self.engagement),
            ("activity", self.activity),
            ("response_time", self.response_time),
        ]
    }
}

impl RelationshipWeights {
    /// The components in the order of the score table's columns.
    pub(crate) const fn named(&self) -> Weights {
        [
            ("communication_frequency", self.communication_frequency),
            ("response_behavior", self.response_behavior),
            ("engagement_quality", self.engagement_quality),
            ("sentiment", self.sentiment),
            ("meeting_pattern", self.meeting_pattern),
        ]
    }
}
