//! What the extension does for the daemon: reply flags and scores.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::pool::PoolConnection;
use sqlx::{Postgres, Row};
use uuid::Uuid;

use super::Store;
use crate::failure::Failure;

/// Rows that a refresh computed anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RefreshCounts {
    /// Deals.
    pub deals: i64,
    /// Relationships.
    pub relationships: i64,
}

/// What the job answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobResult {
    /// Users refreshed.
    pub users_processed: usize,
    /// Deals scored anew.
    pub deals_refreshed: i64,
    /// Relationships scored anew.
    pub relationships_refreshed: i64,
    /// What went wrong.
    pub errors: Vec<JobError>,
    /// Who started it.
    pub triggered_by: String,
}

/// What went wrong in the job.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobError {
    /// Whom it concerns; none when it concerns the whole run.
    pub user_id: Option<Uuid>,
    /// PostgreSQL's message.
    pub reason: String,
    /// Its SQLSTATE.
    pub sql_state: String,
}

/// A row of the job's log.
#[derive(Clone, Debug)]
pub struct JobRun {
    /// It has not ended.
    pub is_on: bool,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// How far it is.
    pub users_done: i32,
    /// What it did so far.
    pub result: JobResult,
}

impl JobResult {
    /// Nothing was done, because another session is running the job.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.errors
            .iter()
            .any(|e| e.user_id.is_none() && e.sql_state == "55P03")
    }
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

    /// Whether the extension has its job, which refreshes everyone.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn has_refresh_job(&self) -> Result<bool, Failure> {
        self.patiently(|| async {
            sqlx::query_scalar(
                "SELECT to_regprocedure('crm_health.refresh_active_users(text, integer, timestamptz, jsonb)') IS NOT NULL",
            )
            .fetch_one(&self.pool)
            .await
        })
        .await
    }

    /// A session for the job, and its number, by which it can be cancelled.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn job_session(&self) -> Result<(PoolConnection<Postgres>, i32), Failure> {
        self.patiently(|| async {
            let mut session = self.pool.acquire().await?;
            let number = sqlx::query_scalar("SELECT pg_backend_pid()")
                .fetch_one(&mut *session)
                .await?;
            Ok((session, number))
        })
        .await
    }

    /// Refreshes all active users' stale scores; the extension keeps the log of it.
    ///
    /// # Errors
    /// [`Failure::Database`], [`Failure::Interrupted`] when it was cancelled.
    pub async fn refresh_active_users(
        &self,
        session: &mut PoolConnection<Postgres>,
        triggered_by: &str,
    ) -> Result<JobResult, Failure> {
        // Not repeated by itself: what it did is committed, and the log has a row of it.
        let called = sqlx::query("CALL crm_health.refresh_active_users($1, NULL, NULL, NULL)")
            .bind(triggered_by)
            .fetch_one(&mut **session)
            .await;
        let row = called.map_err(|error| match &error {
            sqlx::Error::Database(e) if e.code().as_deref() == Some("57014") => {
                Failure::Interrupted
            }
            _ => Failure::from(error),
        })?;
        let json: serde_json::Value = row.try_get("p_result")?;
        serde_json::from_value(json).map_err(|e| {
            Failure::Database(format!("refresh_active_users answers unexpectedly: {e}"))
        })
    }

    /// Cancels what a session is doing.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn cancel(&self, session: i32) -> Result<(), Failure> {
        sqlx::query("SELECT pg_cancel_backend($1)")
            .bind(session)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The newest run of the job; `None` when there was none, or this role may not see it.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn last_job(&self) -> Result<Option<JobRun>, Failure> {
        let sql = "SELECT state, finished_at, users_done, deals_refreshed, relationships_refreshed, errors, triggered_by \
                   FROM crm_health.last_run";
        let row = sqlx::query(sql).fetch_optional(&self.pool).await?;
        let Some(row) = row else { return Ok(None) };
        let errors: serde_json::Value = row.try_get("errors")?;
        let errors: Vec<JobError> = serde_json::from_value(errors).unwrap_or_default();
        let users_done: i32 = row.try_get("users_done")?;
        Ok(Some(JobRun {
            is_on: row.try_get::<String, _>("state")? == "running",
            finished_at: row.try_get("finished_at")?,
            users_done,
            result: JobResult {
                users_processed: usize::try_from(users_done)
                    .unwrap_or_default()
                    .saturating_sub(errors.iter().filter(|e| e.user_id.is_some()).count()),
                deals_refreshed: row.try_get("deals_refreshed")?,
                relationships_refreshed: row.try_get("relationships_refreshed")?,
                errors,
                triggered_by: row.try_get("triggered_by")?,
            },
        }))
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
