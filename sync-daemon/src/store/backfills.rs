//! History requested and how far it was read.

use sqlx::Row;
use uuid::Uuid;

use super::{Lease, MailboxKey, Store, ids, sql};
use crate::failure::Failure;

/// A backfill of one mailbox (times are epoch seconds).
#[derive(Clone, Copy, Debug)]
pub struct BackfillState {
    /// Read back to here.
    pub since: i64,
    /// In the ledger down to here.
    pub done_down_to: i64,
    /// All of it is in the ledger.
    pub listed: bool,
}

impl Store {
    /// Requests history for users (`None`: all connected ones); returns how many mailboxes.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn request_backfill(
        &self,
        users: Option<&[Uuid]>,
        days: u32,
    ) -> Result<u64, Failure> {
        let done = self
            .patiently(|| async {
                sqlx::query(sql!(self, "request_backfill.sql"))
                    .bind(users)
                    .bind(f64::from(days) * 86_400.0)
                    .execute(&self.pool)
                    .await
            })
            .await?;
        Ok(done.rows_affected())
    }

    /// Users with a mailbox that can be read, whether they are active or not.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn connected_users(&self) -> Result<Vec<Uuid>, Failure> {
        self.patiently(|| async {
            sqlx::query_scalar(sql!(self, "connected_users.sql"))
                .fetch_all(&self.pool)
                .await
        })
        .await
    }

    /// The backfill of a mailbox, if one is wanted.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn backfill_state(&self, key: MailboxKey) -> Result<Option<BackfillState>, Failure> {
        let (user, integration) = ids(key);
        let row = self
            .patiently(|| async {
                sqlx::query(sql!(self, "backfill_state.sql"))
                    .bind(user)
                    .bind(integration)
                    .fetch_optional(&self.pool)
                    .await
            })
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(BackfillState {
            since: row.try_get("since")?,
            done_down_to: row.try_get("done_down_to")?,
            listed: row.try_get("listed")?,
        }))
    }

    /// A slice is in the ledger.
    ///
    /// # Errors
    /// [`Failure::LeaseLost`], [`Failure::Deactivated`], [`Failure::Database`]
    pub async fn backfill_slice_done(&self, lease: &Lease, down_to: i64) -> Result<(), Failure> {
        let (user, integration) = ids(lease.key);
        let done = self
            .patiently(|| async {
                sqlx::query(sql!(self, "backfill_slice_done.sql"))
                    .bind(user)
                    .bind(integration)
                    .bind(lease.token)
                    .bind(down_to as f64)
                    .execute(&self.pool)
                    .await
            })
            .await?;
        if done.rows_affected() == 1 {
            Ok(())
        } else {
            Err(self.unfenced(lease).await?)
        }
    }

    /// Ends a backfill that is listed and drained; false if there is more to do.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn backfill_finished(&self, key: MailboxKey) -> Result<bool, Failure> {
        let (user, integration) = ids(key);
        let done = self
            .patiently(|| async {
                sqlx::query(sql!(self, "backfill_finished.sql"))
                    .bind(user)
                    .bind(integration)
                    .execute(&self.pool)
                    .await
            })
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Mailboxes that a sync would take but for a backfill that holds them.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn busy_with_backfill(
        &self,
        since: chrono::DateTime<chrono::Utc>,
        users: Option<&[Uuid]>,
    ) -> Result<i64, Failure> {
        self.patiently(|| async {
            sqlx::query_scalar(sql!(self, "busy_with_backfill.sql"))
                .bind(since)
                .bind(users)
                .bind(self.window_seconds)
                .fetch_one(&self.pool)
                .await
        })
        .await
    }
}
