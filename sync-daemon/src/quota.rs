//! Quota: one bucket for each mailbox, kept with its row, and one for the Google project, shared through PostgreSQL.
//!
//! A bucket that starts full and refills at `(1 − burst share)` of the quota gives out no more than the quota in any
//! minute: the burst plus what flows in.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use prometheus_client::metrics::counter::Counter;

use crate::config::{Config, Quota};
use crate::failure::Failure;
use crate::store::Store;

/// The bucket of one mailbox. Only the holder of the lease uses it.
pub struct UserBucket {
    size: f64,
    per_second: f64,
    level: Mutex<(f64, Instant)>,
}

impl UserBucket {
    /// A bucket that held `units` so many seconds ago; `None`: a full one.
    #[must_use]
    pub fn new(quota: &Quota, units: Option<f64>, age_seconds: f64) -> Self {
        let per_minute = f64::from(quota.user_units_per_minute);
        let size = per_minute * quota.user_burst_share;
        let per_second = per_minute * (1.0 - quota.user_burst_share) / 60.0;
        let grown = units.map_or(size, |u| u + age_seconds.max(0.0) * per_second);
        Self {
            size,
            per_second,
            level: Mutex::new((grown.min(size), Instant::now())),
        }
    }

    /// Takes `cost` units, or says how long until they are there. More than the bucket holds is given when it is full.
    ///
    /// # Errors
    /// The time to wait.
    pub fn take(&self, cost: f64) -> Result<(), Duration> {
        let mut level = self
            .level
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = Instant::now();
        let units = (level.0 + (now - level.1).as_secs_f64() * self.per_second).min(self.size);
        let needed = cost.min(self.size);
        if units < needed {
            *level = (units, now);
            return Err(Duration::from_secs_f64(
                (needed - units) / self.per_second + 0.001,
            ));
        }
        *level = (units - cost, now);
        Ok(())
    }

    /// Units left now.
    #[must_use]
    pub fn level(&self) -> f64 {
        let level = self
            .level
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        (level.0 + level.1.elapsed().as_secs_f64() * self.per_second).min(self.size)
    }
}

/// This daemon's share of the project's bucket: taken in portions, so that not each call asks the database.
pub struct ProjectQuota {
    store: Store,
    size: f64,
    per_second: f64,
    backfill_reserve: f64,
    /// A pause of the project that ends so soon is waited for.
    longest_wait: Duration,
    reserve: tokio::sync::Mutex<f64>,
    /// Of this process, so that it goes on over a reload.
    spent: Counter,
}

impl ProjectQuota {
    /// The project's bucket as configured; `spent` counts the units.
    #[must_use]
    pub fn new(store: Store, config: &Config, spent: Counter) -> Self {
        let quota = &config.quota;
        let per_minute = f64::from(quota.project_units_per_minute);
        let size = per_minute * quota.project_burst_share;
        Self {
            store,
            size,
            per_second: per_minute * (1.0 - quota.project_burst_share) / 60.0,
            backfill_reserve: size * quota.backfill_reserve_share,
            longest_wait: Duration::from_secs(config.google.max_rate_wait_seconds),
            reserve: tokio::sync::Mutex::new(0.0),
            spent,
        }
    }

    /// Takes `cost` units, or says how long to wait. Backfills leave a part of the bucket alone.
    ///
    /// # Errors
    /// The project is paused for the day, or the database fails.
    pub async fn take(&self, cost: f64, backfill: bool) -> Result<Option<Duration>, Failure> {
        let mut reserve = self.reserve.lock().await;
        if *reserve < cost {
            let leave = if backfill { self.backfill_reserve } else { 0.0 };
            let portion = (self.per_second / 4.0)
                .min(self.size / 8.0)
                .max(cost)
                .ceil();
            if let Some(wait) = self.ask(portion, cost, leave, &mut reserve).await? {
                return Ok(Some(wait));
            }
        }
        *reserve -= cost;
        self.spent.inc_by(cost as u64);
        Ok(None)
    }

    async fn ask(
        &self,
        portion: f64,
        cost: f64,
        leave: f64,
        reserve: &mut f64,
    ) -> Result<Option<Duration>, Failure> {
        let mut wait = Duration::ZERO;
        for want in [portion, cost] {
            let answer = self
                .store
                .take_units(want, self.size, self.per_second, leave)
                .await?;
            if answer.granted {
                *reserve += want;
                return Ok(None);
            }
            if answer.paused_seconds > 0.0 {
                let left = Duration::from_secs_f64(answer.paused_seconds);
                // The daily run may begin a moment before the quota's day does.
                return if left <= self.longest_wait {
                    Ok(Some(left))
                } else {
                    Err(Failure::ProjectPaused { left })
                };
            }
            wait = Duration::from_secs_f64(answer.wait_seconds.clamp(0.01, 30.0));
        }
        Ok(Some(wait))
    }

    /// Gives back what was taken from the shared bucket and not used.
    pub async fn return_unused(&self) {
        let mut reserve = self.reserve.lock().await;
        if *reserve >= 1.0 {
            let unused = -reserve.floor();
            *reserve = 0.0;
            if let Err(error) = self
                .store
                .take_units(unused, self.size, self.per_second, 0.0)
                .await
            {
                tracing::debug!(%error, "unused quota units could not be given back");
            }
        }
    }
}

/// How long the project's daily quota stays used up. Google's day ends at midnight Pacific time: 8:00 UTC, in summer
/// an hour before. A limit met right after that is most likely yesterday's: it is tried again soon, not a day later.
#[must_use]
pub fn until_reset(now: DateTime<Utc>) -> Duration {
    const DAY: i64 = 86_400;
    const RESET: i64 = 8 * 3_600;
    const MARGIN: i64 = 600;
    let since = (now.timestamp() - RESET).rem_euclid(DAY);
    let left = if since < MARGIN {
        MARGIN - since
    } else {
        DAY - since
    };
    Duration::from_secs(u64::try_from(left).unwrap_or_default().max(60))
}
