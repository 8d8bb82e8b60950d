//! What the language model costs, counted in the database so that all daemons share one limit.

use std::time::Duration;

use chrono::NaiveDate;
use sqlx::Row;

use super::{Store, sql};
use crate::anthropic::Usage;
use crate::failure::Failure;

/// The answer to a wish for a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reserved {
    /// It may be sent after a wait.
    Granted {
        /// The day that it is counted on.
        day: NaiveDate,
        /// Until its place among the requests.
        wait: Duration,
    },
    /// The day's limit does not cover it.
    OverCap,
    /// Its place would be too late.
    TooBusy,
}

impl Store {
    /// Reserves `cost` USD of the day's `cap`, and a place `spacing` seconds after the request before it, at most
    /// `longest` seconds from now.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn reserve_cost(
        &self,
        cost: f64,
        cap: f64,
        spacing: f64,
        longest: f64,
    ) -> Result<Reserved, Failure> {
        self.patiently(|| async {
            let row = sqlx::query(sql!(self, "open_usage_day.sql"))
                .bind(cost)
                .bind(cap)
                .fetch_one(&self.pool)
                .await?;
            let day: NaiveDate = row.try_get("day")?;
            if row.try_get("over_cap")? {
                return Ok(Reserved::OverCap);
            }
            let wait: Option<f64> = sqlx::query_scalar(sql!(self, "reserve_cost.sql"))
                .bind(cost)
                .bind(cap)
                .bind(spacing)
                .bind(longest)
                .bind(day)
                .fetch_optional(&self.pool)
                .await?;
            Ok(wait.map_or(Reserved::TooBusy, |wait| Reserved::Granted {
                day,
                wait: Duration::from_secs_f64(wait),
            }))
        })
        .await
    }

    /// Replaces what was reserved by what it cost.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn settle_cost(
        &self,
        day: NaiveDate,
        reserved: f64,
        cost: f64,
        usage: Usage,
    ) -> Result<(), Failure> {
        let count = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
        self.patiently(|| async {
            sqlx::query(sql!(self, "settle_cost.sql"))
                .bind(day)
                .bind(reserved)
                .bind(cost)
                .bind(count(usage.input_tokens))
                .bind(count(usage.output_tokens))
                .execute(&self.pool)
                .await
        })
        .await
        .map(|_| ())
    }
}
