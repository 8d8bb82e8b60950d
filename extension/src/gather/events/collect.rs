//! `collect_user_events`: the events of a user, as they come in.

use std::collections::HashMap;

use crm_health_scoring::interaction::Direction;
use pgrx::pg_sys;
use xxhash_rust::xxh3::xxh3_128;

use super::{
    AUTOMATED, EventRow, HAS_COMPANY, HAS_CONTACT, HAS_EXTERNAL, HAS_POSITION, HAS_THREAD, IS_BARE,
    WAS_OPENED, WAS_REPLIED,
};
use crate::collect::{direction, event_type, external_key, state};
use crate::gather::own::{Values, bytes, float8, int4, int8, is_true, uuid};
use crate::gather::packed::{Packer, Text, Unpacked};
use crate::raw::pg_function;

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
    pub(crate) unsafe fn keep(&mut self, values: impl Values, first: Option<i64>) {
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

unsafe fn row(values: impl Values, at: pg_sys::TimestampTz) -> EventRow {
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
