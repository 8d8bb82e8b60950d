//! Quota: units by calendar minute and day, and calls at a time for each mailbox.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::clock::rfc3339;
use crate::config::Quota;
use crate::lock::locked;
use crate::reply::ApiError;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// Counts units and calls; shared with the permits it gives out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter {
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    users: HashMap<String, Window>,
    project: Window,
    day: Window,
    running: HashMap<String, u32>,
}

/// Units spent in the period of this number.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    period: i64,
    spent: u64,
}

impl Window {
    fn at(&mut self, period: i64) -> &mut Self {
        if self.period != period {
            *self = Self { period, spent: 0 };
        }
        self
    }

    fn has_room(&self, units: u64, limit: Option<u64>) -> bool {
        limit.is_none_or(|limit| self.spent + units <= limit)
    }
}

/// A call that is under way; its end is the drop.
#[derive(Debug)]
pub(crate) struct Permit {
    meter: Meter,
    mailbox: String,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = locked(&self.meter.counts);
        if let Some(running) = counts.running.get_mut(&self.mailbox) {
            *running -= 1;
        }
    }
}

impl Meter {
    /// Begins a call, unless the mailbox has too many.
    pub(crate) fn enter(&self, mailbox: &str, quota: &Quota) -> Option<Permit> {
        let mut counts = locked(&self.counts);
        let running = counts.running.entry(mailbox.to_owned()).or_default();
        if quota
            .concurrent_per_user
            .is_some_and(|limit| *running >= limit)
        {
            return None;
        }
        *running += 1;
        Some(Permit {
            meter: self.clone(),
            mailbox: mailbox.to_owned(),
        })
    }

    /// Spends units, or says which limit forbids it; what is refused costs nothing.
    pub(crate) fn spend(
        &self,
        mailbox: &str,
        units: u64,
        quota: &Quota,
        now_ms: i64,
    ) -> Result<(), ApiError> {
        let mut counts = locked(&self.counts);
        let minute = now_ms.div_euclid(MINUTE_MS);
        let counts = &mut *counts;
        let user = counts
            .users
            .entry(mailbox.to_owned())
            .or_default()
            .at(minute);
        let project = counts.project.at(minute);
        let day = counts.day.at(now_ms.div_euclid(DAY_MS));
        if !day.has_room(units, quota.per_project_per_day) {
            return Err(ApiError::new(
                403,
                "dailyLimitExceeded",
                "Daily Limit Exceeded",
            ));
        }
        if !project.has_room(units, quota.per_project_per_minute) {
            return Err(project_full());
        }
        if !user.has_room(units, quota.per_user_per_minute) {
            return Err(user_full((minute + 1) * MINUTE_MS));
        }
        for window in [user, project, day] {
            window.spent += units;
        }
        Ok(())
    }
}

/// The refusal of a call that comes while too many others run.
pub(crate) fn crowded() -> ApiError {
    ApiError::new(
        429,
        "rateLimitExceeded",
        "Too many concurrent requests for user.",
    )
}

fn project_full() -> ApiError {
    let message = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of \
                   service 'gmail.googleapis.com' for consumer 'project_number:1'.";
    ApiError::new(403, "rateLimitExceeded", message)
}

fn user_full(again_ms: i64) -> ApiError {
    let message = format!(
        "User-rate limit exceeded.  Retry after {}",
        rfc3339(again_ms)
    );
    ApiError::new(403, "userRateLimitExceeded", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_over_the_minute_waits_for_the_next() {
        let quota = Quota {
            per_user_per_minute: Some(40),
            ..Quota::default()
        };
        let meter = Meter::default();
        let spend = |who, at| meter.spend(who, 20, &quota, at).map_err(|e| e.message);
        assert_eq!(spend("a", 0), Ok(()));
        assert_eq!(spend("a", 59_999), Ok(()));
        let refused = "User-rate limit exceeded.  Retry after 1970-01-01T00:01:00.000Z";
        assert_eq!(spend("a", 59_999), Err(refused.to_owned()));
        assert_eq!(
            spend("b", 59_999),
            Ok(()),
            "another user has its own minute"
        );
        assert_eq!(spend("a", 60_000), Ok(()), "the next minute");
    }

    #[test]
    fn the_project_fills_up_across_users_and_days() {
        let quota = Quota {
            per_project_per_minute: Some(40),
            per_project_per_day: Some(60),
            ..Quota::default()
        };
        let meter = Meter::default();
        let spend = |who, at| meter.spend(who, 20, &quota, at).map_err(|e| e.reason);
        assert_eq!([spend("a", 0), spend("b", 0)], [Ok(()), Ok(())]);
        assert_eq!(spend("c", 0), Err("rateLimitExceeded".to_owned()));
        assert_eq!(spend("c", MINUTE_MS), Ok(()));
        assert_eq!(
            spend("c", 2 * MINUTE_MS),
            Err("dailyLimitExceeded".to_owned())
        );
        assert_eq!(spend("c", DAY_MS), Ok(()));
    }

    #[test]
    fn a_permit_ends_with_its_call() {
        let quota = Quota {
            concurrent_per_user: Some(1),
            ..Quota::default()
        };
        let meter = Meter::default();
        let first = meter.enter("a", &quota);
        assert!(first.is_some() && meter.enter("b", &quota).is_some());
        assert!(meter.enter("a", &quota).is_none());
        drop(first);
        assert!(meter.enter("a", &quota).is_some());
    }
}
