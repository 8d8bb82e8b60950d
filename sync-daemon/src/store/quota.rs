//! The project's shared token bucket.

use std::time::Duration;

use sqlx::Row;

use super::{Store, sql};
use crate::failure::Failure;

/// The bucket's answer.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    /// The units were taken.
    pub granted: bool,
    /// Seconds until the pause of the project ends, 0 without one.
    pub paused_seconds: f64,
    /// Seconds until the bucket holds enough.
    pub wait_seconds: f64,
}

impl Store {
    /// Takes units, all or none; a negative number gives back.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn take_units(
        &self,
        units: f64,
        size: f64,
        per_second: f64,
        leave: f64,
    ) -> Result<Grant, Failure> {
        self.patiently(|| async {
            let row = sqlx::query(sql!(self, "take_units.sql"))
                .bind(units)
                .bind(size)
                .bind(per_second)
                .bind(leave)
                .fetch_one(&self.pool)
                .await?;
            Ok(Grant {
                granted: row.try_get("granted")?,
                paused_seconds: row.try_get("paused")?,
                wait_seconds: row.try_get("wait")?,
            })
        })
        .await
    }

    /// Pauses all daemons of this database.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn pause_project(&self, time: Duration, reason: &str) -> Result<(), Failure> {
        self.patiently(|| async {
            sqlx::query(sql!(self, "pause_project.sql"))
                .bind(time.as_secs_f64())
                .bind(reason)
                .execute(&self.pool)
                .await
        })
        .await
        .map(|_| ())
    }
}
