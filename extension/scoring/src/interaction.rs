//! What the scores are made of: interactions with contacts, meetings, and the instants they bear.

use serde::{Deserialize, Serialize};

/// An instant in microseconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Instant(pub i64);

/// The kind of an interaction: the `event_type` of `communication_events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventType {
    EmailSent, EmailReceived, EmailOpened, EmailClicked,
    MeetingScheduled, MeetingHeld, MeetingCancelled, MeetingRescheduled,
    CallMade, CallReceived,
    /// Any other kind: it counts as an interaction and as nothing else.
    Other,
}

/// Who an interaction came from, seen from the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction { Outbound, Inbound, System }

/// One row of `communication_events`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    /// When it happened.
    pub at: Instant,
    /// The row's id; breaks ties between interactions of one instant, so that order never matters.
    pub id: u128,
    pub event_type: EventType,
    pub direction: Direction,
    /// A key of (external_source, external_id): rows that share it are one interaction.
    pub external_key: Option<u128>,
    /// A key of the thread id.
    pub thread_key: Option<u128>,
    pub thread_position: Option<i32>,
    pub was_replied: bool,
    pub was_opened: bool,
    pub response_time_hours: Option<f64>,
    /// −1 to 1.
    pub sentiment: Option<f64>,
    pub subject: Option<String>,
}

/// One row of `meetings`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meeting {
    /// When it starts; in the future where it is booked.
    pub start: Instant,
    pub id: u128,
    /// −1 to 1.
    pub sentiment: Option<f64>,
    pub title: Option<String>,
}
