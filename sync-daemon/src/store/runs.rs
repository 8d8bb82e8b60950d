//! The run log.

use super::{Store, sql};
use crate::failure::Failure;

impl Store {
    /// Logs a finished run.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn finish_run(
        &self,
        daemon: &str,
        triggered_by: &str,
        started: chrono::DateTime<chrono::Utc>,
        report: &serde_json::Value,
    ) -> Result<(), Failure> {
        self.patiently(|| async {
            sqlx::query(sql!(self, "finish_run.sql"))
                .bind(daemon)
                .bind(triggered_by)
                .bind(started)
                .bind(report)
                .execute(&self.pool)
                .await
        })
        .await
        .map(|_| ())
    }
}
