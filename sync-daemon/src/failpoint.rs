//! Points at which a test lets the process die, as kill -9 would. Only debug builds have them.
//!
//! `CRM_HEALTH_FAILPOINT=batch_stored:3` aborts the process when that point is passed the third time.

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static PLAN: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);

    fn plan() -> Option<(String, u64)> {
        let text = std::env::var("CRM_HEALTH_FAILPOINT").ok()?;
        let (name, count) = text.split_once(':')?;
        Some((name.to_owned(), count.parse().ok()?))
    }

    pub(super) fn pass(name: &str) {
        let Some((wanted, count)) = PLAN.get_or_init(plan) else {
            return;
        };
        if wanted == name && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *count {
            std::process::abort();
        }
    }
}

/// Passes the point `name`.
pub(crate) fn pass(name: &str) {
    #[cfg(debug_assertions)]
    armed::pass(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}
