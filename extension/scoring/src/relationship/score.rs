//! The five components of a relationship's health, their weighted sum, and its ghost risk.
//!
//! What is unknown leaves a component at its base and raises no risk factor.

use serde::Serialize;

use super::measure::RelationshipMetrics;
use super::risk::{self, RelationshipRisk};
use crate::config::{Config, GhostModel, RelationshipCutoffs};
use crate::number::{
    at_least, at_least_measured, at_most, at_most_measured, baseline, clamp_score, duration,
    round_half_up, sentiment,
};
use crate::silence::Assessment;
use crate::status::{RelationshipStatus, RiskLevel, SentimentTrend};
use crate::weights;

/// A relationship's health. Every score is 0 to 100, higher is better.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RelationshipScore {
    /// How often there is contact, against the contact's own habit.
    pub communication_frequency_score: i32,
    /// Whether and how quickly the contact answers.
    pub response_behavior_score: i32,
    /// Opened e-mails, meetings and their recency.
    pub engagement_quality_score: i32,
    /// How meetings and e-mails sound.
    pub sentiment_score: i32,
    /// How often there are meetings, against the contact's own habit.
    pub meeting_pattern_score: i32,
    /// The weighted mean of the five.
    pub overall_health_score: i32,
    /// Whether the contact is about to fall silent, by the ghost model in use.
    pub is_ghost_risk: bool,
    /// The overall score in a word; `ghost` where there is a ghost risk.
    pub health_status: RelationshipStatus,
    /// What stands out, in a fixed order.
    pub risk_factors: Vec<RelationshipRisk>,
    /// How pressing that is.
    pub risk_level: RiskLevel,
    /// Percent, 0 to 100; `None` where the rules see no ghost risk, or where the calibrated model
    /// knows of no events.
    pub ghost_probability_percent: Option<i32>,
}

impl RelationshipScore {
    /// The components in the order of [`crate::config::RelationshipWeights`].
    pub(super) const fn components(&self) -> [i32; 5] {
        [
            self.communication_frequency_score,
            self.response_behavior_score,
            self.engagement_quality_score,
            self.sentiment_score,
            self.meeting_pattern_score,
        ]
    }
}

/// Scores a relationship by its metrics alone. They hold no days, so that the calibrated model
/// knows nothing: its probability is `None`, and nobody is a ghost.
#[must_use]
pub fn score(m: &RelationshipMetrics, c: &Config) -> RelationshipScore {
    score_with(m, None, c)
}

/// Scores a relationship by its metrics, and by what the silence model says of its days.
///
/// `silence` decides on the ghost risk under the calibrated model; `None` is unknown, not a ghost.
/// Under the rules it is not looked at.
#[must_use]
pub fn score_with(
    m: &RelationshipMetrics,
    silence: Option<&Assessment>,
    c: &Config,
) -> RelationshipScore {
    let components = [
        communication_frequency(m),
        response_behavior(m),
        engagement_quality(m),
        tone(m),
        meeting_pattern(m),
    ];
    let overall = weights::overall(&c.relationship_weights.named(), &components);
    let risk_factors = risk::factors(m);
    let (ghost_probability_percent, is_ghost_risk) = match c.ghost_model {
        GhostModel::Rules => {
            let percent = ghost_by_rules(&risk_factors, overall);
            (percent, percent.is_some())
        }
        GhostModel::Calibrated => (
            silence.map(Assessment::percent),
            silence.is_some_and(|said| said.is_ghost_risk),
        ),
    };
    let [
        communication_frequency_score,
        response_behavior_score,
        engagement,
        tone,
        meetings,
    ] = components;
    RelationshipScore {
        communication_frequency_score,
        response_behavior_score,
        engagement_quality_score: engagement,
        sentiment_score: tone,
        meeting_pattern_score: meetings,
        overall_health_score: overall,
        is_ghost_risk,
        health_status: status(overall, is_ghost_risk, c.relationship_cutoffs),
        risk_level: RiskLevel::of(risk_factors.len(), overall, 30, 45),
        risk_factors,
        ghost_probability_percent,
    }
}

/// Any factor that tells of silence makes a ghost risk of 60 % or more.
fn ghost_by_rules(factors: &[RelationshipRisk], overall: i32) -> Option<i32> {
    factors
        .iter()
        .any(|factor| factor.is_ghosting())
        .then(|| (100 - overall).max(60))
}

const fn status(
    overall: i32,
    is_ghost_risk: bool,
    cutoffs: RelationshipCutoffs,
) -> RelationshipStatus {
    if is_ghost_risk {
        RelationshipStatus::Ghost
    } else if overall >= cutoffs.healthy {
        RelationshipStatus::Healthy
    } else if overall >= cutoffs.at_risk {
        RelationshipStatus::AtRisk
    } else {
        RelationshipStatus::Critical
    }
}

/// Points of a count in 30 days against one every `habit_days` days.
fn against_habit(count: i64, habit_days: f64) -> i64 {
    let ratio = count as f64 * habit_days / 30.0;
    at_least_measured(ratio, &[(1.0, 100), (0.75, 75), (0.5, 50), (0.25, 25)], 0)
}

fn communication_frequency(m: &RelationshipMetrics) -> i32 {
    let Some(count) = m.communication_count_30d else {
        return 50;
    };
    let points = match baseline(m.baseline_contact_frequency_days) {
        Some(habit) => against_habit(count, habit),
        None => at_least(count, &[(8, 100), (4, 75), (2, 50), (1, 25)], 0),
    };
    clamp_score(points)
}

fn response_behavior(m: &RelationshipMetrics) -> i32 {
    let rate = m.response_rate_percent.map_or(0, |r| {
        at_least(r, &[(80, 50), (60, 35), (40, 20), (20, 10)], 0)
    });
    let habit = baseline(m.baseline_response_time_hours);
    let speed = match (duration(m.avg_response_time_hours), habit) {
        (None, _) => 0,
        (Some(avg), Some(habit)) => {
            let steps = [(1.0, 50), (1.5, 30), (2.0, 10), (3.0, -20)];
            at_most_measured(avg / habit, &steps, -40)
        }
        (Some(avg), None) => at_most_measured(avg, &[(4.0, 50), (24.0, 30), (48.0, 10)], -20),
    };
    clamp_score(50 + rate + speed)
}

fn engagement_quality(m: &RelationshipMetrics) -> i32 {
    let opens = m
        .email_open_rate_percent
        .map_or(0, |r| at_least(r, &[(70, 30), (50, 20), (30, 10)], 0));
    let meetings = m
        .meeting_count_30d
        .map_or(0, |n| at_least(n, &[(4, 40), (2, 25), (1, 10)], 0));
    let recency = m.days_since_last_meeting.map_or(0, |d| {
        at_most(d, &[(7, 30), (14, 15), (21, 5), (45, 0)], -30)
    });
    clamp_score(50 + opens + meetings + recency)
}

fn tone(m: &RelationshipMetrics) -> i32 {
    let base = sentiment(m.avg_sentiment).map_or(50, |avg| round_half_up(50.0 * (avg + 1.0)));
    let trend = match m.sentiment_trend {
        SentimentTrend::Improving => 15,
        SentimentTrend::Declining => -20,
        SentimentTrend::Stable | SentimentTrend::Unknown => 0,
    };
    clamp_score(base + trend)
}

fn meeting_pattern(m: &RelationshipMetrics) -> i32 {
    let Some(count) = m.meeting_count_30d else {
        return 50;
    };
    let points = match baseline(m.baseline_meeting_frequency_days) {
        Some(habit) => against_habit(count, habit),
        None => at_least(count, &[(4, 100), (2, 75), (1, 50)], 25),
    };
    clamp_score(points)
}
