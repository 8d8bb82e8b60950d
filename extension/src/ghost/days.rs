//! The aggregate that carries the days of a relationship's events to the silence model.
//!
//! Its result is a `bytea` of 32-bit numbers, one an event: day · 2, plus 1 where the event was
//! inbound; ascending, and at most three of a kind, which is all that the rule for rows of a fit
//! asks for. It lives within one statement and is never stored.

use crm_health_scoring::interaction::Instant;
use crm_health_scoring::silence::stream::Day;
use pgrx::prelude::*;
use pgrx::{pg_getarg, pg_sys};

use crate::collect::{EPOCH_SHIFT, state, to_instant};
use crate::error::Error;
use crate::raw::pg_function;

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// More events of one direction on one day than this say nothing more.
const OF_A_KIND: usize = 3;

pg_function! {
    /// Transition of `collect_days`: keeps the day of one event.
    fn collect_days_row(fcinfo) {
        // SAFETY: the argument numbers and types are those of the aggregate's declaration.
        unsafe {
            let state = state::<Vec<i32>>(fcinfo);
            if !pgrx::pg_arg_is_null(fcinfo, 1) && !pg_getarg(fcinfo, 3).unwrap_or(false) {
                let at = pgrx::pg_getarg_datum_raw(fcinfo, 1).value() as i64;
                let inbound = pg_getarg::<&str>(fcinfo, 2) == Some("inbound");
                keep(&mut *state, at, inbound);
            }
            pg_sys::Datum::from(state)
        }
    }
}

pg_function! {
    /// Result of `collect_days`.
    fn collect_days_result(fcinfo) {
        // SAFETY: the state is what the transition made, or NULL where there was no row.
        unsafe {
            if pgrx::pg_arg_is_null(fcinfo, 0) {
                return pgrx::pg_return_null(fcinfo);
            }
            let days: &Vec<i32> = &*pgrx::pg_getarg_datum_raw(fcinfo, 0).cast_mut_ptr();
            encode(days.clone()).into_datum().unwrap_or(pg_sys::Datum::null())
        }
    }
}

/// Infinite times are no days; a run of one kind is cut short at once, so that a day of a hundred
/// thousand events costs no memory.
fn keep(days: &mut Vec<i32>, at: pg_sys::TimestampTz, inbound: bool) {
    if at == i64::MIN || at == i64::MAX {
        return;
    }
    let entry = day_of(at) * 2 + i32::from(inbound);
    let run = days.iter().rev().take_while(|kept| **kept == entry);
    if run.take(OF_A_KIND).count() < OF_A_KIND {
        days.push(entry);
    }
}

fn encode(mut days: Vec<i32>) -> Vec<u8> {
    days.sort_unstable();
    days.chunk_by(|left, right| left == right)
        .flat_map(|run| run.iter().take(OF_A_KIND))
        .flat_map(|entry| entry.to_le_bytes())
        .collect()
}

/// The events of a result of `collect_days`, ascending; none for NULL.
pub(crate) fn decode(bytes: Option<&[u8]>) -> impl Iterator<Item = (Day, bool)> + '_ {
    let (entries, rest) = bytes.unwrap_or_default().as_chunks::<4>();
    if !rest.is_empty() {
        Error::NotCollected.raise();
    }
    entries.iter().map(|entry| {
        let entry = i32::from_le_bytes(*entry);
        (entry >> 1, entry & 1 == 1)
    })
}

/// The first moment of a UTC day, as PostgreSQL's time.
pub(crate) fn start_of(day: Day) -> pg_sys::TimestampTz {
    i64::from(day) * MICROSECONDS_PER_DAY - EPOCH_SHIFT
}

/// The UTC day of a finite time.
pub(crate) fn day_of(at: pg_sys::TimestampTz) -> Day {
    let Instant(microseconds) = to_instant(at);
    // PostgreSQL's times end in the year 294276: the day fits by far.
    microseconds.div_euclid(MICROSECONDS_PER_DAY) as Day
}
