//! Which of the seven signals hold for a contact.

use serde_json::json;

use super::{GhostSignal, Severity, SignalType, mail, meetings, two_decimals};
use crate::explain::counted;
use crate::interaction::EventRow;
use crate::number::{above, baseline, below, mean};
use crate::phrase::{every, hours};
use crate::relationship::RelationshipMetrics;
use crate::timeline::{Event, Timeline};

/// The signals that hold, in the order of [`SignalType`].
///
/// `m` brings the contact's own habits; `opens_tracked` says whether openings mean anything.
pub(crate) fn detect<R: EventRow>(
    timeline: &Timeline<'_, R>,
    m: &RelationshipMetrics,
    opens_tracked: bool,
) -> Vec<GhostSignal> {
    let opens_declined = if opens_tracked {
        mail::email_opens_declined(timeline)
    } else {
        None
    };
    let signals = [
        mail::email_no_response(timeline),
        response_time_increased(timeline, m.baseline_response_time_hours),
        opens_declined,
        meetings::meeting_rescheduled_repeatedly(timeline),
        meetings::sentiment_declining(timeline),
        mail::thread_dropout(timeline),
        engagement_pattern_break(m.days_since_last_contact, m.baseline_contact_frequency_days),
    ];
    signals.into_iter().flatten().collect()
}

/// The five newest answers of 30 days take three times as long as those of 90 days, or longer.
fn response_time_increased<R: EventRow>(
    timeline: &Timeline<'_, R>,
    habit: Option<f64>,
) -> Option<GhostSignal> {
    let habit = baseline(habit)?;
    let inbound = timeline
        .events_within(30)
        .iter()
        .filter(|event| event.is_inbound());
    let current = mean(inbound.filter_map(Event::response_time_hours).take(5))?;
    let ratio = current / habit;
    if below(ratio, 3.0) {
        return None;
    }
    let severity = if below(ratio, 5.0) {
        Severity::High
    } else {
        Severity::Critical
    };
    let clause = format!(
        "answers now take {}, usually {}",
        hours(current, &[]),
        hours(habit, &[])
    );
    let data = json!({
        "baseline_hours": two_decimals(habit),
        "current_avg_hours": two_decimals(current),
        "increase_ratio": two_decimals(ratio),
    });
    Some(GhostSignal::new(
        SignalType::ResponseTimeIncreased,
        severity,
        &clause,
        data,
    ))
}

/// A silence more than twice as long as the contact's mean gap between events.
fn engagement_pattern_break(days_silent: Option<i64>, habit: Option<f64>) -> Option<GhostSignal> {
    let (days, habit) = (days_silent?, baseline(habit)?);
    if !above(days as f64, 2.0 * habit) {
        return None;
    }
    let severity = if above(days as f64, 4.0 * habit) {
        Severity::Critical
    } else {
        Severity::High
    };
    let clause = format!(
        "no contact for {}, usually {}",
        counted(days, "day"),
        every(habit)
    );
    let data = json!({
        "days_since_last_contact": days,
        "baseline_frequency_days": two_decimals(habit),
        "expected_contact_days": two_decimals(2.0 * habit),
    });
    Some(GhostSignal::new(
        SignalType::EngagementPatternBreak,
        severity,
        &clause,
        data,
    ))
}
