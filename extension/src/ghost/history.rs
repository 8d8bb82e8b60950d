//! Reads the past of a whole deployment, a contact at a time.

use crm_health_scoring::silence::History;
use pgrx::datum::{TimestampWithTimeZone, Uuid};
use pgrx::pg_sys;
use pgrx::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use super::days::decode;
use crate::crm::Crm;
use crate::error::Result;

/// Contacts fetched at once: a few megabytes at most.
const FETCH: i64 = 2_000;

/// Events between two notices.
const NOTICE_EVERY: u64 = 1_000_000;

/// All days up to an instant, of every user and contact, in one snapshot, and how many events they
/// were made of (of one day and direction at most three are counted).
///
/// The rows arrive ordered by user and contact through a cursor and are freed chunk by chunk, so
/// that memory holds the compact history and little else.
pub(super) fn read(crm: &Crm, as_of: TimestampWithTimeZone) -> Result<(History, u64)> {
    let statement = include_str!("../../../sql/refresh/ghost_history.sql").replace(
        "{communication_events}",
        &crm.source("communication_events")?,
    );
    Spi::connect(|client| {
        let mut cursor = client.open_cursor(statement.as_str(), &[as_of.into()]);
        let mut history = History::default();
        let mut events = 0;
        loop {
            pgrx::check_for_interrupts!();
            let rows = cursor.fetch(FETCH)?;
            let done = rows.is_empty();
            for row in rows {
                let (user, contact) = (row.get::<Uuid>(1)?, row.get::<Uuid>(2)?);
                let days: Option<Vec<u8>> = row.get(3)?;
                let days: Vec<_> = decode(days.as_deref()).collect();
                history.add(key(user), key(contact), &days);
                tell(&mut events, days.len() as u64);
            }
            // SAFETY: the rows of this fetch were all read, and nothing borrows from them any more.
            unsafe { pg_sys::SPI_freetuptable(pg_sys::SPI_tuptable) };
            if done {
                return Ok((history, events));
            }
        }
    })
}

fn tell(events: &mut u64, more: u64) {
    let before = *events / NOTICE_EVERY;
    *events += more;
    if *events / NOTICE_EVERY > before {
        pgrx::notice!(
            "reading the history: {} million events",
            *events / NOTICE_EVERY
        );
    }
}

/// An id as the core takes it: the same in every fit, and spread evenly.
fn key(id: Option<Uuid>) -> u64 {
    id.map_or(0, |id| xxh3_64(id.as_bytes()))
}
