//! Notifications: what of the extension's outbox was taken over, who sends it, and what became of it.
//!
//! Contract: who holds a channel's lease is the only one to send there. A notification is marked as delivered by the
//! statement that follows the answer of the other end, so that it is repeated only when the daemon dies, or loses its
//! lease, between the two.

use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::postgres::{PgListener, PgRow};
use uuid::Uuid;

use super::notify_rows::{
    Attention, Batch, BatchWish, ChannelLease, ChannelState, Routing, TurnEnd,
};
use super::{Store, sql};
use crate::failure::Failure;

/// The bell that the extension rings.
const BELL: &str = "crm_health";

impl Store {
    /// A connection that hears the bell.
    ///
    /// # Errors
    /// [`Failure::Database`]; not waited for.
    pub async fn listen(&self) -> Result<PgListener, Failure> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen(BELL).await?;
        Ok(listener)
    }

    /// Whether the extension has an outbox.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn has_outbox(&self) -> Result<bool, Failure> {
        let sql = "SELECT to_regclass('crm_health.notifications') IS NOT NULL";
        Ok(sqlx::query_scalar(sql).fetch_one(&self.pool).await?)
    }

    /// Takes over what is new in the outbox, each notification once, however late it was committed, and what waits for
    /// channels that are given up; returns how many deliveries there are to make.
    ///
    /// # Errors
    /// [`Failure::Database`]; not waited for.
    pub async fn take_in(&self, routing: &Routing) -> Result<u64, Failure> {
        let mut transaction = self.pool.begin().await?;
        let horizon = sqlx::query(sql!(self, "outbox_horizon.sql"))
            .fetch_one(&mut *transaction)
            .await?;
        let settled: i64 = horizon.try_get("settled_id")?;
        let candidate_ended: bool = horizon.try_get("candidate_ended")?;
        let taken = sqlx::query(sql!(self, "take_in.sql"))
            .bind(settled)
            .bind(&routing.default)
            .bind(&routing.operators)
            .bind(&routing.set_up)
            .bind(routing.max_age_seconds)
            .bind(routing.min_rank)
            .execute(&mut *transaction)
            .await?;
        let rerouted = sqlx::query(sql!(self, "reroute.sql"))
            .bind(&routing.default)
            .bind(&routing.operators)
            .bind(&routing.set_up)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(sql!(self, "outbox_settled.sql"))
            .bind(candidate_ended)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(taken.rows_affected() + rerouted.rows_affected())
    }

    /// Gives up what waited too long; the channel of each.
    ///
    /// # Errors
    /// [`Failure::Database`]; not waited for.
    pub async fn expire_deliveries(&self, max_age_seconds: f64) -> Result<Vec<String>, Failure> {
        let expired = sqlx::query_scalar(sql!(self, "expire_deliveries.sql"))
            .bind(max_age_seconds)
            .fetch_all(&self.pool)
            .await?;
        Ok(expired)
    }

    /// Makes rows for channels that have none.
    ///
    /// # Errors
    /// [`Failure::Database`]; not waited for.
    pub async fn ensure_channels(&self, names: &[String]) -> Result<(), Failure> {
        sqlx::query(sql!(self, "ensure_channels.sql"))
            .bind(names)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// All channels that ever were, and what waits for them.
    ///
    /// # Errors
    /// [`Failure::Database`]; not waited for.
    pub async fn channel_states(&self) -> Result<Vec<ChannelState>, Failure> {
        let states = sqlx::query_as(sql!(self, "channel_states.sql"))
            .fetch_all(&self.pool)
            .await?;
        Ok(states)
    }

    /// Ends the pauses of channels that were set up wrongly.
    ///
    /// # Errors
    /// [`Failure::Database`]; not waited for.
    pub async fn retry_misconfigured(&self, names: &[String]) -> Result<(), Failure> {
        sqlx::query(sql!(self, "retry_misconfigured.sql"))
            .bind(names)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The right to send to a channel, if nobody has it and it does not pause; `digest`: and if its digest of that
    /// time is still to be sent.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn lease_channel(
        &self,
        channel: &str,
        owner: &str,
        seconds: f64,
        digest: Option<DateTime<Utc>>,
    ) -> Result<Option<ChannelLease>, Failure> {
        self.patiently(|| async {
            let row = sqlx::query(sql!(self, "lease_channel.sql"))
                .bind(channel)
                .bind(owner)
                .bind(seconds)
                .bind(digest)
                .fetch_optional(&self.pool)
                .await?;
            let read = |row: PgRow| {
                Ok(ChannelLease {
                    channel: channel.to_owned(),
                    token: row.try_get("lease_token")?,
                    failures: row.try_get("failures")?,
                    digest_id: row.try_get("digest_id")?,
                })
            };
            row.map(read).transpose()
        })
        .await
    }

    /// Puts what waits into one message; `None` when nothing does.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn begin_batch(
        &self,
        lease: &ChannelLease,
        wish: BatchWish,
    ) -> Result<Option<Batch>, Failure> {
        self.patiently(|| async {
            let mut transaction = self.pool.begin().await?;
            let begun = sqlx::query(sql!(self, "begin_batch.sql"))
                .bind(&lease.channel)
                .bind(Uuid::new_v4())
                .bind(wish.limit)
                .bind(wish.critical_only)
                .bind(wish.repeat_unknown)
                .fetch_optional(&mut *transaction)
                .await?;
            let Some(begun) = begun else { return Ok(None) };
            let (id, size): (Uuid, i64) = (begun.try_get("batch")?, begun.try_get("size")?);
            let items = sqlx::query_as(sql!(self, "batch_items.sql"))
                .bind(&lease.channel)
                .bind(id)
                .bind(wish.items)
                .fetch_all(&mut *transaction)
                .await?;
            let counts = sqlx::query_as(sql!(self, "batch_counts.sql"))
                .bind(&lease.channel)
                .bind(id)
                .fetch_all(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(Some(Batch {
                id,
                size,
                items,
                counts,
            }))
        })
        .await
    }

    /// Notes that a message has arrived.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn batch_delivered(&self, channel: &str, batch: Uuid) -> Result<(), Failure> {
        self.patiently(|| async {
            sqlx::query(sql!(self, "batch_delivered.sql"))
                .bind(channel)
                .bind(batch)
                .execute(&self.pool)
                .await
        })
        .await
        .map(|_| ())
    }

    /// Notes that a message has not arrived; `unknown`: or that nobody can say.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn batch_failed(
        &self,
        channel: &str,
        batch: Uuid,
        reason: &str,
        unknown: bool,
    ) -> Result<(), Failure> {
        self.patiently(|| async {
            sqlx::query(sql!(self, "batch_failed.sql"))
                .bind(channel)
                .bind(batch)
                .bind(reason)
                .bind(unknown)
                .execute(&self.pool)
                .await
        })
        .await
        .map(|_| ())
    }

    /// Gives a channel back; nothing when the lease is lost already.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn release_channel(
        &self,
        lease: &ChannelLease,
        end: &TurnEnd,
    ) -> Result<(), Failure> {
        self.patiently(|| async {
            sqlx::query(sql!(self, "release_channel.sql"))
                .bind(&lease.channel)
                .bind(lease.token)
                .bind(end.state)
                .bind(&end.reason)
                .bind(end.pause_seconds)
                .bind(end.delivered)
                .bind(end.digest)
                .execute(&self.pool)
                .await
        })
        .await
        .map(|_| ())
    }

    /// What needs attention of the users whose notifications go to a channel, worst first, `limit` at most; `None`
    /// when there are no such users.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn attention(
        &self,
        channel: &str,
        routing: &Routing,
        limit: i32,
    ) -> Result<Option<Vec<Attention>>, Failure> {
        self.patiently(|| async {
            let users: Vec<Uuid> = sqlx::query_scalar(sql!(self, "digest_users.sql"))
                .bind(channel)
                .bind(&routing.default)
                .bind(&routing.set_up)
                .fetch_one(&self.pool)
                .await?;
            if users.is_empty() {
                return Ok(None);
            }
            let sql = "SELECT kind, user_id, id, name, health_score, health_status, reasons \
                       FROM crm_health.needs_attention($1, $2)";
            let rows = sqlx::query_as(sql).bind(users).bind(limit);
            rows.fetch_all(&self.pool).await.map(Some)
        })
        .await
    }

    /// Channels that routes name and that are not among those set up.
    ///
    /// # Errors
    /// [`Failure::Database`]; not waited for.
    pub async fn unknown_routes(&self, set_up: &[String]) -> Result<Vec<String>, Failure> {
        let names = sqlx::query_scalar(sql!(self, "unknown_routes.sql"))
            .bind(set_up)
            .fetch_all(&self.pool)
            .await?;
        Ok(names)
    }
}
