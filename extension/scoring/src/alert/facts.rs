//! What rules ask about a deal.

use super::AlertType;
use crate::status::SentimentTrend;

/// A deal as rules and templates see it. `None` is unknown, and an unknown metric meets no rule.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DealFacts<'a> {
    /// Its name.
    pub deal_name: Option<&'a str>,
    /// The account's name.
    pub company: Option<&'a str>,
    /// The stage's name.
    pub stage: Option<&'a str>,
    /// Its value, in the CRM's currency.
    pub value: Option<f64>,
    /// Overall score, 0 to 100.
    pub overall_health_score: Option<i64>,
    /// Whole days in the stage.
    pub days_in_stage: Option<i64>,
    /// Whole days since the last activity.
    pub days_since_last_activity: Option<i64>,
    /// Whole days since the last meeting; negative where one is booked.
    pub days_since_last_meeting: Option<i64>,
    /// Meetings within 30 days, booked ones too.
    pub meeting_count_30d: Option<i64>,
    /// Activities within 30 days.
    pub activity_count_30d: Option<i64>,
    /// Mean response time.
    pub avg_response_time_hours: Option<f64>,
    /// Mean sentiment, −1 to 1.
    pub avg_sentiment: Option<f64>,
    /// Where sentiment is heading.
    pub sentiment_trend: SentimentTrend,
    /// Days to the expected close date, rounded up: 0 today, negative when it is past.
    pub days_until_close: Option<i64>,
}

/// Declares the metrics: the word of `rule_type`, the unit, and the type of alert that follows
/// where a rule names none.
macro_rules! metrics {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $unit:literal, $alert:ident;)+) => {
        text_enum! {
            /// What a rule tests: its `rule_type`.
            pub enum Metric { $($(#[$doc])* $variant = $word),+ }
        }

        impl Metric {
            /// The unit of the threshold, as `threshold_unit` names it.
            #[must_use]
            pub const fn unit(self) -> &'static str {
                match self { $(Self::$variant => $unit),+ }
            }

            /// The type of alert that a rule on this metric raises, unless it says otherwise.
            #[must_use]
            pub const fn alert_type(self) -> AlertType {
                match self { $(Self::$variant => AlertType::$alert),+ }
            }
        }
    };
}

metrics! {
    /// Whole days in the stage.
    DaysInStage = "days_in_current_stage", "days", StageStall;
    /// Improving 1, stable 0, declining −1.
    SentimentTrend = "sentiment_trend", "trend", SentimentDrop;
    /// Mean sentiment, −1 to 1.
    AvgSentiment = "avg_sentiment", "sentiment", SentimentDrop;
    /// Whole days since the last activity.
    DaysSinceLastActivity = "days_since_last_activity", "days", NoActivity;
    /// Whole days since the last meeting.
    DaysSinceLastMeeting = "days_since_last_meeting", "days", EngagementDecline;
    /// Meetings within 30 days.
    MeetingCount = "meeting_count_last_30_days", "count", EngagementDecline;
    /// Activities within 30 days.
    ActivityCount = "activity_count_last_30_days", "count", NoActivity;
    /// Mean response time.
    AvgResponseTime = "avg_response_time_hours", "hours", MissedFollowUp;
    /// Days to the expected close date; a date that is past meets no rule.
    DaysUntilClose = "days_until_close", "days", CloseDateApproaching;
    /// Overall score.
    OverallScore = "overall_health_score", "points", HighRisk;
}

impl Metric {
    /// The metric of a deal; `None` where it is unknown.
    #[must_use]
    pub fn of(self, deal: &DealFacts<'_>) -> Option<f64> {
        let whole = |value: Option<i64>| value.map(|value| value as f64);
        match self {
            Self::DaysInStage => whole(deal.days_in_stage),
            Self::SentimentTrend => match deal.sentiment_trend {
                SentimentTrend::Improving => Some(1.0),
                SentimentTrend::Stable => Some(0.0),
                SentimentTrend::Declining => Some(-1.0),
                SentimentTrend::Unknown => None,
            },
            Self::AvgSentiment => crate::number::sentiment(deal.avg_sentiment),
            Self::DaysSinceLastActivity => whole(deal.days_since_last_activity),
            Self::DaysSinceLastMeeting => whole(deal.days_since_last_meeting),
            Self::MeetingCount => whole(deal.meeting_count_30d),
            Self::ActivityCount => whole(deal.activity_count_30d),
            Self::AvgResponseTime => crate::number::duration(deal.avg_response_time_hours),
            Self::DaysUntilClose => whole(deal.days_until_close.filter(|days| *days >= 0)),
            Self::OverallScore => whole(deal.overall_health_score),
        }
    }
}
