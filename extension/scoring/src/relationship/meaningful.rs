//! The last interaction in which both sides took part.

use serde::Serialize;

use crate::instant::serialize_rfc3339;
use crate::interaction::{Direction, EventRow, EventType, Instant, Meeting};
use crate::timeline::{Event, Timeline};

/// The newest meeting held, call, or answered e-mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MeaningfulInteraction {
    /// What it was: `meeting_held` for a meeting.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// When; written as RFC 3339 in UTC.
    #[serde(serialize_with = "serialize_rfc3339")]
    pub date: Instant,
    /// Who it came from; `None` for a meeting.
    pub direction: Option<Direction>,
    /// The subject of the e-mail or call, or the title of the meeting.
    pub subject: Option<String>,
}

/// The newest of both kinds of rows; a meeting before an event of the same instant.
pub(super) fn newest<R: EventRow>(timeline: &Timeline<'_, R>) -> Option<MeaningfulInteraction> {
    newest_event(timeline)
        .map(of_event)
        .or_else(|| newest_meeting(timeline).map(of_meeting))
}

/// The newest meaningful event, unless a meeting is as new.
pub(super) fn newest_event<'e, 'a, R: EventRow>(
    timeline: &'e Timeline<'a, R>,
) -> Option<&'e Event<'a, R>> {
    let event = timeline.events.iter().find(|event| is_meaningful(event))?;
    let before = |meeting: &Meeting| event.at > meeting.start;
    newest_meeting(timeline).is_none_or(before).then_some(event)
}

fn newest_meeting<'a, R: EventRow>(timeline: &Timeline<'a, R>) -> Option<&'a Meeting> {
    timeline.meetings_held().first().copied()
}

fn is_meaningful<R: EventRow>(event: &Event<'_, R>) -> bool {
    match event.event_type {
        EventType::MeetingHeld | EventType::CallMade | EventType::CallReceived => true,
        kind => kind.is_email() && event.was_replied,
    }
}

fn of_event<R: EventRow>(event: &Event<'_, R>) -> MeaningfulInteraction {
    let kind = event.event_type;
    MeaningfulInteraction {
        kind,
        date: event.at,
        direction: (kind != EventType::MeetingHeld).then_some(event.direction),
        subject: event.row.subject().map(str::to_owned),
    }
}

fn of_meeting(meeting: &Meeting) -> MeaningfulInteraction {
    MeaningfulInteraction {
        kind: EventType::MeetingHeld,
        date: meeting.start,
        direction: None,
        subject: meeting.title.clone(),
    }
}
