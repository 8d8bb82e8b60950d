//! The aggregates that carry a target's events and meetings to the core.
//!
//! Their result is a `bytea`: a byte of flags, then the rows in a compact encoding that only
//! [`decode`] reads. It lives within one statement and is never stored.

pub(crate) mod held;

use crm_health_scoring::interaction::{Direction, EventType, Instant, Interaction, Meeting};
use pgrx::pg_sys;
use pgrx::prelude::*;
use pgrx::{PgMemoryContexts, pg_getarg};
use serde::Serialize;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::error::Error;
use crate::raw::pg_function;

/// Microseconds between 1970-01-01 and PostgreSQL's 2000-01-01.
pub(crate) const EPOCH_SHIFT: i64 = 946_684_800_000_000;

/// There is an interaction at all.
pub(crate) const HAS_ANY: u8 = 1;
/// There is an inbound one.
pub(crate) const HAS_INBOUND: u8 = 2;
/// There is a meeting held, a call or an answered e-mail.
pub(crate) const HAS_MEANINGFUL: u8 = 4;
/// All of that.
pub(crate) const ALL: u8 = HAS_ANY | HAS_INBOUND | HAS_MEANINGFUL;

pg_function! {
    /// Transition of `collect_interactions`: keeps one event.
    fn collect_interactions_row(fcinfo) {
        // SAFETY: the argument numbers and types are those of the aggregate's declaration.
        unsafe {
            let state = state::<Vec<Interaction>>(fcinfo);
            if let Some(at) = instant(fcinfo, 1) {
                (*state).push(interaction(fcinfo, at));
            }
            pg_sys::Datum::from(state)
        }
    }
}

pg_function! {
    /// Transition of `collect_meetings`: keeps one meeting.
    fn collect_meetings_row(fcinfo) {
        // SAFETY: as above.
        unsafe {
            let state = state::<Vec<Meeting>>(fcinfo);
            if let Some(start) = instant(fcinfo, 1) {
                (*state).push(Meeting {
                    start,
                    id: id(fcinfo, 2),
                    sentiment: pg_getarg(fcinfo, 3),
                    title: pg_getarg::<&str>(fcinfo, 4).map(str::to_owned),
                });
            }
            pg_sys::Datum::from(state)
        }
    }
}

pg_function! {
    /// Result of `collect_interactions`.
    fn collect_interactions_result(fcinfo) {
        // SAFETY: the state is what the transition made, or NULL where there was no row.
        unsafe { result::<Interaction>(fcinfo, |rows| held::held(&rows.iter(), flags_of)) }
    }
}

pg_function! {
    /// Result of `collect_meetings`.
    fn collect_meetings_result(fcinfo) {
        // SAFETY: as above.
        unsafe { result::<Meeting>(fcinfo, |_| HAS_ANY) }
    }
}

/// What the collected interactions lack: 1 any, 2 an inbound one, 4 a meaningful one.
#[pg_extern(sql = false, immutable, parallel_safe)]
fn interactions_lack(interactions: Option<&[u8]>) -> i32 {
    let has = interactions
        .and_then(|bytes| bytes.first().copied())
        .unwrap_or(0);
    i32::from(!has & ALL)
}

/// The rows that an aggregate collected; none for NULL.
pub(crate) fn decode<T: DeserializeOwned>(bytes: Option<&[u8]>) -> Vec<T> {
    let Some(bytes) = bytes else {
        return Vec::new();
    };
    match bytes.get(1..).map(postcard::from_bytes) {
        Some(Ok(rows)) => rows,
        _ => Error::NotCollected.raise(),
    }
}

/// PostgreSQL's time as the core's.
pub(crate) fn to_instant(at: pg_sys::TimestampTz) -> Instant {
    Instant(at.saturating_add(EPOCH_SHIFT))
}

/// The state of an aggregate's call, made where there is none yet.
///
/// # Safety
/// `fcinfo` must be a call whose first argument is the internal state that this function made.
pub(crate) unsafe fn state<T: Default>(fcinfo: pg_sys::FunctionCallInfo) -> *mut T {
    unsafe {
        if !pgrx::pg_arg_is_null(fcinfo, 0) {
            return pgrx::pg_getarg_datum_raw(fcinfo, 0).cast_mut_ptr();
        }
        let mut context = std::ptr::null_mut();
        if pg_sys::AggCheckCallContext(fcinfo, &mut context) == 0 {
            pgrx::error!("this function belongs to an aggregate and cannot be called alone");
        }
        PgMemoryContexts::For(context).leak_and_drop_on_delete(T::default())
    }
}

unsafe fn result<T: Serialize>(
    fcinfo: pg_sys::FunctionCallInfo,
    flags: fn(&[T]) -> u8,
) -> pg_sys::Datum {
    unsafe {
        if pgrx::pg_arg_is_null(fcinfo, 0) {
            return pgrx::pg_return_null(fcinfo);
        }
        let rows: &Vec<T> = &*pgrx::pg_getarg_datum_raw(fcinfo, 0).cast_mut_ptr();
        let bytes = postcard::to_extend(rows, vec![flags(rows)]).expect("rows always encode");
        bytes.into_datum().unwrap_or(pg_sys::Datum::null())
    }
}

unsafe fn interaction(fcinfo: pg_sys::FunctionCallInfo, at: Instant) -> Interaction {
    unsafe {
        let source: Option<&str> = pg_getarg(fcinfo, 5);
        let external: Option<&str> = pg_getarg(fcinfo, 6);
        Interaction {
            at,
            id: id(fcinfo, 2),
            event_type: event_type(pg_getarg::<&str>(fcinfo, 3).unwrap_or_default().as_bytes()),
            direction: direction(pg_getarg::<&str>(fcinfo, 4).unwrap_or_default().as_bytes()),
            external_key: external
                .map(|external| external_key(source.unwrap_or("").as_bytes(), external.as_bytes())),
            thread_key: pg_getarg::<&str>(fcinfo, 7).map(|thread| xxh3_128(thread.as_bytes())),
            thread_position: pg_getarg(fcinfo, 8),
            was_replied: pg_getarg(fcinfo, 9).unwrap_or(false),
            was_opened: pg_getarg(fcinfo, 10).unwrap_or(false),
            response_time_hours: pg_getarg(fcinfo, 11),
            sentiment: pg_getarg(fcinfo, 12),
            subject: pg_getarg::<&str>(fcinfo, 13).map(str::to_owned),
        }
    }
}

unsafe fn instant(fcinfo: pg_sys::FunctionCallInfo, argument: usize) -> Option<Instant> {
    unsafe {
        if pgrx::pg_arg_is_null(fcinfo, argument) {
            return None;
        }
        Some(to_instant(
            pgrx::pg_getarg_datum_raw(fcinfo, argument).value() as i64,
        ))
    }
}

unsafe fn id(fcinfo: pg_sys::FunctionCallInfo, argument: usize) -> u128 {
    unsafe { pg_getarg::<pgrx::Uuid>(fcinfo, argument) }
        .map_or(0, |id| u128::from_be_bytes(*id.as_bytes()))
}

/// Equal for the same mail of the same source.
pub(crate) fn external_key(source: &[u8], id: &[u8]) -> u128 {
    let mut hash = Xxh3::new();
    hash.update(source);
    hash.update(&[0]);
    hash.update(id);
    hash.digest128()
}

/// The kind of an event by its stored word.
pub(crate) fn event_type(text: &[u8]) -> EventType {
    match text {
        b"email_sent" => EventType::EmailSent,
        b"email_received" => EventType::EmailReceived,
        b"email_opened" => EventType::EmailOpened,
        b"email_clicked" => EventType::EmailClicked,
        b"meeting_scheduled" => EventType::MeetingScheduled,
        b"meeting_held" => EventType::MeetingHeld,
        b"meeting_cancelled" => EventType::MeetingCancelled,
        b"meeting_rescheduled" => EventType::MeetingRescheduled,
        b"call_made" => EventType::CallMade,
        b"call_received" => EventType::CallReceived,
        _ => EventType::Other,
    }
}

/// The direction of an event by its stored word.
pub(crate) fn direction(text: &[u8]) -> Direction {
    match text {
        b"inbound" => Direction::Inbound,
        b"outbound" => Direction::Outbound,
        _ => Direction::System,
    }
}

fn flags_of(row: &Interaction) -> u8 {
    let inbound = if row.direction == Direction::Inbound {
        HAS_INBOUND
    } else {
        0
    };
    let meaningful = if is_meaningful(row.event_type, row.was_replied) {
        HAS_MEANINGFUL
    } else {
        0
    };
    HAS_ANY | inbound | meaningful
}

/// Whether both sides took part: a meeting held, a call or an answered e-mail.
pub(crate) fn is_meaningful(event_type: EventType, was_replied: bool) -> bool {
    match event_type {
        EventType::MeetingHeld | EventType::CallMade | EventType::CallReceived => true,
        EventType::EmailSent | EventType::EmailReceived => was_replied,
        _ => false,
    }
}
