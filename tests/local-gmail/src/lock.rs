//! Locks that outlive a panic of their holder: a failed test must not hide behind a poisoned lock.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The lock's guard, poisoned or not.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
