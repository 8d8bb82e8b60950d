//! `collect_user_events`: the events of a user, with whom they were.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;

use crm_health_scoring::interaction::{self, Direction, EventType, Instant};
use pgrx::pg_sys;
use xxhash_rust::xxh3::xxh3_128;

use super::own::{Values, bytes, float8, int4, int8, is_true, uuid};
use super::packed::{Packer, Plain, Text, Unpacked};
use super::targets::{Owner, result};
use super::user::{ByEvent, EventId};
use crate::collect::{direction, event_type, external_key, is_meaningful, state, to_instant};
use crate::raw::pg_function;

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

    /// Whether `other` is the same event, and tells more of it.
    pub(crate) fn is_told_by(&self, other: &Self) -> bool {
        self.is(IS_BARE) && !other.is(IS_BARE) && self.id == other.id
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

/// The subjects of a user's events.
pub(crate) struct Subjects<'a> {
    /// The texts of the events of the window, and of the older ones behind them.
    pub(crate) texts: [Unpacked<'a, EventRow>; 2],
    /// Of events that came without: what is known already.
    pub(crate) known: ByEvent<Option<Cow<'a, str>>>,
    /// And what was looked up, for all users together.
    pub(crate) looked_up: &'a OnceCell<ByEvent<Option<String>>>,
}

impl Subjects<'_> {
    fn of(&self, event: &Event<'_>) -> Option<&str> {
        let text = self.texts[usize::from(event.is_older)].text(event.row.subject);
        let id = EventId(event.row.id());
        text.or_else(|| self.known.get(&id)?.as_deref())
            .or_else(|| self.looked_up.get()?.get(&id)?.as_deref())
    }

    /// Whether it has been looked for, before all is looked up.
    pub(crate) fn knows(&self, event: &Event<'_>) -> bool {
        self.known.contains_key(&EventId(event.row.id())) || self.of(event).is_some()
    }
}

/// The subject of one event.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct SubjectRow {
    pub(crate) event: [u8; 16],
    pub(crate) subject: Text,
}

// SAFETY: as above.
unsafe impl Plain for SubjectRow {}
const _: () = assert!(size_of::<SubjectRow>() == 16 + 8);

pg_function! {
    /// Transition of `collect_subjects`: keeps one subject.
    fn collect_subjects_row(fcinfo) {
        // SAFETY: the argument numbers and types are those of the aggregate's declaration.
        unsafe {
            let state = state::<Packer<SubjectRow>>(fcinfo);
            if let Some(event) = uuid(fcinfo, 1) {
                let packer = &mut *state;
                let row = SubjectRow { event, subject: packer.text(bytes(fcinfo, 2)) };
                packer.rows.push(row);
            }
            pg_sys::Datum::from(state)
        }
    }
}

pg_function! {
    /// Result of `collect_subjects`.
    fn collect_subjects_result(fcinfo) {
        // SAFETY: the state is what the transition made, or NULL where there was no row.
        unsafe { result::<SubjectRow>(fcinfo) }
    }
}

/// The events of a user from some instant on, and of each contact and company the newest of what came
/// before: any, inbound, meaningful.
#[derive(Default)]
pub(crate) struct Events {
    packer: Packer<EventRow>,
    before: HashMap<[u8; 16], [Option<Older>; 3]>,
}

/// An event with its subject, until it is known that no newer one takes its place.
#[derive(Clone)]
struct Older {
    row: EventRow,
    subject: Option<Vec<u8>>,
}

pg_function! {
    /// Transition of `collect_user_events`: keeps one event.
    fn collect_user_events_row(fcinfo) {
        // SAFETY: the argument numbers and types are those of the aggregate's declaration.
        unsafe {
            let state = state::<Events>(fcinfo);
            (*state).keep(fcinfo, int8(fcinfo, 17));
            pg_sys::Datum::from(state)
        }
    }
}

pg_function! {
    /// Result of `collect_user_events`.
    fn collect_user_events_result(fcinfo) {
        // SAFETY: the state is what the transition made, or NULL where there was no row.
        unsafe {
            if pgrx::pg_arg_is_null(fcinfo, 0) {
                return pgrx::pg_return_null(fcinfo);
            }
            let events: *mut Events = pgrx::pg_getarg_datum_raw(fcinfo, 0).cast_mut_ptr();
            (*events).finish();
            (*events).packer.to_datum()
        }
    }
}

impl Events {
    /// Keeps an event; one from before `first` only as far as it is the newest.
    ///
    /// # Safety
    /// The values from 1 on must be those of collect_user_events.sql.
    pub(crate) unsafe fn keep(&mut self, values: impl Values + Copy, first: Option<i64>) {
        unsafe {
            let Some(at) = int8(values, 3) else {
                return;
            };
            let mut row = row(values, at);
            if !row.is(HAS_CONTACT | HAS_COMPANY) {
                // Nobody's: it counts for no score.
                return;
            }
            let subject = bytes(values, 15);
            if first.is_some_and(|first| at < first) {
                self.keep_newest(&row, subject);
            } else {
                row.subject = self.packer.text(subject);
                self.packer.rows.push(row);
            }
        }
    }

    fn keep_newest(&mut self, row: &EventRow, subject: Option<&[u8]>) {
        let counts = [
            true,
            row.direction() == Direction::Inbound,
            row.is_meaningful(),
        ];
        for key in [row.contact(), row.company()].into_iter().flatten() {
            let newest = self.before.entry(key).or_default();
            for (slot, _) in newest.iter_mut().zip(counts).filter(|(_, counts)| *counts) {
                if slot
                    .as_ref()
                    .is_none_or(|kept| row.is_newer_than(&kept.row))
                {
                    *slot = Some(Older {
                        row: *row,
                        subject: subject.map(<[u8]>::to_vec),
                    });
                }
            }
        }
    }

    /// Puts what was kept from before among the rest: nothing more is to come.
    pub(crate) fn finish(&mut self) {
        let before = std::mem::take(&mut self.before);
        for Older { mut row, subject } in before.into_values().flatten().flatten() {
            row.subject = self.packer.text(subject.as_deref());
            self.packer.rows.push(row);
        }
    }

    /// All that was kept, once it is [finished](Self::finish).
    pub(crate) fn unpacked(&self) -> Unpacked<'_, EventRow> {
        self.packer.unpacked()
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.packer.size() + self.before.len() * size_of::<[Option<Older>; 3]>()
    }
}

unsafe fn row(values: impl Values + Copy, at: pg_sys::TimestampTz) -> EventRow {
    unsafe {
        let (contact, company) = (uuid(values, 1), uuid(values, 2));
        let source = bytes(values, 7).unwrap_or_default();
        let external = bytes(values, 8).map(|id| external_key(source, id).to_ne_bytes());
        let thread = bytes(values, 9).map(|thread| xxh3_128(thread).to_ne_bytes());
        let event_type_text = bytes(values, 5);
        let position = int4(values, 10);
        let flags = [
            (HAS_CONTACT, contact.is_some()),
            (HAS_COMPANY, company.is_some()),
            (HAS_EXTERNAL, external.is_some()),
            (HAS_THREAD, thread.is_some()),
            (HAS_POSITION, position.is_some()),
            (WAS_REPLIED, is_true(values, 11)),
            (WAS_OPENED, is_true(values, 12)),
            (AUTOMATED, is_true(values, 16)),
            (IS_BARE, event_type_text.is_none()),
        ];
        EventRow {
            at,
            id: uuid(values, 4).unwrap_or_default(),
            contact: contact.unwrap_or_default(),
            company: company.unwrap_or_default(),
            external_key: external.unwrap_or_default(),
            thread_key: thread.unwrap_or_default(),
            response_time_hours: float8(values, 13),
            sentiment: float8(values, 14),
            subject: Text::NONE,
            thread_position: position.unwrap_or_default(),
            event_type: event_type(event_type_text.unwrap_or_default()) as u8,
            direction: direction(bytes(values, 6).unwrap_or_default()) as u8,
            flags: flags
                .iter()
                .fold(0, |flags, (flag, is)| flags | if *is { *flag } else { 0 }),
        }
    }
}
