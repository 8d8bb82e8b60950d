//! The five components of a deal's health, their weighted sum, and the risks that stand out.
//!
//! What is unknown leaves a component at its base and raises no risk factor.

use serde::Serialize;

use super::measure::DealMetrics;
use crate::config::{Config, DealCutoffs, StageThresholds};
use crate::number::{
    above, at_least, at_most, at_most_measured, below, clamp_score, duration, round_half_up,
    sentiment,
};
use crate::status::{DealStatus, RiskLevel, SentimentTrend};
use crate::weights;

text_enum! {
    /// Something about a deal that a sales lead would want to be told.
    pub enum DealRisk {
        /// 30 days or more in the stage.
        StageStalledCritical = "stage_stalled_critical",
        /// 14 to 29 days in the stage.
        StageStalled = "stage_stalled",
        /// Sentiment is declining.
        SentimentDeclining = "sentiment_declining",
        /// Mean sentiment below −0.3.
        NegativeSentiment = "negative_sentiment",
        /// The last meeting is more than 21 days ago.
        NoRecentMeeting = "no_recent_meeting",
        /// No meeting in 30 days, and none booked.
        NoMeetings30Days = "no_meetings_30_days",
        /// The last activity is more than 14 days ago.
        NoRecentActivity = "no_recent_activity",
        /// Fewer than two activities in 30 days.
        LowActivity = "low_activity",
        /// Answers take more than 48 hours.
        SlowResponseTime = "slow_response_time",
    }
}

/// From so many days in any stage on, a deal is stalled.
pub(super) const STALLED_DAYS: i64 = 14;
/// And from so many, critically.
pub(super) const CRITICALLY_STALLED_DAYS: i64 = 30;

/// A deal's health. Every score is 0 to 100, higher is better.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DealScore {
    /// Pace through the stage, against the stage's thresholds.
    pub stage_velocity_score: i32,
    /// How meetings and e-mails sound.
    pub sentiment_score: i32,
    /// Meetings and their recency.
    pub engagement_score: i32,
    /// Activities and their recency.
    pub activity_score: i32,
    /// How quickly e-mails are answered.
    pub response_time_score: i32,
    /// The weighted mean of the five.
    pub overall_health_score: i32,
    /// The overall score in a word.
    pub health_status: DealStatus,
    /// What stands out, in a fixed order.
    pub risk_factors: Vec<DealRisk>,
    /// How pressing that is.
    pub risk_level: RiskLevel,
    /// Percent, 5 to 95: the overall score, as long as no model is fitted to won and lost deals.
    pub predicted_close_probability: i32,
}

impl DealScore {
    /// The components in the order of [`crate::config::DealWeights`].
    pub(super) const fn components(&self) -> [i32; 5] {
        [
            self.stage_velocity_score,
            self.sentiment_score,
            self.engagement_score,
            self.activity_score,
            self.response_time_score,
        ]
    }
}

/// Scores a deal by its metrics.
#[must_use]
pub fn score(m: &DealMetrics, c: &Config) -> DealScore {
    let components = [
        stage_velocity(m.days_in_stage, c.thresholds(m.stage.as_deref())),
        tone(m),
        engagement(m),
        activity(m),
        response_time(m.avg_response_time_hours),
    ];
    let overall = weights::overall(&c.deal_weights.named(), &components);
    let risk_factors = risk_factors(m);
    let [
        stage_velocity_score,
        sentiment_score,
        engagement_score,
        activity_score,
        response,
    ] = components;
    DealScore {
        stage_velocity_score,
        sentiment_score,
        engagement_score,
        activity_score,
        response_time_score: response,
        overall_health_score: overall,
        health_status: status(overall, c.deal_cutoffs),
        risk_level: RiskLevel::of(risk_factors.len(), overall, 25, 40),
        risk_factors,
        predicted_close_probability: overall.clamp(5, 95),
    }
}

const fn status(overall: i32, cutoffs: DealCutoffs) -> DealStatus {
    if overall >= cutoffs.healthy {
        DealStatus::Healthy
    } else if overall >= cutoffs.warning {
        DealStatus::Warning
    } else if overall >= cutoffs.critical {
        DealStatus::Critical
    } else {
        DealStatus::Stalled
    }
}

/// 100 up to the optimal days, 60 at the warning days, 20 at the critical ones, straight lines
/// between, then one point less in five days; halves up, in whole numbers throughout.
fn stage_velocity(days_in_stage: Option<i64>, days: StageThresholds) -> i32 {
    let Some(d) = days_in_stage else { return 50 };
    let (optimal, warning, critical) = (
        i64::from(days.optimal_days),
        i64::from(days.warning_days),
        i64::from(days.critical_days),
    );
    let points = if d <= optimal {
        100
    } else if d <= warning {
        fall_of_40(100, d - optimal, warning - optimal)
    } else if d <= critical {
        fall_of_40(60, d - warning, critical - warning)
    } else {
        // round(20 − x/5) = floor((205 − 2x) / 10)
        205_i64
            .saturating_sub(d.saturating_sub(critical).saturating_mul(2))
            .div_euclid(10)
    };
    clamp_score(points)
}

/// round(from − 40 · run / length), halves up; `run` is at most `length`, which is above zero.
const fn fall_of_40(from: i64, run: i64, length: i64) -> i64 {
    (2 * from * length - 80 * run + length).div_euclid(2 * length)
}

fn tone(m: &DealMetrics) -> i32 {
    let base = sentiment(m.avg_sentiment).map_or(50, |avg| round_half_up(50.0 * (avg + 1.0)));
    let trend = match m.sentiment_trend {
        SentimentTrend::Improving => 10,
        SentimentTrend::Declining => -15,
        SentimentTrend::Stable | SentimentTrend::Unknown => 0,
    };
    clamp_score(base + trend)
}

fn engagement(m: &DealMetrics) -> i32 {
    let meetings = m
        .meeting_count_30d
        .map_or(0, |n| at_least(n, &[(4, 40), (2, 30), (1, 15)], 0));
    let activities = m
        .activity_count_30d
        .map_or(0, |n| at_least(n, &[(8, 30), (4, 20), (2, 10)], 0));
    let recency = m
        .days_since_last_meeting
        .map_or(0, |d| at_most(d, &[(7, 30), (14, 15), (30, 0)], -30));
    clamp_score(50 + meetings + activities + recency)
}

fn activity(m: &DealMetrics) -> i32 {
    let count = m.activity_count_30d.map_or(0, |n| {
        at_least(n, &[(10, 50), (5, 35), (2, 20), (1, 10)], -30)
    });
    let recency = m
        .days_since_last_activity
        .map_or(0, |d| at_most(d, &[(3, 20), (7, 10), (14, 0)], -40));
    clamp_score(50 + count + recency)
}

fn response_time(hours: Option<f64>) -> i32 {
    let Some(hours) = duration(hours) else {
        return 70;
    };
    let slow = 30_i64.saturating_sub(round_half_up(hours / 10.0));
    clamp_score(at_most_measured(
        hours,
        &[(4.0, 100), (24.0, 80), (48.0, 50)],
        slow,
    ))
}

fn risk_factors(m: &DealMetrics) -> Vec<DealRisk> {
    let over = |value: Option<i64>, limit| value.is_some_and(|v| v > limit);
    let under = |value: Option<i64>, limit| value.is_some_and(|v| v < limit);
    let stalled = |from| m.days_in_stage.is_some_and(|days| days >= from);
    let stalled_critical = stalled(CRITICALLY_STALLED_DAYS);
    let holds = [
        (stalled_critical, DealRisk::StageStalledCritical),
        (
            !stalled_critical && stalled(STALLED_DAYS),
            DealRisk::StageStalled,
        ),
        (
            m.sentiment_trend == SentimentTrend::Declining,
            DealRisk::SentimentDeclining,
        ),
        (
            sentiment(m.avg_sentiment).is_some_and(|avg| below(avg, -0.3)),
            DealRisk::NegativeSentiment,
        ),
        (
            over(m.days_since_last_meeting, 21),
            DealRisk::NoRecentMeeting,
        ),
        (under(m.meeting_count_30d, 1), DealRisk::NoMeetings30Days),
        (
            over(m.days_since_last_activity, 14),
            DealRisk::NoRecentActivity,
        ),
        (under(m.activity_count_30d, 2), DealRisk::LowActivity),
        (
            duration(m.avg_response_time_hours).is_some_and(|hours| above(hours, 48.0)),
            DealRisk::SlowResponseTime,
        ),
    ];
    holds
        .into_iter()
        .filter_map(|(holds, risk)| holds.then_some(risk))
        .collect()
}
