//! What the extension does for the daemon: reply flags and scores.

use sqlx::Row;
use uuid::Uuid;

use super::{Store, sql};
use crate::failure::Failure;

/// Rows that a refresh computed anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RefreshCounts {
    /// Deals.
    pub deals: i64,
    /// Relationships.
    pub relationships: i64,
}

impl Store {
    /// Whether the extension is there to link and to score.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn has_extension(&self) -> Result<bool, Failure> {
        self.patiently(|| async {
            sqlx::query_scalar("SELECT to_regprocedure('crm_health.link_replies(uuid)') IS NOT NULL \
                AND to_regprocedure('public.refresh_deal_health_scores(uuid, integer)') IS NOT NULL \
                AND to_regprocedure('public.refresh_relationship_health_scores(uuid, integer)') IS NOT NULL")
            .fetch_one(&self.pool)
            .await
        })
        .await
    }

    /// Flags which mails were answered, and how fast. Returns the rows changed.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn link_replies(&self, user: Uuid) -> Result<i64, Failure> {
        let query = || async {
            sqlx::query_scalar("SELECT crm_health.link_replies($1)")
                .bind(user)
                .fetch_one(&self.pool)
                .await
        };
        self.in_time(self.patiently(query)).await
    }

    /// Refreshes the scores of one user.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn refresh_scores(
        &self,
        user: Uuid,
        max_age_hours: i32,
    ) -> Result<RefreshCounts, Failure> {
        let query = || async {
            let row = sqlx::query(
                "SELECT (SELECT count(*) FILTER (WHERE updated) \
                         FROM public.refresh_deal_health_scores($1, $2)) AS deals, \
                        (SELECT count(*) FILTER (WHERE updated) \
                         FROM public.refresh_relationship_health_scores($1, $2)) AS relationships",
            )
            .bind(user)
            .bind(max_age_hours)
            .fetch_one(&self.pool)
            .await?;
            Ok(RefreshCounts {
                deals: row.try_get("deals")?,
                relationships: row.try_get("relationships")?,
            })
        };
        self.in_time(self.patiently(query)).await
    }

    /// Users with a recent login.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn active_users(&self) -> Result<Vec<Uuid>, Failure> {
        self.patiently(|| async {
            sqlx::query_scalar(sql!(self, "active_users.sql"))
                .bind(self.window_seconds)
                .fetch_all(&self.pool)
                .await
        })
        .await
    }

    async fn in_time<T>(
        &self,
        operation: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let late = |_| Failure::Database("the refresh took too long".to_owned());
        tokio::time::timeout(self.refresh_timeout, operation)
            .await
            .map_err(late)?
    }
}
