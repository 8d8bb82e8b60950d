//! What is kept of each relationship's streams of days, and the days that it lacks.

use crm_health_scoring::silence::stream::Day;
use pgrx::pg_sys;

use super::newest::Newest;
use super::own::{bytes, int4, int8, uuid};
use super::packed::{Packer, Plain, Text, Unpacked};
use super::targets::{Owner, TargetRow, result};
use super::user::ByOwner;
use crate::collect::state;
use crate::ghost::days::{day_of, start_of};
use crate::ghost::streams::newest;
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
    /// What that state tells of the time before the window, where it reaches up to it.
    pub(crate) newest: Option<Newest>,
}

/// A state to keep for later.
pub(crate) struct Sealed {
    /// How often the target's events had been changed when they were read.
    pub(crate) changes: i64,
    pub(crate) members: i64,
    /// The last day that the state holds.
    pub(crate) day: Day,
    pub(crate) state: Vec<u8>,
}

/// What states are kept of a database, and for which instant they are to serve.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keeping {
    /// Whether they are kept at all.
    pub(crate) streams: bool,
    /// Whether the newest events are kept with them.
    pub(crate) newest: bool,
    pub(crate) as_of: pg_sys::TimestampTz,
    /// The first moment of the window.
    pub(crate) window: pg_sys::TimestampTz,
    /// With which constants a state must have been made.
    pub(crate) fingerprint: i64,
}

impl Keeping {
    /// How each of the targets stands with what was read of its state.
    pub(crate) fn standings<'a>(
        &self,
        targets: &[TargetRow],
        read: Option<&'a [u8]>,
    ) -> Vec<Standing<'a>> {
        let texts = Unpacked::new(read);
        // By id, whatever it is the id of.
        let rows: ByOwner<StreamRow> = texts
            .iter()
            .map(|row: StreamRow| (Owner::contact(row.target), row))
            .collect();
        // SAFETY: reads the clock of the transaction.
        let now = unsafe { pg_sys::GetCurrentTransactionStartTimestamp() };
        let may_seal = self.streams && self.as_of <= now.saturating_add(DAY_MICROSECONDS);
        targets
            .iter()
            .map(|target| {
                let row = rows.get(&Owner::contact(target.owner().id));
                self.standing(target, row, &texts, may_seal)
            })
            .collect()
    }

    fn standing<'a>(
        &self,
        target: &TargetRow,
        row: Option<&StreamRow>,
        texts: &Unpacked<'a, StreamRow>,
        may_seal: bool,
    ) -> Standing<'a> {
        let today = day_of(self.as_of);
        let valid = row.filter(|row| {
            row.has_state != 0
                && row.fingerprint == self.fingerprint
                && row.members == target.members
        });
        // Spread by the id, so that not all are made anew on one day.
        let spread = Day::from(target.owner().id[15] & 31);
        let is_old = valid.is_none_or(|row| row.sealed_day < today - OLDEST_DAYS - spread);
        let serves = valid.filter(|row| row.sealed_day < today);
        let state = serves.and_then(|row| Some((texts.bytes(row.state)?, row.sealed_day)));
        let newest = state
            .filter(|(_, day)| self.newest && start_of(day + 1) >= self.window)
            .and_then(|(state, _)| newest(state));
        // One that was made without them, too.
        let lacks_newest = self.newest && !is_old && state.is_some() && newest.is_none();
        Standing {
            changes: row.map_or(0, |row| row.changes),
            state,
            seal_day: ((is_old || lacks_newest) && may_seal).then_some(today - SEALED_DAYS),
            newest,
        }
    }
}
