//! Work as the owner of the score tables, never as a superuser.
//!
//! A definer function that belongs to a superuser and writes tables of someone else would run
//! their triggers, defaults and index functions with a superuser's rights. Nor may they leave something behind that runs
//! later, in a session with more rights than theirs.

use std::ffi::CStr;

use pgrx::prelude::*;

use crate::error::{Error, Result, or_raise};
use crate::statement;

/// Puts the owner of the score tables in force, and UTC, until it is dropped. When a statement fails,
/// PostgreSQL itself restores the user at the end of the transaction or subtransaction.
pub(crate) struct AsOwner {
    user: pg_sys::Oid,
    context: i32,
    guc_level: i32,
}

impl AsOwner {
    pub(crate) fn enter(owner: pg_sys::Oid) -> Self {
        let mut user = pg_sys::InvalidOid;
        let mut context = 0;
        // SAFETY: saves the user in force, which `drop` restores. The local change forbids
        // SET ROLE inside; a restricted operation would forbid what triggers rightly do.
        unsafe {
            pg_sys::GetUserIdAndSecContext(&mut user, &mut context);
            pg_sys::SetUserIdAndSecContext(
                owner,
                context | pg_sys::SECURITY_LOCAL_USERID_CHANGE as i32,
            );
            let guc_level = pg_sys::NewGUCNestLevel();
            // Times without a zone are in UTC, whoever asks.
            set(c"timezone", c"UTC");
            set(PLAIN_NAMES.0, PLAIN_NAMES.1);
            Self {
                user,
                context,
                guc_level,
            }
        }
    }
}

impl Drop for AsOwner {
    fn drop(&mut self) {
        // While an error unwinds, the abort does all of this.
        if !std::thread::panicking() {
            if is_superusers_session() {
                or_raise(settle());
            }
            // SAFETY: undoes exactly what `enter` did, and what triggers set meanwhile.
            unsafe {
                pg_sys::AtEOXact_GUC(false, self.guc_level);
                pg_sys::SetUserIdAndSecContext(self.user, self.context);
            }
        }
    }
}

/// Whether what waits for the end of the transaction would run as a superuser then.
fn is_superusers_session() -> bool {
    // SAFETY: plain look-ups by role id.
    unsafe {
        pg_sys::superuser_arg(pg_sys::GetOuterUserId())
            || pg_sys::superuser_arg(pg_sys::GetSessionUserId())
    }
}

/// Whether there is a deferrable trigger but for references, which are checked as the owner of the table at any time; and a
/// cursor of this statement that would be read to its end at COMMIT. $1: whether this transaction has written.
const WHAT_MAY_WAIT: &str = "
    SELECT $1 AND EXISTS (
      SELECT FROM pg_catalog.pg_trigger t
      WHERE t.tgdeferrable AND (NOT t.tgisinternal OR t.tgfoid = 'pg_catalog.unique_key_recheck'::regproc)),
    (SELECT min(c.name) FROM pg_catalog.pg_cursors c WHERE c.is_holdable AND c.creation_time >= statement_timestamp())";

/// Has deferred triggers fire now, and refuses cursors that are held.
fn settle() -> Result<()> {
    let (may_wait, cursor) = Spi::connect_mut(|_| {
        // SAFETY: SPI is connected; the statement takes a boolean, and returns a boolean and a text.
        unsafe {
            let has_written = pg_sys::GetTopTransactionIdIfAny() != pg_sys::TransactionId::INVALID;
            let rows = statement::of_our_own(WHAT_MAY_WAIT, &[pg_sys::BOOLOID])
                .write_returning(&[has_written.into_datum()]);
            let [may_wait, cursor] = rows.one::<2>();
            let cursor = cursor.and_then(|cursor| String::from_datum(cursor, false));
            (may_wait.is_some_and(|datum| datum.value() != 0), cursor)
        }
    });
    if let Some(cursor) = cursor {
        return Err(Error::CursorHeld { cursor });
    }
    if may_wait {
        Spi::run("SET CONSTRAINTS ALL IMMEDIATE")?;
    }
    Ok(())
}

/// Names of types, and definitions, as the catalog tells them are compared: they have quotes where they must, and nowhere else.
const PLAIN_NAMES: (&CStr, &CStr) = (c"quote_all_identifiers", c"off");

/// Options of the server that are in force until it is dropped.
pub(crate) struct Options {
    guc_level: i32,
}

impl Options {
    /// Kept plans are made once, for any values: a large statement takes longer to plan than one user takes to be scored.
    pub(crate) fn generic_plans() -> Self {
        Self::in_force(&[(c"plan_cache_mode", c"force_generic_plan")])
    }

    /// Kept plans are made anew, for the values at hand.
    pub(crate) fn custom_plans() -> Self {
        Self::in_force(&[(c"plan_cache_mode", c"force_custom_plan")])
    }

    /// The same, by an index where there is one.
    pub(crate) fn custom_plans_by_index() -> Self {
        Self::in_force(&[
            (c"plan_cache_mode", c"force_custom_plan"),
            (c"enable_seqscan", c"off"),
        ])
    }

    /// Names come without quotes that they do not need.
    pub(crate) fn plain_names() -> Self {
        Self::in_force(&[PLAIN_NAMES])
    }

    fn in_force(options: &[(&CStr, &CStr)]) -> Self {
        // SAFETY: sets options that every user may set, in a level of their own.
        unsafe {
            let guc_level = pg_sys::NewGUCNestLevel();
            for (name, value) in options {
                set(name, value);
            }
            Self { guc_level }
        }
    }
}

/// Sets an option in the level that was opened last.
///
/// # Safety
/// A level must be open, and the option be one that every user may set.
unsafe fn set(name: &CStr, value: &CStr) {
    unsafe {
        pg_sys::set_config_option(
            name.as_ptr(),
            value.as_ptr(),
            pg_sys::GucContext::PGC_USERSET,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_SAVE,
            true,
            0,
            false,
        );
    }
}

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: undoes exactly what `enter` did. While an error unwinds, the abort does it.
        if !std::thread::panicking() {
            unsafe { pg_sys::AtEOXact_GUC(true, self.guc_level) };
        }
    }
}
