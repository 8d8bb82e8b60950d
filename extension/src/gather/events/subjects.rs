//! The subjects of events, which are few and may come by themselves: `collect_subjects`.

use std::borrow::Cow;
use std::cell::OnceCell;

use pgrx::pg_sys;

use super::{Event, EventRow};
use crate::collect::state;
use crate::gather::own::{bytes, uuid};
use crate::gather::packed::{Packer, Plain, Text, Unpacked};
use crate::gather::targets::result;
use crate::gather::user::{ByEvent, EventId};
use crate::raw::pg_function;

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
    pub(super) fn of(&self, event: &Event<'_>) -> Option<&str> {
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
