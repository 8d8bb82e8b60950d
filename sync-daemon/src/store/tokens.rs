//! The token columns of `google_integrations`, always by compare and set.

use sqlx::postgres::{PgRow, Postgres};
use sqlx::{Acquire, Row, Transaction};
use uuid::Uuid;

use super::{MailboxKey, Store, ids, sql};
use crate::failure::Failure;

/// Whether there is an outbox that this role may write to.
const HAS_OUTBOX: &str = "SELECT coalesce(has_function_privilege(to_regprocedure(\
    'crm_health.post_notification(text, uuid, text, text, text, text, text, text, jsonb)'), 'EXECUTE'), false)";

/// Tokens as they are stored, sealed or not. Does not print.
#[derive(Clone)]
pub struct StoredToken {
    /// Whether the integration is active.
    pub is_active: bool,
    /// `access_token`
    pub access_token: Option<String>,
    /// `refresh_token`
    pub refresh_token: Option<String>,
    /// Seconds until the access token expires, by the database's clock.
    pub seconds_left: Option<f64>,
}

/// One row to seal anew.
pub struct SealedRow {
    /// The row.
    pub key: MailboxKey,
    /// `access_token`
    pub access_token: Option<String>,
    /// `refresh_token`
    pub refresh_token: Option<String>,
}

impl Store {
    /// Stores a refreshed token over the one read before; false if that is no longer there.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn save_token(
        &self,
        key: MailboxKey,
        read: &StoredToken,
        access: &str,
        lives_seconds: f64,
        refresh: Option<&str>,
    ) -> Result<bool, Failure> {
        let (user, integration) = ids(key);
        let done = self
            .patiently(|| async {
                sqlx::query(sql!(self, "save_token.sql"))
                    .bind(user)
                    .bind(integration)
                    .bind(read.access_token.as_deref())
                    .bind(access)
                    .bind(lives_seconds)
                    .bind(refresh)
                    .bind(read.refresh_token.as_deref())
                    .execute(&self.pool)
                    .await
            })
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Reads the tokens again; `None` if the integration is gone or inactive.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn read_token(&self, key: MailboxKey) -> Result<Option<StoredToken>, Failure> {
        let (user, integration) = ids(key);
        let row = self
            .patiently(|| async {
                sqlx::query(sql!(self, "read_token.sql"))
                    .bind(user)
                    .bind(integration)
                    .fetch_optional(&self.pool)
                    .await
            })
            .await?;
        let read = |row: PgRow| -> Result<StoredToken, sqlx::Error> {
            Ok(StoredToken {
                is_active: row
                    .try_get::<Option<bool>, _>("is_active")?
                    .unwrap_or_default(),
                access_token: row.try_get("access_token")?,
                refresh_token: row.try_get("refresh_token")?,
                seconds_left: row.try_get("token_seconds_left")?,
            })
        };
        Ok(row.map(read).transpose()?.filter(|t| t.is_active))
    }

    /// Switches an integration off whose grant is dead and tells of it, once; false if it was reconnected meanwhile.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn need_reconnect(
        &self,
        key: MailboxKey,
        refused: Option<&str>,
    ) -> Result<bool, Failure> {
        self.patiently(|| async {
            let (user, integration) = ids(key);
            let mut transaction = self.pool.begin().await?;
            let off = sqlx::query(sql!(self, "need_reconnect.sql"))
                .bind(user)
                .bind(integration)
                .bind(refused)
                .fetch_optional(&mut *transaction)
                .await?;
            let Some(row) = off else { return Ok(false) };
            let email: Option<String> = row.try_get("email")?;
            self.tell_of_reconnect(&mut transaction, key, email.as_deref())
                .await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }

    /// Into the outbox, in the transaction that switches off. Where there is no outbox, or none for this role, the
    /// mailbox is switched off all the same, and the log tells.
    async fn tell_of_reconnect(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        key: MailboxKey,
        email: Option<&str>,
    ) -> Result<(), sqlx::Error> {
        let (user, integration) = ids(key);
        let has_outbox: bool = sqlx::query_scalar(HAS_OUTBOX)
            .fetch_one(&mut **transaction)
            .await?;
        if !has_outbox {
            tracing::warn!(%user, %integration, "a mailbox must be connected again");
            return Ok(());
        }
        let mut attempt = transaction.begin().await?;
        let told = sqlx::query(sql!(self, "tell_of_reconnect.sql"))
            .bind(user)
            .bind(integration)
            .bind(email)
            .execute(&mut *attempt)
            .await;
        match told {
            Ok(_) => attempt.commit().await,
            Err(error @ sqlx::Error::Database(_)) => {
                let error = super::describe(&error);
                tracing::warn!(%user, %integration, error, "a mailbox must be connected again; no notification was written");
                attempt.rollback().await
            }
            Err(error) => Err(error),
        }
    }

    /// Stores a new grant; returns the integration.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn connect_mailbox(
        &self,
        user: Uuid,
        email: &str,
        access: &str,
        refresh: &str,
        lives_seconds: f64,
        scopes: &str,
    ) -> Result<Uuid, Failure> {
        self.patiently(|| async {
            sqlx::query_scalar(sql!(self, "connect_mailbox.sql"))
                .bind(user)
                .bind(email)
                .bind(access)
                .bind(refresh)
                .bind(lives_seconds)
                .bind(scopes)
                .fetch_one(&self.pool)
                .await
        })
        .await
    }

    /// A page of stored tokens after `last`.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn sealed_rows(&self, last: Uuid) -> Result<Vec<SealedRow>, Failure> {
        self.patiently(|| async {
            let rows = sqlx::query(sql!(self, "sealed_rows.sql"))
                .bind(last)
                .fetch_all(&self.pool)
                .await?;
            let read = |row: &PgRow| {
                Ok(SealedRow {
                    key: MailboxKey {
                        user_id: row.try_get("user_id")?,
                        integration_id: row.try_get("id")?,
                    },
                    access_token: row.try_get("access_token")?,
                    refresh_token: row.try_get("refresh_token")?,
                })
            };
            rows.iter().map(read).collect()
        })
        .await
    }

    /// Replaces the tokens of a row; false if they changed meanwhile.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn reseal(
        &self,
        row: &SealedRow,
        access: Option<&str>,
        refresh: Option<&str>,
    ) -> Result<bool, Failure> {
        let (user, integration) = ids(row.key);
        let done = self
            .patiently(|| async {
                sqlx::query(sql!(self, "reseal.sql"))
                    .bind(user)
                    .bind(integration)
                    .bind(row.access_token.as_deref())
                    .bind(access)
                    .bind(row.refresh_token.as_deref())
                    .bind(refresh)
                    .execute(&self.pool)
                    .await
            })
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
