//! The cron expression of the schedule, in UTC.

use chrono::{DateTime, Utc};
use croner::Cron;
use croner::errors::CronError;
use croner::parser::CronParser;

/// When runs are due.
pub struct Schedule(Cron);

impl Schedule {
    /// Reads `minute hour day month weekday`.
    ///
    /// # Errors
    /// What is wrong with the expression.
    pub fn parse(expression: &str) -> Result<Self, CronError> {
        CronParser::new().parse(expression).map(Self)
    }

    /// The last time at or before `now`; `None` if there never was one.
    #[must_use]
    pub fn last(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.0.find_previous_occurrence(&now, true).ok()
    }

    /// The first time after `now`.
    #[must_use]
    pub fn next(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.0.find_next_occurrence(&now, false).ok()
    }
}
