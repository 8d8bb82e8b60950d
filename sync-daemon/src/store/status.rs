//! What `status`, the metrics and the page show of each mailbox.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::{ChannelState, Store, sql};
use crate::failure::Failure;
use crate::run::Sample;

/// One mailbox as an operator sees it.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MailboxStatus {
    /// Its user.
    pub user_id: Uuid,
    /// Its address.
    pub email: String,
    /// new, ok, paused, failing, reconnect_required or inactive.
    pub state: String,
    /// Class of the last failure.
    pub reason: Option<String>,
    /// Last complete discovery.
    pub last_good_at: Option<DateTime<Utc>>,
    /// Not tried before.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// Who is syncing it now.
    pub syncing_by: Option<String>,
    /// Messages in the ledger.
    pub waiting: i64,
    /// Messages set aside.
    pub poison: i64,
    /// Messages seen so far.
    pub messages_seen: i64,
    /// Events written so far.
    pub events_written: i64,
    /// Quota units spent so far.
    pub units_spent: i64,
}

/// Mailboxes and messages in numbers, for the gauges.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// State, mailboxes in it, longest time since a good sync in seconds.
    pub mailboxes: Vec<(String, i64, f64)>,
    /// State of ledger entries, and how many.
    pub pending: Vec<(String, i64)>,
    /// What the language model cost today (UTC), USD.
    pub model_cost_usd: f64,
    /// Channels of notifications, and what waits for them.
    pub channels: Vec<ChannelState>,
    /// When a run of any daemon last ended without errors (epoch).
    pub last_success: Option<i64>,
}

impl Store {
    /// The numbers behind the gauges. Not waited for when the database is away.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn summary(&self) -> Result<Summary, Failure> {
        let mailboxes = sqlx::query_as(sql!(self, "mailbox_summary.sql"))
            .bind(self.window_seconds)
            .fetch_all(&self.pool)
            .await?;
        let pending = sqlx::query_as(sql!(self, "pending_summary.sql"))
            .fetch_all(&self.pool)
            .await?;
        let model_cost_usd = sqlx::query_scalar(sql!(self, "model_cost.sql"))
            .fetch_one(&self.pool)
            .await?;
        let channels = self.channel_states().await?;
        let last_success = sqlx::query_scalar(sql!(self, "last_success.sql"))
            .fetch_one(&self.pool)
            .await?;
        Ok(Summary {
            mailboxes,
            pending,
            model_cost_usd,
            channels,
            last_success,
        })
    }

    /// The samples of the extension's view. Given up soon, as everything of the reading pool.
    ///
    /// # Errors
    /// [`Failure::Database`], also where there is no such view or it may not be read.
    pub async fn extension_metrics(&self) -> Result<Vec<Sample>, Failure> {
        type Row = (String, String, Json<BTreeMap<String, String>>, f64);
        let rows: Vec<Row> =
            sqlx::query_as("SELECT name, help, labels, value FROM crm_health.metrics")
                .fetch_all(self.reading_pool())
                .await?;
        let sample = |(name, help, Json(labels), value)| Sample {
            name,
            help,
            labels,
            value,
        };
        Ok(rows.into_iter().map(sample).collect())
    }

    /// All mailboxes, by address.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn mailbox_status(&self) -> Result<Vec<MailboxStatus>, Failure> {
        self.patiently(|| async {
            let rows = sqlx::query(sql!(self, "mailbox_status.sql"))
                .fetch_all(&self.pool)
                .await?;
            rows.iter().map(read).collect()
        })
        .await
    }
}

fn read(row: &PgRow) -> Result<MailboxStatus, sqlx::Error> {
    let leased: Option<bool> = row.try_get("leased")?;
    let owner: Option<String> = row.try_get("lease_owner")?;
    Ok(MailboxStatus {
        user_id: row.try_get("user_id")?,
        email: row.try_get("email")?,
        state: row.try_get("state")?,
        reason: row.try_get("reason")?,
        last_good_at: row.try_get("last_good_at")?,
        next_attempt_at: row.try_get("next_attempt_at")?,
        syncing_by: owner.filter(|_| leased.unwrap_or_default()),
        waiting: row.try_get("waiting")?,
        poison: row.try_get("poison")?,
        messages_seen: row.try_get("messages_seen")?,
        events_written: row.try_get("events_written")?,
        units_spent: row.try_get("units_spent")?,
    })
}
