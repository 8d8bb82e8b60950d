//! A deal's score in words that a sales lead would use.

use super::measure::DealMetrics;
use super::score::{CRITICALLY_STALLED_DAYS, DealRisk, DealScore, STALLED_DAYS};
use crate::config::{Config, StageThresholds};
use crate::explain::{
    self, Explanation, Topic, Words, ago, counted, held, how_many, meeting_recency, sentiment_words,
};
use crate::number::{above, duration};
use crate::phrase;
use crate::status::DealStatus;

/// Each component with its value, score, weight, contribution and reason.
#[must_use]
pub fn explain(m: &DealMetrics, s: &DealScore, c: &Config) -> Vec<Explanation> {
    explain::rows(&c.deal_weights.named(), s.components(), words(m, c))
}

/// The two or three things that matter most, worst first: those behind a risk factor before the
/// others, and what is worse than neutral before the rest, each by the points it costs. One positive sentence where nothing is wrong.
#[must_use]
pub fn reasons(m: &DealMetrics, s: &DealScore, c: &Config) -> Vec<String> {
    if s.risk_factors.is_empty() && s.health_status == DealStatus::Healthy {
        return vec![well(m)];
    }
    let flagged = |index| s.risk_factors.iter().any(|risk| component(*risk) == index);
    let topics = Topic::of_components(
        &c.deal_weights.named(),
        s.components(),
        words(m, c),
        flagged,
    );
    let reasons = explain::worst(topics);
    if reasons.is_empty() {
        vec![well(m)]
    } else {
        reasons
    }
}

/// The place, among the components, of the one that a risk belongs to.
const fn component(risk: DealRisk) -> usize {
    match risk {
        DealRisk::StageStalledCritical | DealRisk::StageStalled => 0,
        DealRisk::SentimentDeclining | DealRisk::NegativeSentiment => 1,
        DealRisk::NoRecentMeeting | DealRisk::NoMeetings30Days => 2,
        DealRisk::NoRecentActivity | DealRisk::LowActivity => 3,
        DealRisk::SlowResponseTime => 4,
    }
}

fn well(m: &DealMetrics) -> String {
    let stage = m
        .stage
        .as_deref()
        .map_or_else(String::new, |name| format!(" in {name}"));
    let meeting = m.days_since_last_meeting.map_or_else(String::new, |_| {
        format!(", {}", meeting_recency(m.days_since_last_meeting, m.booked))
    });
    format!("on track{stage}{meeting}")
}

fn words(m: &DealMetrics, c: &Config) -> [Words; 5] {
    [
        stage_words(m, c),
        sentiment_words(m.avg_sentiment, m.sentiment_trend, -0.3),
        engagement_words(m),
        activity_words(m),
        response_words(m.avg_response_time_hours),
    ]
}

fn stage_words(m: &DealMetrics, c: &Config) -> Words {
    let stage = m.stage.as_deref().unwrap_or("its stage");
    let Some(days) = m.days_in_stage else {
        let clause = format!("time in {stage} unknown, counted as neutral");
        return Words {
            value: "unknown".to_owned(),
            clause,
        };
    };
    let limits = c.thresholds(m.stage.as_deref());
    if days < 0 {
        let value = format!("enters {stage} {}", ago(days));
        return Words {
            clause: value.clone(),
            value,
        };
    }
    let value = format!("{} in {stage}", counted(days, "day"));
    let judged = if days > limits.critical_days.into() {
        format!("critical after {}", limits.critical_days)
    } else if days > limits.warning_days.into() {
        format!(
            "warning after {}, critical after {}",
            limits.warning_days, limits.critical_days
        )
    } else if days > limits.optimal_days.into() {
        format!(
            "optimal up to {}, warning after {}",
            limits.optimal_days, limits.warning_days
        )
    } else {
        format!("within the optimal {}", limits.optimal_days)
    };
    let despite = stalled_words(days, limits);
    Words {
        clause: format!("in {stage} for {}, {judged}{despite}", counted(days, "day")),
        value,
    }
}

/// The limit of the risk factor, where the stage's own limits make less of the same days.
fn stalled_words(days: i64, limits: StageThresholds) -> String {
    if days >= CRITICALLY_STALLED_DAYS && days <= limits.critical_days.into() {
        format!(", but critically long in any stage from {CRITICALLY_STALLED_DAYS} days on")
    } else if days >= STALLED_DAYS && days <= limits.warning_days.into() {
        format!(", but long in any stage from {STALLED_DAYS} days on")
    } else {
        String::new()
    }
}

fn engagement_words(m: &DealMetrics) -> Words {
    let recency = meeting_recency(m.days_since_last_meeting, m.booked);
    let booked = m.booked.map_or_else(String::new, |booked| {
        format!(", {} booked", counted(booked.count, "meeting"))
    });
    let counts = format!(
        "{} and {} in 30 days{booked}",
        how_many(held(m.meeting_count_30d, m.booked), "meeting"),
        how_many(m.activity_count_30d, "touchpoint"),
    );
    let limit = if m.days_since_last_meeting.is_some_and(|d| d > 21) {
        " (limit 21)"
    } else {
        ""
    };
    Words {
        clause: format!("{recency}{limit}, {counts}"),
        value: format!("{recency}, {counts}"),
    }
}

fn activity_words(m: &DealMetrics) -> Words {
    let counts = format!(
        "{} in 30 days",
        how_many(m.activity_count_30d, "touchpoint")
    );
    let recency = match m.days_since_last_activity {
        None => "no activity on record".to_owned(),
        Some(days) if days > 14 => format!("no activity for {} (limit 14)", counted(days, "day")),
        Some(days) => format!("last activity {}", ago(days)),
    };
    let few = m.activity_count_30d.is_some_and(|n| n < 2);
    let expected = if few { ", at least 2 expected" } else { "" };
    Words {
        clause: format!("{recency}, {counts}{expected}"),
        value: format!("{recency}, {counts}"),
    }
}

fn response_words(hours: Option<f64>) -> Words {
    let Some(hours) = duration(hours) else {
        let clause = "no response time known, counted as fair".to_owned();
        return Words {
            value: "unknown".to_owned(),
            clause,
        };
    };
    let value = phrase::hours(hours, &[4.0, 24.0, 48.0]);
    let judged = if above(hours, 48.0) {
        "slow after 48"
    } else if above(hours, 24.0) {
        "good up to 24, slow after 48"
    } else if above(hours, 4.0) {
        "excellent up to 4, good up to 24"
    } else {
        "excellent up to 4"
    };
    Words {
        clause: format!("answers take {value} on average, {judged}"),
        value,
    }
}
