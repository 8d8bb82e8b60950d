//! The events of a user, with whom they were.

mod collect;
mod subjects;

pub(crate) use collect::Events;
pub(crate) use subjects::{SubjectRow, Subjects};

use crm_health_scoring::interaction::{self, Direction, EventType, Instant};
use pgrx::pg_sys;

use super::packed::{Plain, Text};
use super::targets::Owner;
use crate::collect::{is_meaningful, to_instant};

const HAS_CONTACT: u16 = 1;
const HAS_COMPANY: u16 = 2;
const HAS_EXTERNAL: u16 = 4;
const HAS_THREAD: u16 = 8;
const HAS_POSITION: u16 = 16;
const WAS_REPLIED: u16 = 32;
const WAS_OPENED: u16 = 64;
const AUTOMATED: u16 = 128;
/// Nothing is known but when it was and from whom.
const IS_BARE: u16 = 256;

/// One row of `communication_events`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct EventRow {
    pub(crate) at: pg_sys::TimestampTz,
    id: [u8; 16],
    contact: [u8; 16],
    company: [u8; 16],
    external_key: [u8; 16],
    thread_key: [u8; 16],
    response_time_hours: f64,
    sentiment: f64,
    pub(crate) subject: Text,
    thread_position: i32,
    event_type: u8,
    direction: u8,
    flags: u16,
}

// SAFETY: numbers and bytes in descending alignment, 120 bytes in all, as the assertion says.
unsafe impl Plain for EventRow {}
const _: () = assert!(size_of::<EventRow>() == 8 + 5 * 16 + 2 * 8 + 8 + 4 + 4);

impl EventRow {
    fn is(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    pub(crate) fn contact(&self) -> Option<[u8; 16]> {
        self.is(HAS_CONTACT).then_some(self.contact)
    }

    pub(crate) fn company(&self) -> Option<[u8; 16]> {
        self.is(HAS_COMPANY).then_some(self.company)
    }

    pub(crate) fn id(&self) -> u128 {
        u128::from_be_bytes(self.id)
    }

    /// Whether another row of the same event may tell more of it.
    pub(crate) fn is_bare(&self) -> bool {
        self.is(IS_BARE)
    }

    pub(crate) fn is_automated(&self) -> bool {
        self.is(AUTOMATED)
    }

    pub(crate) fn direction(&self) -> Direction {
        Direction::ALL[usize::from(self.direction) % Direction::ALL.len()]
    }

    pub(crate) fn event_type(&self) -> EventType {
        EventType::ALL[usize::from(self.event_type) % EventType::ALL.len()]
    }

    /// What rows of one interaction share.
    pub(crate) fn external_key(&self) -> Option<[u8; 16]> {
        self.is(HAS_EXTERNAL).then_some(self.external_key)
    }

    /// Among equals the smaller id comes first, as the core has it.
    pub(crate) fn is_newer_than(&self, other: &Self) -> bool {
        (other.at, self.id) < (self.at, other.id)
    }

    /// An event as a kept state has it.
    pub(crate) fn kept(
        of: Owner,
        at: pg_sys::TimestampTz,
        id: u128,
        event_type: EventType,
        direction: Direction,
    ) -> Self {
        let (contact, company, whose) = if of.is_company() {
            ([0; 16], of.id, HAS_COMPANY)
        } else {
            (of.id, [0; 16], HAS_CONTACT)
        };
        Self {
            at,
            id: id.to_be_bytes(),
            contact,
            company,
            external_key: [0; 16],
            thread_key: [0; 16],
            response_time_hours: f64::NAN,
            sentiment: f64::NAN,
            subject: Text::NONE,
            thread_position: 0,
            event_type: event_type as u8,
            direction: direction as u8,
            flags: whose,
        }
    }

    /// The same event, known to be answered, and by which key other rows of it are known.
    pub(crate) fn answered(mut self, external_key: Option<[u8; 16]>) -> Self {
        self.flags |= WAS_REPLIED;
        if let Some(key) = external_key {
            self.flags |= HAS_EXTERNAL;
            self.external_key = key;
        }
        self
    }

    pub(crate) fn is_meaningful(&self) -> bool {
        is_meaningful(self.event_type(), self.is(WAS_REPLIED))
    }
}

/// An event in its place, as the core reads it. Its subject is looked for when somebody asks.
#[derive(Clone, Copy)]
pub(crate) struct Event<'a> {
    pub(crate) row: &'a EventRow,
    pub(crate) subjects: &'a Subjects<'a>,
    /// Whether it came with the older ones.
    pub(crate) is_older: bool,
}

impl Event<'_> {
    fn key(&self, flag: u16, key: [u8; 16]) -> Option<u128> {
        self.row.is(flag).then_some(u128::from_ne_bytes(key))
    }
}

impl interaction::EventRow for Event<'_> {
    fn at(&self) -> Instant {
        to_instant(self.row.at)
    }

    fn id(&self) -> u128 {
        self.row.id()
    }

    fn event_type(&self) -> EventType {
        self.row.event_type()
    }

    fn direction(&self) -> Direction {
        self.row.direction()
    }

    fn external_key(&self) -> Option<u128> {
        self.key(HAS_EXTERNAL, self.row.external_key)
    }

    fn thread_key(&self) -> Option<u128> {
        self.key(HAS_THREAD, self.row.thread_key)
    }

    fn thread_position(&self) -> Option<i32> {
        let row = self.row;
        row.is(HAS_POSITION).then_some(row.thread_position)
    }

    fn was_replied(&self) -> bool {
        self.row.is(WAS_REPLIED)
    }

    fn was_opened(&self) -> bool {
        self.row.is(WAS_OPENED)
    }

    fn response_time_hours(&self) -> Option<f64> {
        Some(self.row.response_time_hours).filter(|hours| !hours.is_nan())
    }

    fn sentiment(&self) -> Option<f64> {
        Some(self.row.sentiment).filter(|sentiment| !sentiment.is_nan())
    }

    fn subject(&self) -> Option<&str> {
        self.subjects.of(self)
    }
}
