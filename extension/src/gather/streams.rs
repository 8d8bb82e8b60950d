//! What is kept of each relationship's streams of days, and the days that it lacks.

use crm_health_scoring::silence::stream::Day;
use pgrx::pg_sys;

use super::own::{bytes, int4, int8, uuid};
use super::packed::{Packer, Plain, Text, Unpacked};
use super::targets::{Owner, TargetRow, result};
use super::user::ByOwner;
use crate::collect::state;
use crate::raw::pg_function;

/// Days before today up to which a state is made: little arrives later.
const SEALED_DAYS: Day = 30;
/// States older than this, and up to a month more, are made anew.
const OLDEST_DAYS: Day = 58;
/// Later than the clock by more than this, nothing is sealed.
const DAY_MICROSECONDS: i64 = 86_400_000_000;

/// One row of `contact_streams`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct StreamRow {
    target: [u8; 16],
    pub(crate) changes: i64,
    members: i64,
    fingerprint: i64,
    state: Text,
    sealed_day: i32,
    has_state: u32,
}

// SAFETY: bytes and numbers without a gap, as the assertion says.
unsafe impl Plain for StreamRow {}
const _: () = assert!(size_of::<StreamRow>() == 16 + 3 * 8 + 8 + 8);

pg_function! {
    /// Transition of `collect_streams`: keeps one state.
    fn collect_streams_row(fcinfo) {
        // SAFETY: the argument numbers and types are those of the aggregate's declaration.
        unsafe {
            let state = state::<Packer<StreamRow>>(fcinfo);
            if let Some(target) = uuid(fcinfo, 1) {
                let packer = &mut *state;
                let kept = (int8(fcinfo, 3), int8(fcinfo, 4), int4(fcinfo, 5), bytes(fcinfo, 6));
                let (members, fingerprint, sealed_day, state) = kept;
                let whole = members.is_some() && fingerprint.is_some() && sealed_day.is_some() && state.is_some();
                let row = StreamRow {
                    target,
                    changes: int8(fcinfo, 2).unwrap_or_default(),
                    members: members.unwrap_or_default(),
                    fingerprint: fingerprint.unwrap_or_default(),
                    state: packer.text(state),
                    sealed_day: sealed_day.unwrap_or_default(),
                    has_state: u32::from(whole),
                };
                packer.rows.push(row);
            }
            pg_sys::Datum::from(state)
        }
    }
}

pg_function! {
    /// Result of `collect_streams`.
    fn collect_streams_result(fcinfo) {
        // SAFETY: the state is what the transition made, or NULL where there was no row.
        unsafe { result::<StreamRow>(fcinfo) }
    }
}

/// The days of one contact, or of one company's own events, before the window.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct PastRow {
    pub(crate) of: Owner,
    pub(crate) days: Text,
}

// SAFETY: as above.
unsafe impl Plain for PastRow {}
const _: () = assert!(size_of::<PastRow>() == 24 + 8);

pg_function! {
    /// Transition of `collect_past`: keeps the days of one contact or company.
    fn collect_past_row(fcinfo) {
        // SAFETY: as above.
        unsafe {
            let state = state::<Packer<PastRow>>(fcinfo);
            if let Some(of) = Owner::arguments(fcinfo, 1) {
                let packer = &mut *state;
                let row = PastRow { of, days: packer.text(bytes(fcinfo, 3)) };
                packer.rows.push(row);
            }
            pg_sys::Datum::from(state)
        }
    }
}

pg_function! {
    /// Result of `collect_past`.
    fn collect_past_result(fcinfo) {
        // SAFETY: as above.
        unsafe { result::<PastRow>(fcinfo) }
    }
}

/// How a target stands with its kept state: as ghost_streams_kept.sql has it.
pub(crate) struct Standing<'a> {
    pub(crate) changes: i64,
    /// A state that serves, and the last day it holds.
    pub(crate) state: Option<(&'a [u8], Day)>,
    /// The day up to which a new state is to be made.
    pub(crate) seal_day: Option<Day>,
}

/// The kept states of a user by target.
pub(crate) struct Kept<'a> {
    rows: ByOwner<StreamRow>,
    texts: Unpacked<'a, StreamRow>,
    fingerprint: i64,
    today: Day,
    may_seal: bool,
}

impl<'a> Kept<'a> {
    /// `keeps` is whether states are kept in this database at all.
    pub(crate) fn new(
        bytes: Option<&'a [u8]>,
        fingerprint: i64,
        as_of: pg_sys::TimestampTz,
        today: Day,
        keeps: bool,
    ) -> Self {
        let texts = Unpacked::new(bytes);
        // SAFETY: reads the clock of the transaction.
        let now = unsafe { pg_sys::GetCurrentTransactionStartTimestamp() };
        Self {
            rows: texts
                .iter()
                .map(|row: StreamRow| (Owner::contact(row.target), row))
                .collect(),
            texts,
            fingerprint,
            today,
            may_seal: keeps && as_of <= now.saturating_add(DAY_MICROSECONDS),
        }
    }

    pub(crate) fn of(&self, target: &TargetRow) -> Standing<'a> {
        let id = target.owner().id;
        // Kept by id, whatever it is the id of.
        let row = self.rows.get(&Owner::contact(id));
        let valid = row.filter(|row| {
            row.has_state != 0
                && row.fingerprint == self.fingerprint
                && row.members == target.members
        });
        // Spread by the id, so that not all are made anew on one day.
        let spread = Day::from(id[15] & 31);
        let is_old = valid.is_none_or(|row| row.sealed_day < self.today - OLDEST_DAYS - spread);
        let serves = valid.filter(|row| row.sealed_day < self.today);
        Standing {
            changes: row.map_or(0, |row| row.changes),
            state: serves.and_then(|row| Some((self.texts.bytes(row.state)?, row.sealed_day))),
            seal_day: (is_old && self.may_seal).then_some(self.today - SEALED_DAYS),
        }
    }
}
