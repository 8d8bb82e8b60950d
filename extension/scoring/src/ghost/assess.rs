//! What the signals of a contact amount to: a probability, an action, and the context to act in.

use serde::Serialize;

use super::{GhostSignal, Severity, SignalType};
use crate::number::clamp_score;

text_enum! {
    /// What to do about a contact, by its ghost probability.
    pub enum RecommendedAction {
        /// 75 % or more.
        Urgent = "urgent",
        /// 50 % or more.
        InterveneNow = "intervene_now",
        /// 30 % or more.
        InterveneSoon = "intervene_soon",
        /// Less.
        Monitor = "monitor",
    }
}

text_enum! {
    /// What an intervention can refer to.
    pub enum ContextTrigger {
        /// A meeting was moved or called off.
        MeetingRescheduled = "meeting_rescheduled",
        /// E-mails, or a conversation, went unanswered.
        MultipleFollowupsIgnored = "multiple_followups_ignored",
        /// E-mails are no longer opened.
        EmailOpensStopped = "email_opens_stopped",
        /// Any other sign.
        GeneralGhosting = "general_ghosting",
    }
}

/// What the signals of a contact amount to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assessment {
    /// Whether any signal holds and the probability is 50 % or more. A low score alone is no
    /// ghost: without a sign of silence there is nothing to intervene upon.
    pub is_ghost_risk: bool,
    /// Percent, 0 to 100.
    pub ghost_probability_percent: i32,
    /// Days, 1 or more, until the contact is expected to be silent for good; `None` below 50 %.
    pub days_until_predicted_ghost: Option<i32>,
    /// The gravest of the signals; `None` without any.
    pub highest_severity: Option<Severity>,
    /// What to do.
    pub recommended_action: RecommendedAction,
    /// What to refer to; `None` without any signal.
    pub context_trigger: Option<ContextTrigger>,
}

/// Assesses all signals that hold, under the relationship's overall score (`None`: unknown).
///
/// The probability starts at 40 for a score below 30 and at 20 below 50; each critical signal
/// adds 25, each high one 15, each medium one 5.
#[must_use]
pub fn assess(overall: Option<i64>, signals: &[(SignalType, Severity)]) -> Assessment {
    let points: i64 = signals.iter().map(|(_, severity)| points(*severity)).sum();
    let percent = clamp_score(overall.map_or(0, points_of_score) + points);
    Assessment {
        is_ghost_risk: !signals.is_empty() && percent >= 50,
        ghost_probability_percent: percent,
        // round((100 − p) / 10), halves up
        days_until_predicted_ghost: (percent >= 50).then(|| ((105 - percent) / 10).max(1)),
        highest_severity: signals.iter().map(|(_, severity)| *severity).max(),
        recommended_action: action(percent),
        context_trigger: context(signals),
    }
}

/// [`assess`] for signals as they were detected.
#[must_use]
pub fn assess_signals(overall: Option<i64>, signals: &[GhostSignal]) -> Assessment {
    let pairs: Vec<_> = signals
        .iter()
        .map(|s| (s.signal_type, s.severity))
        .collect();
    assess(overall, &pairs)
}

const fn points(severity: Severity) -> i64 {
    match severity {
        Severity::Low => 0,
        Severity::Medium => 5,
        Severity::High => 15,
        Severity::Critical => 25,
    }
}

const fn points_of_score(overall: i64) -> i64 {
    match overall {
        ..30 => 40,
        30..50 => 20,
        _ => 0,
    }
}

const fn action(percent: i32) -> RecommendedAction {
    match percent {
        75.. => RecommendedAction::Urgent,
        50..75 => RecommendedAction::InterveneNow,
        30..50 => RecommendedAction::InterveneSoon,
        _ => RecommendedAction::Monitor,
    }
}

fn context(signals: &[(SignalType, Severity)]) -> Option<ContextTrigger> {
    let holds = |wanted| signals.iter().any(|(signal, _)| *signal == wanted);
    if holds(SignalType::MeetingRescheduledRepeatedly) {
        Some(ContextTrigger::MeetingRescheduled)
    } else if holds(SignalType::EmailNoResponse) || holds(SignalType::ThreadDropout) {
        Some(ContextTrigger::MultipleFollowupsIgnored)
    } else if holds(SignalType::EmailOpensDeclined) {
        Some(ContextTrigger::EmailOpensStopped)
    } else {
        (!signals.is_empty()).then_some(ContextTrigger::GeneralGhosting)
    }
}
