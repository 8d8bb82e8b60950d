//! Rows to score: everything not said is plain, and every row has an id of its own.

use std::sync::atomic::{AtomicU64, Ordering};

use crm_health_scoring::interaction::{Direction, EventType, Instant, Interaction, Meeting};

pub(crate) const HOUR: i64 = 3_600_000_000;
pub(crate) const DAY: i64 = 24 * HOUR;

/// 2026-03-02 12:00 UTC.
pub(crate) const NOW: Instant = Instant(1_772_452_800_000_000);

pub(crate) fn days_ago(days: f64) -> Instant {
    Instant(NOW.0 - (days * DAY as f64) as i64)
}

/// One microsecond before this instant.
pub(crate) fn just_before(at: Instant) -> Instant {
    Instant(at.0 - 1)
}

fn fresh_id() -> u128 {
    static LAST: AtomicU64 = AtomicU64::new(1);
    LAST.fetch_add(1, Ordering::Relaxed).into()
}

pub(crate) fn event(event_type: EventType, at: Instant) -> Interaction {
    let direction = match event_type {
        EventType::EmailReceived | EventType::CallReceived => Direction::Inbound,
        EventType::EmailSent | EventType::CallMade => Direction::Outbound,
        _ => Direction::System,
    };
    Interaction {
        at,
        id: fresh_id(),
        event_type,
        direction,
        external_key: None,
        thread_key: None,
        thread_position: None,
        was_replied: false,
        was_opened: false,
        response_time_hours: None,
        sentiment: None,
        subject: None,
    }
}

pub(crate) fn sent(days: f64) -> Interaction {
    event(EventType::EmailSent, days_ago(days))
}

pub(crate) fn received(days: f64) -> Interaction {
    event(EventType::EmailReceived, days_ago(days))
}

/// An e-mail received that answers another one.
pub(crate) fn answer(days: f64, response_time_hours: f64) -> Interaction {
    Interaction {
        response_time_hours: Some(response_time_hours),
        ..received(days)
    }
}

/// An e-mail received that sounds so.
pub(crate) fn toned(days: f64, sentiment: f64) -> Interaction {
    Interaction {
        sentiment: Some(sentiment),
        ..received(days)
    }
}

pub(crate) fn met(days: f64, sentiment: Option<f64>) -> Meeting {
    Meeting {
        start: days_ago(days),
        id: fresh_id(),
        sentiment,
        title: None,
    }
}

/// `count` copies made by `row`.
pub(crate) fn times<T>(count: usize, row: impl Fn() -> T) -> Vec<T> {
    (0..count).map(|_| row()).collect()
}
