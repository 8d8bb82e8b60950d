//! Alerts on deals: when a rule holds, what is said, and what becomes of an alert that is there.
//!
//! A [`Rule`] compares one metric of a deal with a threshold, under conditions, and words its
//! alerts by templates. [`speaking`] gives the rules that speak for a deal, one for each type;
//! [`step`] says what follows for the alert of that type that is open.

mod facts;
mod lifecycle;
mod rule;
mod template;
mod words;

pub use facts::{DealFacts, Metric};
pub use lifecycle::{Open, OpenState, Step, step};
pub use rule::{Alert, Operator, Priority, Rule, RuleError, RuleRow, speaking};
pub use template::{Placeholder, Template};

text_enum! {
    /// What an alert is about. A deal has one open alert of each type at most.
    pub enum AlertType {
        /// Too long in its stage.
        StageStall = "stage_stall",
        /// Sentiment is falling or low.
        SentimentDrop = "sentiment_drop",
        /// Too few meetings.
        EngagementDecline = "engagement_decline",
        /// Nothing happened for too long.
        NoActivity = "no_activity",
        /// Answers take too long.
        MissedFollowUp = "missed_follow_up",
        /// The expected close date is near.
        CloseDateApproaching = "close_date_approaching",
        /// The deal as a whole is at risk.
        HighRisk = "high_risk",
    }
}

text_enum! {
    /// How grave an alert is; in ascending order.
    pub enum AlertSeverity {
        /// Worth knowing.
        Info = "info",
        /// Worth acting on soon.
        Warning = "warning",
        /// Worth acting on now.
        Critical = "critical",
    }
}
