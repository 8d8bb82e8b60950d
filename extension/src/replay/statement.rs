//! Runs a statement of a replay.

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::Result;
use crate::raw::each_row;

/// Runs a statement and reads its rows. One that `writes` sees what was committed while it waited for
/// a lock; one that does not sees what the caller sees, and runs on a standby.
pub(super) fn run<const N: usize>(
    text: &str,
    arguments: &[DatumWithOid<'_>],
    writes: bool,
    read: impl FnMut([Option<pg_sys::Datum>; N]),
) -> Result<()> {
    if writes {
        Spi::connect_mut(|client| {
            client.update(text, None, arguments)?;
            // SAFETY: the statement has just run; the caller knows its columns.
            unsafe { each_row(read) };
            Ok(())
        })
    } else {
        Spi::connect(|client| {
            client.select(text, None, arguments)?;
            // SAFETY: as above.
            unsafe { each_row(read) };
            Ok(())
        })
    }
}
