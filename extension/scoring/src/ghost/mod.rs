//! Ghosting: the seven signs that a contact is falling silent, and what they amount to.

mod assess;
mod detect;
mod mail;
mod meetings;

pub use assess::{Assessment, ContextTrigger, RecommendedAction, assess, assess_signals};
pub(crate) use detect::detect;
pub(crate) use mail::cited;

use serde::Serialize;

text_enum! {
    /// A sign that a contact is falling silent.
    pub enum SignalType {
        /// E-mails of the last 14 days without a reply.
        EmailNoResponse = "email_no_response",
        /// Answers take several times as long as they used to.
        ResponseTimeIncreased = "response_time_increased",
        /// E-mails are opened far less than they were.
        EmailOpensDeclined = "email_opens_declined",
        /// Meetings moved or called off, and no new one booked.
        MeetingRescheduledRepeatedly = "meeting_rescheduled_repeatedly",
        /// The newest meeting sounded worse than those before it.
        SentimentDeclining = "sentiment_declining",
        /// A conversation by e-mail that the contact left.
        ThreadDropout = "thread_dropout",
        /// A silence well beyond the contact's own habit.
        EngagementPatternBreak = "engagement_pattern_break",
    }
}

text_enum! {
    /// How grave a sign is.
    pub enum Severity {
        /// Worth a glance.
        Low = "low",
        /// Worth watching.
        Medium = "medium",
        /// Worth acting on soon.
        High = "high",
        /// Worth acting on now.
        Critical = "critical",
    }
}

/// One sign that holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GhostSignal {
    /// Which sign.
    pub signal_type: SignalType,
    /// How grave it is.
    pub severity: Severity,
    /// One sentence that names the numbers.
    pub signal_context: String,
    /// The numbers: an object whose keys depend on the sign. Hours and days are rounded to two
    /// decimals, rates are whole percent, instants are RFC 3339.
    pub signal_data: serde_json::Value,
}

impl GhostSignal {
    /// A signal, its context made of a clause.
    fn new(
        signal_type: SignalType,
        severity: Severity,
        clause: &str,
        signal_data: serde_json::Value,
    ) -> Self {
        let signal_context = crate::explain::sentence(clause);
        Self {
            signal_type,
            severity,
            signal_context,
            signal_data,
        }
    }
}

/// Two decimals are enough for a person, and free of rounding noise.
fn two_decimals(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
