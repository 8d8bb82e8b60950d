//! The risk factors of a relationship, and the ghost model of rules that stands on them.

use super::measure::RelationshipMetrics;
use crate::number::{above, baseline, below, duration, sentiment};
use crate::status::SentimentTrend;

text_enum! {
    /// Something about a relationship that its owner would want to be told.
    pub enum RelationshipRisk {
        /// The last contact is more than 21 days ago.
        NoContact21Days = "no_contact_21_days",
        /// Fewer than two interactions in 30 days.
        LowCommunicationFrequency = "low_communication_frequency",
        /// Fewer than 30 % of the messages are answered.
        LowResponseRate = "low_response_rate",
        /// The last word from the contact is more than 14 days old.
        NoResponse14Days = "no_response_14_days",
        /// Answers take more than three times the contact's habit.
        ResponseTimeIncreased3x = "response_time_increased_3x",
        /// Fewer than 20 % of the e-mails are opened.
        EmailOpensStopped = "email_opens_stopped",
        /// No meeting in 30 days, and the last one more than 30 days ago.
        NoMeetings30Days = "no_meetings_30_days",
        /// Sentiment is declining.
        SentimentDeclining = "sentiment_declining",
        /// Mean sentiment below −0.2.
        NegativeSentiment = "negative_sentiment",
        /// More than half of the value of the related deals is at risk.
        MajorityDealsAtRisk = "majority_deals_at_risk",
    }
}

impl RelationshipRisk {
    /// Whether the ghost model of rules takes it for a sign of ghosting.
    pub(super) const fn is_ghosting(self) -> bool {
        matches!(
            self,
            Self::NoResponse14Days | Self::EmailOpensStopped | Self::ResponseTimeIncreased3x
        )
    }
}

/// The risk factors that hold, in a fixed order; what is unknown raises none.
pub(super) fn factors(m: &RelationshipMetrics) -> Vec<RelationshipRisk> {
    use RelationshipRisk as Risk;
    let over = |value: Option<i64>, limit| value.is_some_and(|v| v > limit);
    let under = |value: Option<i64>, limit| value.is_some_and(|v| v < limit);
    let unmet = under(m.meeting_count_30d, 1) && over(m.days_since_last_meeting, 30);
    let mood = sentiment(m.avg_sentiment);
    let holds = [
        (over(m.days_since_last_contact, 21), Risk::NoContact21Days),
        (
            under(m.communication_count_30d, 2),
            Risk::LowCommunicationFrequency,
        ),
        (under(m.response_rate_percent, 30), Risk::LowResponseRate),
        (over(m.days_since_last_response, 14), Risk::NoResponse14Days),
        (answers_slowed(m), Risk::ResponseTimeIncreased3x),
        (
            under(m.email_open_rate_percent, 20),
            Risk::EmailOpensStopped,
        ),
        (unmet, Risk::NoMeetings30Days),
        (
            m.sentiment_trend == SentimentTrend::Declining,
            Risk::SentimentDeclining,
        ),
        (
            mood.is_some_and(|avg| below(avg, -0.2)),
            Risk::NegativeSentiment,
        ),
        (majority_at_risk(m), Risk::MajorityDealsAtRisk),
    ];
    holds
        .into_iter()
        .filter_map(|(holds, risk)| holds.then_some(risk))
        .collect()
}

fn answers_slowed(m: &RelationshipMetrics) -> bool {
    let (avg, habit) = (
        duration(m.avg_response_time_hours),
        baseline(m.baseline_response_time_hours),
    );
    avg.zip(habit)
        .is_some_and(|(avg, habit)| above(avg, 3.0 * habit))
}

fn majority_at_risk(m: &RelationshipMetrics) -> bool {
    let known = |value: Option<f64>| value.filter(|v| v.is_finite());
    let values = known(m.at_risk_deal_value).zip(known(m.total_deal_value));
    // A total below one unit of money is none.
    values.is_some_and(|(at_risk, total)| above(at_risk / total.max(1.0), 0.5))
}
