//! The signals in the meetings: put off again and again, and sounding worse.

use serde_json::json;

use super::{GhostSignal, Severity, SignalType, two_decimals};
use crate::explain::counted;
use crate::interaction::{EventRow, EventType};
use crate::number::{below, sentiment};
use crate::phrase::signed;
use crate::timeline::Timeline;

/// Meetings moved or called off twice or more in 30 days, none booked since, and none ahead.
pub(super) fn meeting_rescheduled_repeatedly<R: EventRow>(
    timeline: &Timeline<'_, R>,
) -> Option<GhostSignal> {
    if timeline.booked().is_some() {
        return None;
    }
    let recent = timeline.events_within(30);
    let count = |kind| recent.iter().filter(|event| event.is(kind)).count() as i64;
    let moved = count(EventType::MeetingRescheduled);
    let cancelled = count(EventType::MeetingCancelled);
    // Two in all means two moved or one cancelled at least.
    if moved + cancelled < 2 {
        return None;
    }
    let put_off = |kind| {
        matches!(
            kind,
            EventType::MeetingRescheduled | EventType::MeetingCancelled
        )
    };
    let newest = recent.iter().find(|event| put_off(event.event_type))?;
    let booked = |at| {
        recent
            .iter()
            .any(|e| e.is(EventType::MeetingScheduled) && e.at >= at)
    };
    if booked(newest.at) {
        return None;
    }
    let severity = if cancelled > 0 {
        Severity::Critical
    } else {
        Severity::High
    };
    let put_off: Vec<String> = [("moved", moved), ("called off", cancelled)]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{what} {}", counted(count, "time")))
        .collect();
    let clause = format!(
        "meetings {} in 30 days, no new one booked",
        put_off.join(" and ")
    );
    let data = json!({
        "reschedule_count": moved,
        "cancel_count": cancelled,
        "has_new_meeting": false,
        "last_event": newest.at.to_rfc3339(),
    });
    Some(GhostSignal::new(
        SignalType::MeetingRescheduledRepeatedly,
        severity,
        &clause,
        data,
    ))
}

/// The newest meeting with a sentiment sounded clearly worse than the two before it.
pub(super) fn sentiment_declining<R: EventRow>(timeline: &Timeline<'_, R>) -> Option<GhostSignal> {
    let mut sentiments = timeline
        .meetings_held()
        .iter()
        .filter_map(|m| sentiment(m.sentiment));
    let newest = sentiments.next()?;
    let before = f64::midpoint(sentiments.next()?, sentiments.next()?);
    let change = newest - before;
    if !below(change, -0.15) {
        return None;
    }
    let severity = if below(newest, -0.3) {
        Severity::Critical
    } else if below(newest, -0.25) {
        Severity::High
    } else {
        Severity::Medium
    };
    let clause = format!(
        "sentiment of meetings fell to {} from {}",
        signed(newest, &[]),
        signed(before, &[])
    );
    let data = json!({
        "recent_sentiment": two_decimals(newest),
        "previous_avg_sentiment": two_decimals(before),
        "change": two_decimals(change),
        "meeting_count": 3 + sentiments.count(),
    });
    Some(GhostSignal::new(
        SignalType::SentimentDeclining,
        severity,
        &clause,
        data,
    ))
}
