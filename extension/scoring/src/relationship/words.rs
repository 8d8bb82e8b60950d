//! A relationship's score in words that its owner would use.

use super::measure::RelationshipMetrics;
use super::risk::RelationshipRisk;
use super::score::RelationshipScore;
use crate::config::Config;
use crate::explain::{
    self, Explanation, Standing, Topic, Words, ago, counted, held, how_many, meeting_recency,
    sentiment_words,
};
use crate::ghost::{GhostSignal, SignalType};
use crate::number::{baseline, duration};
use crate::phrase::{self, one_every, plain};
use crate::status::RelationshipStatus;

/// Each component with its value, score, weight, contribution and reason.
#[must_use]
pub fn explain(m: &RelationshipMetrics, s: &RelationshipScore, c: &Config) -> Vec<Explanation> {
    explain::rows(&c.relationship_weights.named(), s.components(), words(m))
}

/// The two or three things that matter most, worst first: those behind a ghost signal or risk
/// factor before the others, and what is worse than neutral before the rest, each by the points it costs. A subject is named once, in the words of
/// its gravest signal where it has one. One positive sentence where nothing is wrong.
#[must_use]
pub fn reasons(
    m: &RelationshipMetrics,
    signals: &[GhostSignal],
    s: &RelationshipScore,
    c: &Config,
) -> Vec<String> {
    let healthy = s.health_status == RelationshipStatus::Healthy;
    if healthy && s.risk_factors.is_empty() && signals.is_empty() {
        return vec![well(m)];
    }
    let flagged = |index| {
        s.risk_factors
            .iter()
            .any(|risk| component(*risk) == Some(index))
    };
    let weights = c.relationship_weights.named();
    let mut topics = Topic::of_components(&weights, s.components(), words(m), flagged);
    for (index, topic) in topics.iter_mut().enumerate() {
        let own = signals
            .iter()
            .filter(|signal| signal_component(signal.signal_type) == index);
        // Of equally grave ones the first.
        if let Some(gravest) = own.rev().max_by_key(|signal| signal.severity) {
            topic.standing = Standing::Flagged;
            topic.clause = explain::clause(&gravest.signal_context);
        }
    }
    topics.extend(deals_topic(m, s));
    let reasons = explain::worst(topics);
    if reasons.is_empty() {
        vec![well(m)]
    } else {
        reasons
    }
}

/// The place, among the components, of the one that a risk belongs to; deals belong to none.
const fn component(risk: RelationshipRisk) -> Option<usize> {
    use RelationshipRisk as Risk;
    match risk {
        Risk::NoContact21Days | Risk::LowCommunicationFrequency => Some(0),
        Risk::LowResponseRate | Risk::NoResponse14Days | Risk::ResponseTimeIncreased3x => Some(1),
        Risk::EmailOpensStopped | Risk::NoMeetings30Days => Some(2),
        Risk::SentimentDeclining | Risk::NegativeSentiment => Some(3),
        Risk::MajorityDealsAtRisk => None,
    }
}

/// The place, among the components, of the one that a signal belongs to.
const fn signal_component(signal: SignalType) -> usize {
    match signal {
        SignalType::EngagementPatternBreak => 0,
        SignalType::EmailNoResponse
        | SignalType::ResponseTimeIncreased
        | SignalType::ThreadDropout => 1,
        SignalType::EmailOpensDeclined => 2,
        SignalType::SentimentDeclining => 3,
        SignalType::MeetingRescheduledRepeatedly => 4,
    }
}

fn deals_topic(m: &RelationshipMetrics, s: &RelationshipScore) -> Option<Topic> {
    if !s
        .risk_factors
        .contains(&RelationshipRisk::MajorityDealsAtRisk)
    {
        return None;
    }
    let (at_risk, total) = (m.at_risk_deal_value?, m.total_deal_value?);
    // Deals of negative value can make the total the smaller one.
    let share = if at_risk <= total {
        format!(" of {}", plain(total, &[]))
    } else {
        String::new()
    };
    let clause = format!("deals worth {}{share} are at risk", plain(at_risk, &[]));
    Some(Topic {
        standing: Standing::Flagged,
        lost: 0.0,
        clause,
    })
}

fn well(m: &RelationshipMetrics) -> String {
    let contact = m
        .days_since_last_contact
        .map_or_else(String::new, |days| format!(", last contact {}", ago(days)));
    format!("in good contact{contact}")
}

fn words(m: &RelationshipMetrics) -> [Words; 5] {
    [
        frequency_words(m),
        response_words(m),
        engagement_words(m),
        sentiment_words(m.avg_sentiment, m.sentiment_trend, -0.2),
        meeting_words(m),
    ]
}

fn frequency_words(m: &RelationshipMetrics) -> Words {
    let count = format!(
        "{} in 30 days",
        how_many(m.communication_count_30d, "interaction")
    );
    let habit = baseline(m.baseline_contact_frequency_days)
        .map_or_else(String::new, |days| format!(", usually {}", one_every(days)));
    let recency = match m.days_since_last_contact {
        None => "no contact on record".to_owned(),
        Some(days) if days > 21 => format!("no contact for {} (limit 21)", counted(days, "day")),
        Some(days) => format!("last contact {}", ago(days)),
    };
    Words {
        clause: format!("{recency}, {count}{habit}"),
        value: format!("{count}{habit}"),
    }
}

fn response_words(m: &RelationshipMetrics) -> Words {
    let rate = m.response_rate_percent.map(|rate| {
        let limit = if rate < 30 { " (limit 30)" } else { "" };
        format!("{rate} % of messages answered{limit}")
    });
    let speed = duration(m.avg_response_time_hours).map(|hours| {
        let Some(habit) = baseline(m.baseline_response_time_hours) else {
            return format!("answers take {}", phrase::hours(hours, &[]));
        };
        let now = phrase::hours(hours, &[3.0 * habit]);
        format!("answers take {now} (usually {})", phrase::hours(habit, &[]))
    });
    let known: Vec<String> = rate.into_iter().chain(speed).collect();
    let value = if known.is_empty() {
        "unknown".to_owned()
    } else {
        known.join(", ")
    };
    let silence = m
        .days_since_last_response
        .filter(|days| *days > 14)
        .map(|days| format!("nothing heard for {} (limit 14)", counted(days, "day")));
    let said: Vec<String> = silence.into_iter().chain(known).collect();
    let clause = if said.is_empty() {
        "nothing known of answers, counted as neutral".to_owned()
    } else {
        said.join(", ")
    };
    Words { value, clause }
}

fn engagement_words(m: &RelationshipMetrics) -> Words {
    let recency = meeting_recency(m.days_since_last_meeting, m.booked);
    let meetings = format!("{recency}, {}", meetings_counted(m));
    let (value, clause) = match m.email_open_rate_percent {
        None => (meetings.clone(), meetings),
        Some(rate) => {
            let limit = if rate < 20 { " (limit 20)" } else { "" };
            let opened = format!("{rate} % of e-mails opened");
            (
                format!("{opened}, {meetings}"),
                format!("{opened}{limit}, {meetings}"),
            )
        }
    };
    Words { value, clause }
}

/// `3 meetings in 30 days and 2 booked`.
fn meetings_counted(m: &RelationshipMetrics) -> String {
    let booked = m.booked.map_or_else(String::new, |booked| {
        format!(" and {} booked", booked.count)
    });
    let held = how_many(held(m.meeting_count_30d, m.booked), "meeting");
    format!("{held} in 30 days{booked}")
}

fn meeting_words(m: &RelationshipMetrics) -> Words {
    let count = meetings_counted(m);
    let habit = match baseline(m.baseline_meeting_frequency_days) {
        Some(days) => format!(", usually {}", one_every(days)),
        None => ", no habit known to compare with".to_owned(),
    };
    Words {
        clause: format!("{count}{habit}"),
        value: count,
    }
}
