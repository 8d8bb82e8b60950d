//! The newest events that a kept state covers: what a score tells of the time before its window.
//!
//! Kept behind the streams of a state, so that nobody looks for them in the history again. The triggers of
//! `communication_events` drop the state when one of its events changes in what is kept here (sql/crm).

use pgrx::pg_sys;
use serde::{Deserialize, Serialize};

use super::events::{Event, EventRow};
use super::targets::Owner;
use crate::collect::{HAS_ANY, HAS_INBOUND, HAS_MEANINGFUL};
use crm_health_scoring::interaction::{Direction, EventRow as _, EventType};

/// Words and times, for they outlive this version of the library.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Newest {
    /// When the newest event was, and the newest inbound one.
    any: Option<pg_sys::TimestampTz>,
    inbound: Option<pg_sys::TimestampTz>,
    meaningful: Option<Meaningful>,
}

/// A meeting held, a call or an answered e-mail.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Meaningful {
    at: pg_sys::TimestampTz,
    id: [u8; 16],
    event_type: String,
    direction: String,
    external_key: Option<[u8; 16]>,
    subject: Option<String>,
}

impl Newest {
    /// The newest of these events, as far as they are older than `until`.
    pub(crate) fn of<'e>(
        events: impl Iterator<Item = Event<'e>>,
        until: pg_sys::TimestampTz,
    ) -> Self {
        let mut newest = Self::default();
        let mut meaningful: Option<Event<'e>> = None;
        for event in events.filter(|event| event.row.at < until) {
            let row = event.row;
            newest.any = newest.any.max(Some(row.at));
            if row.direction() == Direction::Inbound {
                newest.inbound = newest.inbound.max(Some(row.at));
            }
            if row.is_meaningful() && meaningful.is_none_or(|kept| row.is_newer_than(kept.row)) {
                meaningful = Some(event);
            }
        }
        newest.meaningful = meaningful.map(|event| Meaningful {
            at: event.row.at,
            id: event.row.id().to_be_bytes(),
            event_type: event.row.event_type().as_str().to_owned(),
            direction: event.row.direction().as_str().to_owned(),
            external_key: event.row.external_key(),
            subject: event.subject().map(str::to_owned),
        });
        newest
    }

    /// The id of the event that has a subject, and the subject.
    pub(crate) fn subject(&self) -> Option<(u128, Option<&str>)> {
        let event = self.meaningful.as_ref()?;
        Some((u128::from_be_bytes(event.id), event.subject.as_deref()))
    }

    /// Whether it can tell what somebody lacks before an instant: what it holds for these bits is older.
    pub(crate) fn reaches(&self, lacks: u8, until: pg_sys::TimestampTz) -> bool {
        let meaningful = self.meaningful.as_ref().map(|event| event.at);
        let kept = [
            (HAS_ANY, self.any),
            (HAS_INBOUND, self.inbound),
            (HAS_MEANINGFUL, meaningful),
        ];
        let mut wanted = kept.into_iter().filter(|(bit, _)| lacks & bit != 0);
        wanted.all(|(_, at)| at.is_none_or(|at| at < until))
    }

    /// Rows for what somebody lacks, as [`super::lacking`] has the bits.
    pub(crate) fn rows(&self, of: Owner, lacks: u8) -> impl Iterator<Item = EventRow> {
        let bare = |bit, at: Option<i64>, direction| {
            at.filter(|_| lacks & bit != 0)
                // Ids that no other event of the contact has.
                .map(|at| EventRow::kept(of, at, u128::from(bit), EventType::Other, direction))
        };
        let meaningful = self.meaningful.as_ref();
        let meaningful = meaningful.filter(|_| lacks & HAS_MEANINGFUL != 0);
        let rows = [
            bare(HAS_ANY, self.any, Direction::System),
            bare(HAS_INBOUND, self.inbound, Direction::Inbound),
            meaningful.map(|event| event.row(of)),
        ];
        rows.into_iter().flatten()
    }
}

impl Meaningful {
    fn row(&self, of: Owner) -> EventRow {
        let event_type = EventType::parse(&self.event_type).unwrap_or(EventType::Other);
        let direction = Direction::parse(&self.direction).unwrap_or(Direction::System);
        let id = u128::from_be_bytes(self.id);
        EventRow::kept(of, self.at, id, event_type, direction).answered(self.external_key)
    }
}
