//! What the scores are made of: interactions with contacts, meetings, and the instants they bear.

use serde::{Deserialize, Serialize};

/// An instant in microseconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Instant(pub i64);

text_enum! {
    /// The kind of an interaction: the `event_type` of `communication_events`.
    pub enum EventType {
        /// An e-mail from the user.
        EmailSent = "email_sent",
        /// An e-mail from the contact.
        EmailReceived = "email_received",
        /// The contact opened an e-mail.
        EmailOpened = "email_opened",
        /// The contact followed a link in an e-mail.
        EmailClicked = "email_clicked",
        /// A meeting was booked.
        MeetingScheduled = "meeting_scheduled",
        /// A meeting took place.
        MeetingHeld = "meeting_held",
        /// A meeting was called off.
        MeetingCancelled = "meeting_cancelled",
        /// A meeting was moved.
        MeetingRescheduled = "meeting_rescheduled",
        /// The user called.
        CallMade = "call_made",
        /// The contact called.
        CallReceived = "call_received",
        /// Any other kind: it counts as an interaction and as nothing else.
        Other = "other",
    }
}

impl EventType {
    /// Whether this is an e-mail itself, sent or received (not an opening or a click).
    #[must_use]
    pub const fn is_email(self) -> bool {
        matches!(self, Self::EmailSent | Self::EmailReceived)
    }
}

text_enum! {
    /// Who an interaction came from, seen from the user.
    pub enum Direction {
        /// From the user to the contact.
        Outbound = "outbound",
        /// From the contact to the user.
        Inbound = "inbound",
        /// From neither: recorded by software.
        System = "system",
    }
}

/// One row of `communication_events`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    /// When it happened.
    pub at: Instant,
    /// The row's id; breaks ties between interactions of one instant, so that order never matters.
    pub id: u128,
    /// What happened.
    pub event_type: EventType,
    /// Who it came from.
    pub direction: Direction,
    /// A key of (external_source, external_id): rows that share it are one interaction.
    pub external_key: Option<u128>,
    /// A key of the thread id.
    pub thread_key: Option<u128>,
    /// Place in the thread as stored; `None` where the source does not tell.
    pub thread_position: Option<i32>,
    /// Whether the other side answered it.
    pub was_replied: bool,
    /// Whether the contact opened it; meaningful only where openings are tracked.
    pub was_opened: bool,
    /// Hours from the message it answers to this one; negative and non-finite values are ignored.
    pub response_time_hours: Option<f64>,
    /// −1 to 1; values beyond are clamped, non-finite ones ignored.
    pub sentiment: Option<f64>,
    /// The subject line, where it is kept.
    pub subject: Option<String>,
}

/// One row of `meetings`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meeting {
    /// When it starts; in the future where it is booked.
    pub start: Instant,
    /// The row's id: a meeting handed in twice counts once.
    pub id: u128,
    /// −1 to 1; values beyond are clamped, non-finite ones ignored.
    pub sentiment: Option<f64>,
    /// What the meeting is called.
    pub title: Option<String>,
}

/// The meetings that are ahead, one at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Booked {
    /// How many there are.
    pub count: i64,
    /// Days to the start of the next one, rounded up; at least 1.
    pub next_in_days: i64,
}

/// An event as the measures read it: an [`Interaction`], or a row that a caller has in another form and
/// need not copy. What the methods tell is what the fields of [`Interaction`] of their names hold.
pub trait EventRow {
    /// When it happened.
    fn at(&self) -> Instant;
    /// The row's id.
    fn id(&self) -> u128;
    /// What happened.
    fn event_type(&self) -> EventType;
    /// Who it came from.
    fn direction(&self) -> Direction;
    /// What rows of one interaction share.
    fn external_key(&self) -> Option<u128>;
    /// What rows of one thread share.
    fn thread_key(&self) -> Option<u128>;
    /// Place in the thread as stored.
    fn thread_position(&self) -> Option<i32>;
    /// Whether the other side answered it.
    fn was_replied(&self) -> bool;
    /// Whether the contact opened it.
    fn was_opened(&self) -> bool;
    /// Hours; negative and non-finite values are ignored.
    fn response_time_hours(&self) -> Option<f64>;
    /// −1 to 1; values beyond are clamped, non-finite ones ignored.
    fn sentiment(&self) -> Option<f64>;
    /// The subject line; asked for of few rows.
    fn subject(&self) -> Option<&str>;
}

impl EventRow for Interaction {
    fn at(&self) -> Instant {
        self.at
    }

    fn id(&self) -> u128 {
        self.id
    }

    fn event_type(&self) -> EventType {
        self.event_type
    }

    fn direction(&self) -> Direction {
        self.direction
    }

    fn external_key(&self) -> Option<u128> {
        self.external_key
    }

    fn thread_key(&self) -> Option<u128> {
        self.thread_key
    }

    fn thread_position(&self) -> Option<i32> {
        self.thread_position
    }

    fn was_replied(&self) -> bool {
        self.was_replied
    }

    fn was_opened(&self) -> bool {
        self.was_opened
    }

    fn response_time_hours(&self) -> Option<f64> {
        self.response_time_hours
    }

    fn sentiment(&self) -> Option<f64> {
        self.sentiment
    }

    fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }
}
