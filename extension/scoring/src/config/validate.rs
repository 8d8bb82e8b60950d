//! What a configuration must satisfy, said so that whoever wrote it can mend it.

use super::{Config, StageThresholds};
use crate::silence::ConstantsError;
use crate::weights::Weights;

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// A constant of the calibrated ghost model is out of its range.
    #[error(transparent)]
    Silence(#[from] ConstantsError),
    /// The cut-off of the calibrated ghost model is no probability.
    #[error("the ghost cut-off must be 0 to 1, not {0}")]
    GhostCutoff(f64),
    /// A weight is below zero.
    #[error("weight of \"{signal}\" in the {model} model is negative: {weight}")]
    NegativeWeight {
        /// `deal` or `relationship`.
        model: &'static str,
        /// The component.
        signal: &'static str,
        /// Its weight.
        weight: i64,
    },
    /// No component of a model has any weight, so there is nothing to make a score of.
    #[error("weights of the {model} model sum to zero")]
    WeightsSumToZero {
        /// `deal` or `relationship`.
        model: &'static str,
    },
    /// The days of a stage do not ascend, or start below zero.
    #[error(
        "thresholds of {stage} must satisfy 0 <= optimal <= warning <= critical, found {} / {} / {}",
        days.optimal_days, days.warning_days, days.critical_days
    )]
    Thresholds {
        /// `stage "…"` or `the default stage`.
        stage: String,
        /// What was found.
        days: StageThresholds,
    },
    /// The cut-offs of a model do not descend, or leave the range of a score.
    #[error("cut-offs of the {model} model must descend within 100 to 0, found {found}")]
    Cutoffs {
        /// `deal` or `relationship`.
        model: &'static str,
        /// Each cut-off with its name.
        found: String,
    },
}

impl Config {
    /// Checks that every score can be computed as its formula means it.
    ///
    /// Equal thresholds and equal cut-offs are allowed: a stage can be critical at once, and a
    /// status can be left out.
    ///
    /// # Errors
    /// The first thing that is wrong, naming the model or stage.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.silence.validate()?;
        if !(0.0..=1.0).contains(&self.ghost_cutoff) {
            return Err(ConfigError::GhostCutoff(self.ghost_cutoff));
        }
        check_weights("deal", &self.deal_weights.named())?;
        check_weights("relationship", &self.relationship_weights.named())?;
        check_thresholds(self.default_stage, || "the default stage".to_owned())?;
        for (name, days) in &self.stage_thresholds {
            check_thresholds(*days, || format!("stage \"{name}\""))?;
        }
        let deal = self.deal_cutoffs;
        let (healthy, warning, critical) = (deal.healthy, deal.warning, deal.critical);
        check_cutoffs(
            "deal",
            &[
                ("healthy", healthy),
                ("warning", warning),
                ("critical", critical),
            ],
        )?;
        let relationship = self.relationship_cutoffs;
        let named = [
            ("healthy", relationship.healthy),
            ("at_risk", relationship.at_risk),
        ];
        check_cutoffs("relationship", &named)
    }
}

fn check_weights(model: &'static str, weights: &Weights) -> Result<(), ConfigError> {
    if let Some(&(signal, weight)) = weights.iter().find(|(_, weight)| *weight < 0) {
        return Err(ConfigError::NegativeWeight {
            model,
            signal,
            weight,
        });
    }
    if weights.iter().all(|(_, weight)| *weight == 0) {
        return Err(ConfigError::WeightsSumToZero { model });
    }
    Ok(())
}

fn check_thresholds(
    days: StageThresholds,
    stage: impl FnOnce() -> String,
) -> Result<(), ConfigError> {
    let ascending = [0, days.optimal_days, days.warning_days, days.critical_days];
    if ascending.is_sorted() {
        Ok(())
    } else {
        Err(ConfigError::Thresholds {
            stage: stage(),
            days,
        })
    }
}

fn check_cutoffs(model: &'static str, cutoffs: &[(&str, i32)]) -> Result<(), ConfigError> {
    let in_range = cutoffs.iter().all(|(_, score)| (0..=100).contains(score));
    if in_range && cutoffs.is_sorted_by(|higher, lower| higher.1 > lower.1) {
        return Ok(());
    }
    let found: Vec<String> = cutoffs
        .iter()
        .map(|(name, score)| format!("{name} {score}"))
        .collect();
    Err(ConfigError::Cutoffs {
        model,
        found: found.join(", "),
    })
}
