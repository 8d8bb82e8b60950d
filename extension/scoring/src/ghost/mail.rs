//! The signals in the mail: unanswered, unopened, and conversations left.

use serde_json::json;

use super::{GhostSignal, Severity, SignalType};
use crate::explain::{ago, counted};
use crate::interaction::{EventRow, EventType};
use crate::number::percent;
use crate::timeline::{Event, Timeline};

/// The newest of the unanswered e-mails of 14 days, and how many there are, if two or more.
fn unanswered<'e, 'a, R: EventRow>(
    timeline: &'e Timeline<'a, R>,
) -> Option<(&'e Event<'a, R>, i64)> {
    let recent = timeline.events_within(14).iter();
    let mut unreplied = recent.filter(|event| event.is(EventType::EmailSent) && !event.was_replied);
    let newest = unreplied.next()?;
    let count = 1 + unreplied.count() as i64;
    (count >= 2).then_some((newest, count))
}

/// The e-mails that the signals name by their subject.
pub(crate) fn cited<'e, 'a, R: EventRow>(
    timeline: &'e Timeline<'a, R>,
) -> impl Iterator<Item = &'e Event<'a, R>> {
    let unanswered = unanswered(timeline).map(|(newest, _)| newest);
    unanswered
        .into_iter()
        .chain(longest_left(timeline).map(|left| left.last))
}

/// Two e-mails or more in 14 days that nobody answered.
pub(super) fn email_no_response<R: EventRow>(timeline: &Timeline<'_, R>) -> Option<GhostSignal> {
    let (newest, count) = unanswered(timeline)?;
    let severity = if count == 2 {
        Severity::High
    } else {
        Severity::Critical
    };
    let days = timeline.now.whole_days_since(newest.at);
    let clause = format!(
        "{count} e-mails of the last 14 days without a reply, the newest {}",
        ago(days)
    );
    let data = json!({
        "unreplied_count": count,
        "days_since_last_email": days,
        "last_email_subject": newest.row.subject(),
    });
    Some(GhostSignal::new(
        SignalType::EmailNoResponse,
        severity,
        &clause,
        data,
    ))
}

/// How many e-mails of a period were sent, and how many of those were opened.
struct Opens {
    sent: i64,
    opened: i64,
}

impl Opens {
    fn of<R: EventRow>(events: &[Event<'_, R>]) -> Self {
        let sent = events.iter().filter(|event| event.is(EventType::EmailSent));
        let opened = sent.clone().filter(|event| event.was_opened).count() as i64;
        Self {
            sent: sent.count() as i64,
            opened,
        }
    }
}

/// The open rate of 30 days fell by 40 points or more from the 30 days before, or is under 20 % and no higher
/// than it was.
pub(super) fn email_opens_declined<R: EventRow>(timeline: &Timeline<'_, R>) -> Option<GhostSignal> {
    let sixty = timeline.events_within(60);
    let recent_count = timeline.events_within(30).len();
    let (new, old) = (
        Opens::of(&sixty[..recent_count]),
        Opens::of(&sixty[recent_count..]),
    );
    if new.sent < 2 || old.sent < 2 {
        return None;
    }
    // Points fallen, as a fraction over `whole`: rates compare exactly.
    let (fallen, whole) = (
        100 * (old.opened * new.sent - new.opened * old.sent),
        old.sent * new.sent,
    );
    let is_low = 100 * new.opened < 20 * new.sent && fallen >= 0;
    if fallen < 40 * whole && !is_low {
        return None;
    }
    let severity = if new.opened == 0 {
        Severity::Critical
    } else if fallen >= 60 * whole {
        Severity::High
    } else {
        Severity::Medium
    };
    let (old_rate, new_rate) = (
        percent(old.opened, old.sent)?,
        percent(new.opened, new.sent)?,
    );
    let clause = format!("{new_rate} % of the e-mails of 30 days opened, {old_rate} % before");
    let data = json!({
        "historical_open_rate": old_rate,
        "recent_open_rate": new_rate,
        "decline_percent": (2 * fallen + whole).div_euclid(2 * whole),
        "recent_emails_count": new.sent,
    });
    Some(GhostSignal::new(
        SignalType::EmailOpensDeclined,
        severity,
        &clause,
        data,
    ))
}

/// A conversation of 14 days in which the last word, five days old or more, is the user's.
struct Dropout<'e, 'a, R> {
    last: &'e Event<'a, R>,
    length: i64,
    /// As stored; where the source does not tell, counted from 0 within the 14 days.
    position: i64,
    days: i64,
}

/// The longest-left conversation of three e-mails or more.
fn longest_left<'e, 'a, R: EventRow>(timeline: &'e Timeline<'a, R>) -> Option<Dropout<'e, 'a, R>> {
    let left = dropouts(timeline);
    // Equally old ones: the one whose last e-mail comes first in the timeline.
    left.into_iter()
        .min_by_key(|left| (left.last.at, left.last.row.id()))
}

/// A conversation of three e-mails or more that the contact left.
pub(super) fn thread_dropout<R: EventRow>(timeline: &Timeline<'_, R>) -> Option<GhostSignal> {
    let worst = longest_left(timeline)?;
    let severity = if worst.days >= 10 {
        Severity::High
    } else {
        Severity::Medium
    };
    let clause = format!(
        "a conversation of {} was left unanswered {}",
        counted(worst.length, "e-mail"),
        ago(worst.days)
    );
    let data = json!({
        "thread_length": worst.length,
        "days_since_last": worst.days,
        "thread_position": worst.position,
        "last_subject": worst.last.row.subject(),
    });
    Some(GhostSignal::new(
        SignalType::ThreadDropout,
        severity,
        &clause,
        data,
    ))
}

fn dropouts<'e, 'a, R: EventRow>(timeline: &'e Timeline<'a, R>) -> Vec<Dropout<'e, 'a, R>> {
    let threaded = || {
        let recent = timeline
            .events_within(14)
            .iter()
            .filter(|event| event.is_email());
        recent.filter(|event| event.row.thread_key().is_some())
    };
    if threaded().count() < 3 {
        return Vec::new();
    }
    let mut by_thread: Vec<&Event<'_, R>> = threaded().collect();
    // Stable: within a thread the newest stays first.
    by_thread.sort_by_key(|event| event.row.thread_key());
    let threads = by_thread.chunk_by(|a, b| a.row.thread_key() == b.row.thread_key());
    threads
        .filter_map(|thread| dropout(timeline, thread))
        .collect()
}

fn dropout<'e, 'a, R: EventRow>(
    timeline: &Timeline<'_, R>,
    thread: &[&'e Event<'a, R>],
) -> Option<Dropout<'e, 'a, R>> {
    let last = *thread.first()?;
    let length = thread.len() as i64;
    let position = last.row.thread_position().map_or(length - 1, i64::from);
    let days = timeline.now.whole_days_since(last.at);
    let left = length >= 3 && last.is_outbound() && position >= 2 && days >= 5;
    left.then_some(Dropout {
        last,
        length,
        position,
        days,
    })
}
