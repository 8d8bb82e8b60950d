//! What a user has: contacts and companies with their scores, meetings, deals.

use std::hash::{Hash, Hasher};

use pgrx::pg_sys;

use super::own::{bytes, float8, int4, int8, is_true, uuid, word};
use super::packed::{Packer, Plain, Text, Unpacked};
use super::user::mixed;
use crate::collect::{state, to_instant};
use crate::raw::pg_function;
use crm_health_scoring::interaction::{Instant, Meeting};

const HAS_CONTACT: u32 = 1;
const HAS_COMPANY: u32 = 2;
const HAS_SCORE: u32 = 4;
const HAS_GHOST_RISK: u32 = 8;
const GHOST_RISK: u32 = 16;
const IS_FRESH: u32 = 32;
const HAS_OVERALL: u32 = 64;
const LOOKS_BACK: u32 = 128;
const HAS_PLACE: u32 = 256;

/// Whose a row is: a contact's, or a company's.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) id: [u8; 16],
    is_company: u64,
}

/// Mixed once, for [`super::user::IdHasher`].
impl Hash for Owner {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(mixed(u128::from_ne_bytes(self.id)) ^ self.is_company);
    }
}

impl Owner {
    pub(crate) const fn contact(id: [u8; 16]) -> Self {
        Self { id, is_company: 0 }
    }

    pub(crate) const fn company(id: [u8; 16]) -> Self {
        Self { id, is_company: 1 }
    }

    pub(crate) fn is_company(&self) -> bool {
        self.is_company != 0
    }

    /// The contact in argument `first`, or the company in the one behind it.
    ///
    /// # Safety
    /// Both must be declared `uuid`.
    pub(super) unsafe fn arguments(fcinfo: pg_sys::FunctionCallInfo, first: usize) -> Option<Self> {
        let contact = unsafe { uuid(fcinfo, first) }.map(Self::contact);
        contact.or_else(|| unsafe { uuid(fcinfo, first + 1) }.map(Self::company))
    }
}

/// A contact with the company it is with, or a company; and the score that it has.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct TargetRow {
    contact: [u8; 16],
    company: [u8; 16],
    score_id: [u8; 16],
    /// Of a company: a number that changes with its contacts.
    pub(crate) members: i64,
    status: Text,
    overall: i32,
    flags: u32,
    /// Where the score lies in its table.
    row: ItemPointer,
    /// The `last_meaningful_interaction` of the score: a jsonb.
    last: Text,
}

// SAFETY: bytes and numbers without a gap, as the assertion says.
unsafe impl Plain for TargetRow {}
const _: () = assert!(size_of::<TargetRow>() == 3 * 16 + 8 + 8 + 4 + 4 + 8 + 8);

/// PostgreSQL's `tid`: a block and a line in it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ItemPointer {
    pub(crate) tid: [u16; 3],
    padding: u16,
}

impl TargetRow {
    fn is(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    pub(crate) fn contact(&self) -> Option<[u8; 16]> {
        self.is(HAS_CONTACT).then_some(self.contact)
    }

    pub(crate) fn company(&self) -> Option<[u8; 16]> {
        self.is(HAS_COMPANY).then_some(self.company)
    }

    /// The contact, or the company where the target is one.
    pub(crate) fn owner(&self) -> Owner {
        self.contact()
            .map_or(Owner::company(self.company), Owner::contact)
    }

    /// The company that a contact is with.
    pub(crate) fn works_for(&self) -> Option<Owner> {
        self.contact()?;
        self.company().map(Owner::company)
    }

    pub(crate) fn score_id(&self) -> Option<[u8; 16]> {
        self.is(HAS_SCORE).then_some(self.score_id)
    }

    /// Where that score lies, as far as it was told.
    pub(crate) fn row(&self) -> Option<ItemPointer> {
        self.is(HAS_PLACE).then_some(self.row)
    }

    /// The `last_meaningful_interaction` of that score.
    pub(crate) fn last_meaningful<'a>(&self, texts: &Unpacked<'a, Self>) -> Option<&'a [u8]> {
        texts.bytes(self.last)
    }

    pub(crate) fn overall(&self) -> Option<i32> {
        self.is(HAS_OVERALL).then_some(self.overall)
    }

    pub(crate) fn status<'a>(&self, texts: &Unpacked<'a, Self>) -> Option<&'a str> {
        texts.text(self.status)
    }

    pub(crate) fn ghost_risk(&self) -> Option<bool> {
        self.is(HAS_GHOST_RISK).then(|| self.is(GHOST_RISK))
    }

    /// Whether its score is as of a later instant.
    pub(crate) fn looks_back(&self) -> bool {
        self.is(LOOKS_BACK)
    }

    pub(crate) fn is_fresh(&self) -> bool {
        self.is(IS_FRESH)
    }
}

pg_function! {
    /// Transition of `collect_targets`: keeps one contact or company.
    fn collect_targets_row(fcinfo) {
        // SAFETY: the argument numbers and types are those of the aggregate's declaration.
        unsafe {
            let state = state::<Packer<TargetRow>>(fcinfo);
            let packer = &mut *state;
            let (contact, company, score_id) = (uuid(fcinfo, 1), uuid(fcinfo, 2), uuid(fcinfo, 4));
            let overall = int4(fcinfo, 5);
            let row = word(fcinfo, 10).map(|pointer| (pointer as *const [u16; 3]).read_unaligned());
            let flags = [
                (HAS_CONTACT, contact.is_some()),
                (HAS_COMPANY, company.is_some()),
                (HAS_SCORE, score_id.is_some()),
                (HAS_OVERALL, overall.is_some()),
                (HAS_GHOST_RISK, word(fcinfo, 7).is_some()),
                (GHOST_RISK, is_true(fcinfo, 7)),
                (IS_FRESH, is_true(fcinfo, 8)),
                (LOOKS_BACK, is_true(fcinfo, 9)),
                (HAS_PLACE, row.is_some()),
            ];
            let row = TargetRow {
                contact: contact.unwrap_or_default(),
                company: company.unwrap_or_default(),
                score_id: score_id.unwrap_or_default(),
                members: int8(fcinfo, 3).unwrap_or_default(),
                status: packer.text(bytes(fcinfo, 6)),
                overall: overall.unwrap_or_default(),
                flags: flags.iter().fold(0, |flags, (flag, is)| flags | if *is { *flag } else { 0 }),
                row: ItemPointer { tid: row.unwrap_or_default(), padding: 0 },
                last: packer.text(bytes(fcinfo, 11)),
            };
            packer.rows.push(row);
            pg_sys::Datum::from(state)
        }
    }
}

pg_function! {
    /// Result of `collect_targets`.
    fn collect_targets_result(fcinfo) {
        // SAFETY: the state is what the transition made, or NULL where there was no row.
        unsafe { result::<TargetRow>(fcinfo) }
    }
}

/// One row of `meetings`, with a contact or company that took part.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct MeetingRow {
    pub(crate) of: Owner,
    id: [u8; 16],
    start: i64,
    sentiment: f64,
    pub(crate) title: Text,
}

// SAFETY: as above.
unsafe impl Plain for MeetingRow {}
const _: () = assert!(size_of::<MeetingRow>() == 24 + 16 + 3 * 8);

impl MeetingRow {
    pub(crate) fn start(&self) -> Instant {
        to_instant(self.start)
    }

    /// The row as the core takes it, without its title.
    pub(crate) fn meeting(&self) -> Meeting {
        Meeting {
            start: self.start(),
            id: u128::from_be_bytes(self.id),
            sentiment: Some(self.sentiment).filter(|sentiment| !sentiment.is_nan()),
            title: None,
        }
    }
}

pg_function! {
    /// Transition of `collect_user_meetings`: keeps one meeting.
    fn collect_user_meetings_row(fcinfo) {
        // SAFETY: as above.
        unsafe {
            let state = state::<Packer<MeetingRow>>(fcinfo);
            if let (Some(of), Some(start)) = (Owner::arguments(fcinfo, 1), int8(fcinfo, 3)) {
                let packer = &mut *state;
                let row = MeetingRow {
                    of,
                    id: uuid(fcinfo, 4).unwrap_or_default(),
                    start,
                    sentiment: float8(fcinfo, 5),
                    title: packer.text(bytes(fcinfo, 6)),
                };
                packer.rows.push(row);
            }
            pg_sys::Datum::from(state)
        }
    }
}

pg_function! {
    /// Result of `collect_user_meetings`.
    fn collect_user_meetings_result(fcinfo) {
        // SAFETY: as above.
        unsafe { result::<MeetingRow>(fcinfo) }
    }
}

/// The deals of a contact or company. Sums are exact numerics, and what the core needs of them.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct DealsRow {
    pub(crate) of: Owner,
    pub(crate) value: f64,
    pub(crate) at_risk: f64,
    pub(crate) exact_value: Text,
    pub(crate) exact_at_risk: Text,
    pub(crate) count: i64,
}

// SAFETY: as above.
unsafe impl Plain for DealsRow {}
const _: () = assert!(size_of::<DealsRow>() == 24 + 5 * 8);

pg_function! {
    /// Transition of `collect_user_deals`: keeps the sums of one contact or company.
    fn collect_user_deals_row(fcinfo) {
        // SAFETY: as above.
        unsafe {
            let state = state::<Packer<DealsRow>>(fcinfo);
            if let Some(of) = Owner::arguments(fcinfo, 1) {
                let packer = &mut *state;
                let row = DealsRow {
                    of,
                    count: int8(fcinfo, 3).unwrap_or_default(),
                    exact_value: packer.text(bytes(fcinfo, 4)),
                    exact_at_risk: packer.text(bytes(fcinfo, 5)),
                    value: float8(fcinfo, 6),
                    at_risk: float8(fcinfo, 7),
                };
                packer.rows.push(row);
            }
            pg_sys::Datum::from(state)
        }
    }
}

pg_function! {
    /// Result of `collect_user_deals`.
    fn collect_user_deals_result(fcinfo) {
        // SAFETY: as above.
        unsafe { result::<DealsRow>(fcinfo) }
    }
}

/// The packed rows of an aggregate whose state is a packer.
///
/// # Safety
/// The first argument must be that state or NULL.
pub(super) unsafe fn result<R: Plain>(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    unsafe {
        if pgrx::pg_arg_is_null(fcinfo, 0) {
            return pgrx::pg_return_null(fcinfo);
        }
        let packer: &Packer<R> = &*pgrx::pg_getarg_datum_raw(fcinfo, 0).cast_mut_ptr();
        packer.to_datum()
    }
}
