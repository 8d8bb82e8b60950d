//! Claiming mailboxes, keeping the lease, giving it back.

use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::{Store, StoredToken, sql};
use crate::failure::Failure;

/// Serialises claims of all daemons on this database, so that no user's mailboxes are leased twice over.
const CLAIM_LOCK: i64 = 0x6372_6d5f_7379_6e63;

/// Which mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MailboxKey {
    /// Its user.
    pub user_id: Uuid,
    /// Its row in `google_integrations`.
    pub integration_id: Uuid,
}

/// The right to write for a mailbox, until somebody else claims it.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    /// The mailbox.
    pub key: MailboxKey,
    /// The fencing token.
    pub token: i64,
}

/// What a lease is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Live mail.
    Sync,
    /// History.
    Backfill,
}

/// Which mailboxes are due.
#[derive(Clone, Copy, Debug)]
pub enum Due {
    /// Those not finished since the run began (a time of the database).
    FinishedBefore(chrono::DateTime<chrono::Utc>),
    /// Those whose pause is over or whose daemon died.
    Retry,
}

/// A wish for mailboxes.
#[derive(Clone, Debug)]
pub struct ClaimRequest<'a> {
    /// This daemon.
    pub owner: &'a str,
    /// What for.
    pub purpose: Purpose,
    /// Which are due.
    pub due: Due,
    /// Only these users; `None`: the active ones.
    pub users: Option<&'a [Uuid]>,
    /// At most so many.
    pub limit: i64,
}

/// A claimed mailbox and all that its sync starts from.
pub struct Claimed {
    /// The lease.
    pub lease: Lease,
    /// Its address in the CRM.
    pub email: String,
    /// The cursor.
    pub history_id: Option<String>,
    /// Own addresses, as last read.
    pub own_addresses: Vec<String>,
    /// They are old, or were never read.
    pub addresses_stale: bool,
    /// Addresses of the user's other mailboxes, as last read.
    pub other_addresses: Vec<String>,
    /// The grant does not allow `q`.
    pub list_without_query: bool,
    /// Scores of an earlier sync are still to refresh.
    pub refresh_due: bool,
    /// Messages are waiting.
    pub has_pending: bool,
    /// Level of the quota bucket.
    pub quota_units: Option<f64>,
    /// Its age in seconds.
    pub quota_age: f64,
    /// The database's clock (epoch seconds).
    pub now_epoch: i64,
    /// Start of the last complete discovery (epoch seconds).
    pub last_good_epoch: Option<i64>,
    /// A full listing ended less than an hour ago.
    pub full_recently: bool,
    /// Its tokens.
    pub token: StoredToken,
}

/// How a sync ended.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// State of the mailbox.
    pub state: &'static str,
    /// Class of the failure, if any.
    pub reason: Option<&'static str>,
    /// Seconds until it is tried again; `None`: with the next run.
    pub retry_seconds: Option<f64>,
    /// Level of the quota bucket.
    pub quota_units: f64,
    /// Scores are still to refresh.
    pub refresh_due: bool,
    /// The run is done with this mailbox.
    pub finished: bool,
    /// Events written.
    pub events: i64,
}

/// A user asked for by name whose mailbox was not synced.
pub struct Unclaimed {
    /// The user.
    pub user_id: Uuid,
    /// Why.
    pub reason: String,
    /// Until when, where that is known.
    pub until: Option<chrono::DateTime<chrono::Utc>>,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Backfill => "backfill",
        }
    }
}

impl Store {
    /// The database's clock.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn now(&self) -> Result<chrono::DateTime<chrono::Utc>, Failure> {
        self.patiently(|| async {
            sqlx::query_scalar("SELECT clock_timestamp()")
                .fetch_one(&self.pool)
                .await
        })
        .await
    }

    /// Brings the list of mailboxes up to date. How many are left without an integration because none is visible.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn ensure_mailboxes(&self, users: Option<&[Uuid]>) -> Result<i64, Failure> {
        self.patiently(|| async {
            sqlx::query_scalar(sql!(self, "ensure_mailboxes.sql"))
                .bind(users)
                .bind(self.window_seconds)
                .fetch_one(&self.pool)
                .await
        })
        .await
    }

    /// The same number, changing nothing.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn hidden_mailboxes(&self) -> Result<i64, Failure> {
        self.patiently(|| async {
            sqlx::query_scalar(sql!(self, "hidden_mailboxes.sql"))
                .fetch_one(&self.pool)
                .await
        })
        .await
    }

    /// Claims due mailboxes, longest unattended first.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn claim(&self, request: &ClaimRequest<'_>) -> Result<Vec<Claimed>, Failure> {
        self.patiently(|| async {
            let due = match request.due {
                Due::FinishedBefore(instant) => Some(instant),
                Due::Retry => None,
            };
            let mut transaction = self.pool.begin().await?;
            sqlx::query("SELECT pg_advisory_xact_lock($1)")
                .bind(CLAIM_LOCK)
                .execute(&mut *transaction)
                .await?;
            let rows = sqlx::query(sql!(self, "claim.sql"))
                .bind(request.owner)
                .bind(self.lease_seconds)
                .bind(due)
                .bind(request.users)
                .bind(request.limit)
                .bind(request.purpose.name())
                .bind(self.window_seconds)
                .fetch_all(&mut *transaction)
                .await?;
            transaction.commit().await?;
            rows.iter().map(read_claimed).collect()
        })
        .await
    }

    /// Keeps the lease during a long wait.
    ///
    /// # Errors
    /// [`Failure::LeaseLost`], [`Failure::Deactivated`], [`Failure::Database`]
    pub async fn renew_lease(&self, lease: &Lease) -> Result<(), Failure> {
        let (user, integration) = super::ids(lease.key);
        let row = self
            .patiently(|| async {
                sqlx::query(sql!(self, "renew_lease.sql"))
                    .bind(user)
                    .bind(integration)
                    .bind(lease.token)
                    .bind(self.lease_seconds)
                    .fetch_optional(&self.pool)
                    .await
            })
            .await?;
        if row.is_some() {
            Ok(())
        } else {
            Err(self.unfenced(lease).await?)
        }
    }

    /// Notes how the sync ended and gives the lease back; nothing if it is lost already.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn release(&self, lease: &Lease, outcome: &Outcome) -> Result<(), Failure> {
        let (user, integration) = super::ids(lease.key);
        self.patiently(|| async {
            sqlx::query(sql!(self, "release.sql"))
                .bind(user)
                .bind(integration)
                .bind(lease.token)
                .bind(outcome.state)
                .bind(outcome.reason)
                .bind(outcome.retry_seconds)
                .bind(outcome.quota_units)
                .bind(outcome.refresh_due)
                .bind(outcome.finished)
                .bind(outcome.events)
                .fetch_optional(&self.pool)
                .await
        })
        .await
        .map(|_| ())
    }

    /// Of users asked for by name, those whose mailbox this run did not finish.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn unclaimed(
        &self,
        users: &[Uuid],
        since: chrono::DateTime<chrono::Utc>,
    ) -> Result<Vec<Unclaimed>, Failure> {
        self.patiently(|| async {
            let rows = sqlx::query(sql!(self, "unclaimed.sql"))
                .bind(users)
                .bind(since)
                .fetch_all(&self.pool)
                .await?;
            rows.iter().map(read_unclaimed).collect()
        })
        .await
    }

    /// Of users asked for by name, those whose history this run did not finish.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn unfinished_backfills(&self, users: &[Uuid]) -> Result<Vec<Unclaimed>, Failure> {
        self.patiently(|| async {
            let rows = sqlx::query(sql!(self, "unfinished_backfills.sql"))
                .bind(users)
                .fetch_all(&self.pool)
                .await?;
            rows.iter().map(read_unclaimed).collect()
        })
        .await
    }
}

fn read_unclaimed(row: &PgRow) -> Result<Unclaimed, sqlx::Error> {
    Ok(Unclaimed {
        user_id: row.try_get("user_id")?,
        reason: row.try_get("reason")?,
        until: row.try_get("until")?,
    })
}

fn read_claimed(row: &PgRow) -> Result<Claimed, sqlx::Error> {
    let key = MailboxKey {
        user_id: row.try_get("user_id")?,
        integration_id: row.try_get("integration_id")?,
    };
    Ok(Claimed {
        lease: Lease {
            key,
            token: row.try_get("lease_token")?,
        },
        email: row
            .try_get::<Option<String>, _>("email")?
            .unwrap_or_default(),
        history_id: row.try_get("history_id")?,
        own_addresses: row.try_get("own_addresses")?,
        other_addresses: row.try_get("other_addresses")?,
        addresses_stale: row.try_get("addresses_stale")?,
        list_without_query: row.try_get("list_without_query")?,
        refresh_due: row.try_get("refresh_due")?,
        has_pending: row.try_get("has_pending")?,
        quota_units: row.try_get("quota_units")?,
        quota_age: row
            .try_get::<Option<f64>, _>("quota_age")?
            .unwrap_or_default(),
        now_epoch: row.try_get("now_epoch")?,
        last_good_epoch: row.try_get("last_good_epoch")?,
        full_recently: row.try_get("full_recently")?,
        token: StoredToken {
            is_active: true,
            access_token: row.try_get("access_token")?,
            refresh_token: row.try_get("refresh_token")?,
            seconds_left: row.try_get("token_seconds_left")?,
        },
    })
}
