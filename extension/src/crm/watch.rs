//! Notices which relations of the database change.
//!
//! Any session's DDL is told to every backend, as are ANALYZE and vacuum. What is made of the CRM is made
//! anew only where one of its own relations may be another one now.

use std::ffi::CStr;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use pgrx::pg_sys;

/// How many changes are told apart; of more than that, anything may have changed.
const MOST: usize = 64;

static WATCH: Once = Once::new();
static COUNT: AtomicUsize = AtomicUsize::new(0);
static CHANGED: [AtomicU32; MOST] = [const { AtomicU32::new(0) }; MOST];

/// Begins to watch; from then on nothing is missed.
pub(super) fn begin() {
    // SAFETY: registered once a backend; the callback touches nothing but numbers.
    WATCH.call_once(|| unsafe {
        pg_sys::CacheRegisterRelcacheCallback(Some(changed), pg_sys::Datum::null());
    });
}

unsafe extern "C-unwind" fn changed(_argument: pg_sys::Datum, relation: pg_sys::Oid) {
    let count = COUNT.load(Ordering::Relaxed);
    let count = if relation != pg_sys::InvalidOid && count < MOST {
        CHANGED[count].store(relation.to_u32(), Ordering::Relaxed);
        count + 1
    } else {
        // Any relation, or more of them than are told apart.
        MOST + 1
    };
    COUNT.store(count, Ordering::Relaxed);
}

/// Whether a change since the last call may be one of the relations that `is_ours` knows by id, or has one of the
/// names that `is_named` knows by now.
pub(super) fn concerns(
    is_ours: impl Fn(pg_sys::Oid) -> bool,
    is_named: impl Fn(&str) -> bool,
) -> bool {
    let count = COUNT.swap(0, Ordering::Relaxed);
    if count > MOST {
        return true;
    }
    // Taken before a look-up, which may be told of more.
    let ids: Vec<pg_sys::Oid> = CHANGED[..count]
        .iter()
        .map(|id| pg_sys::Oid::from(id.load(Ordering::Relaxed)))
        .collect();
    ids.into_iter().any(|id| {
        is_ours(id)
            // SAFETY: a look-up by id; the name is read at once.
            || unsafe {
                let name = pg_sys::get_rel_name(id);
                !name.is_null() && is_named(&CStr::from_ptr(name).to_string_lossy())
            }
    })
}
