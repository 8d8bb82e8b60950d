//! The pending ledger and the events: what was discovered, what is left, what was written.

use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

use super::{Lease, MailboxKey, Store, ids, sql};
use crate::failure::Failure;
use crate::mailbox::Event;
use crate::sentiment::{MailText, ReadingCounts};

/// A page of discovered ids.
pub(crate) struct Page<'a> {
    pub(crate) ids: &'a [String],
    /// Of a backfill: lower priority, and known mail is read again.
    pub(crate) backfill: bool,
    /// The new cursor, with the last page.
    pub(crate) history_id: Option<&'a str>,
    /// The page ends a full listing.
    pub(crate) full: bool,
    pub(crate) quota_units: f64,
    /// Start of this sync (the database's epoch seconds).
    pub(crate) started: i64,
}

/// An id that waits to be fetched.
#[derive(Clone, Debug)]
pub struct PendingMessage {
    /// Gmail's id.
    pub id: String,
    /// How often the message itself was refused or unreadable.
    pub attempts: i16,
}

/// A message that could not be read this time.
#[derive(Clone, Debug)]
pub struct FailedMessage {
    /// Gmail's id.
    pub id: String,
    /// Tries so far.
    pub attempts: i16,
    /// Whether it is set aside.
    pub poison: bool,
    /// Why.
    pub reason: String,
}

/// Counters of one batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchCounts {
    /// Messages fetched or found gone.
    pub seen: i64,
    /// Named no contact.
    pub unmatched: i64,
    /// Drafts, spam, trash, chat, or outside the window.
    pub skipped: i64,
    /// Deleted meanwhile.
    pub gone: i64,
    /// Set aside.
    pub poison: i64,
    /// Quota units spent.
    pub units: i64,
}

/// A batch to store.
#[derive(Default)]
pub(crate) struct BatchWrite {
    pub(crate) done: Vec<String>,
    pub(crate) failed: Vec<FailedMessage>,
    pub(crate) events: Vec<Event>,
    pub(crate) counts: BatchCounts,
    pub(crate) quota_units: f64,
    pub(crate) readings: ReadingCounts,
    /// Text that the language model is to read and that is not stored, by Gmail's ids.
    pub(crate) texts: Vec<(String, MailText)>,
    /// The table has the columns for what models find.
    pub(crate) keeps_mood: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct StoredBatch {
    /// Rows written.
    pub events: i64,
    /// Mails among them.
    pub messages: i64,
    /// Contacts among them.
    pub contacts: Vec<Uuid>,
}

impl Store {
    /// Puts a page into the ledger and moves the cursor, in one statement. Returns how many ids were new.
    pub(crate) async fn record_page(&self, lease: &Lease, page: &Page<'_>) -> Result<i64, Failure> {
        let (user, integration) = ids(lease.key);
        let row = self
            .patiently(|| async {
                sqlx::query(sql!(self, "record_page.sql"))
                    .bind(user)
                    .bind(integration)
                    .bind(lease.token)
                    .bind(self.lease_seconds)
                    .bind(page.ids)
                    .bind(i16::from(page.backfill))
                    .bind(page.history_id)
                    .bind(page.full)
                    .bind(page.quota_units)
                    .bind(page.started as f64)
                    .fetch_one(&self.pool)
                    .await
            })
            .await?;
        if row.try_get::<i64, _>("fenced")? == 0 {
            return Err(self.unfenced(lease).await?);
        }
        Ok(row.try_get("added")?)
    }

    /// The next ids to fetch.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn next_pending(
        &self,
        key: MailboxKey,
        limit: i64,
        backfill: bool,
    ) -> Result<Vec<PendingMessage>, Failure> {
        self.patiently(|| async {
            let rows = sqlx::query(sql!(self, "next_pending.sql"))
                .bind(key.user_id)
                .bind(key.integration_id)
                .bind(limit)
                .bind(i16::from(backfill))
                .fetch_all(&self.pool)
                .await?;
            let read = |row: &sqlx::postgres::PgRow| {
                Ok(PendingMessage {
                    id: row.try_get("message_id")?,
                    attempts: row.try_get("attempts")?,
                })
            };
            rows.iter().map(read).collect()
        })
        .await
    }

    /// Writes a batch's events, takes its ids off the ledger, notes failures and renews the lease: one statement.
    pub(crate) async fn store_batch(
        &self,
        lease: &Lease,
        batch: &BatchWrite,
    ) -> Result<StoredBatch, Failure> {
        let c = &batch.counts;
        let counts = [c.seen, c.unmatched, c.skipped, c.gone, c.poison, c.units];
        let (user, integration) = ids(lease.key);
        let failed = &batch.failed;
        let events = &batch.events;
        let row = self
            .patiently(|| async {
                sqlx::query(self.store_batch_sql(batch.keeps_mood))
                    .bind(user)
                    .bind(integration)
                    .bind(lease.token)
                    .bind(self.lease_seconds)
                    .bind(batch.quota_units)
                    .bind(counts.as_slice())
                    .bind(&batch.done)
                    .bind(column(failed, |f| f.id.as_str()))
                    .bind(column(failed, |f| f.attempts))
                    .bind(column(
                        failed,
                        |f| if f.poison { "poison" } else { "waiting" },
                    ))
                    .bind(column(failed, |f| f.reason.as_str()))
                    .bind(column(events, |e| e.message_id.as_str()))
                    .bind(column(events, |e| e.contact_id))
                    .bind(column(events, |e| e.event_type))
                    .bind(column(events, |e| e.at_ms))
                    .bind(column(events, |e| e.direction))
                    .bind(column(events, |e| e.subject.as_deref()))
                    .bind(column(events, |e| e.thread_id.as_deref()))
                    .bind(column(events, |e| e.rfc822_id.as_deref()))
                    .bind(column(events, |e| e.metadata.as_str()))
                    .bind(column(events, |e| e.reading.as_ref()?.score))
                    .bind(column(events, |e| e.reading.as_ref()?.label()))
                    .bind(column(events, |e| Some(&*e.reading.as_ref()?.model)))
                    .fetch_one(&self.pool)
                    .await
            })
            .await?;
        if row.try_get::<i64, _>("fenced")? == 0 {
            return Err(self.unfenced(lease).await?);
        }
        Ok(StoredBatch {
            events: row.try_get("events")?,
            messages: row.try_get("messages")?,
            contacts: row.try_get("contacts")?,
        })
    }

    fn store_batch_sql(&self, keeps_mood: bool) -> AssertSqlSafe<String> {
        let (columns, values) = if keeps_mood {
            (
                ", sentiment_score, sentiment_label, ai_analyzed, ai_model",
                ", k.sentiment_score, k.sentiment_label{sentiment_label}, k.ai_model IS NOT NULL, k.ai_model{ai_model}",
            )
        } else {
            ("", "")
        };
        let AssertSqlSafe(statement) = sql!(self, "store_batch.sql");
        let statement = statement
            .replace("{mood_columns}", columns)
            .replace("{mood_values}", values);
        AssertSqlSafe(self.with_casts(&statement))
    }

    /// Numbers the mails within their threads, a portion at a time.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn link_threads(&self, user: Uuid) -> Result<(), Failure> {
        const PORTION: i64 = 500;
        loop {
            let fresh: i64 = self
                .patiently(|| async {
                    sqlx::query_scalar(sql!(self, "link_threads.sql"))
                        .bind(user)
                        .bind(PORTION)
                        .fetch_one(&self.pool)
                        .await
                })
                .await?;
            if fresh < PORTION {
                return Ok(());
            }
        }
    }

    /// Contacts with an address.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn contacts(&self, user: Uuid) -> Result<Vec<(Uuid, String)>, Failure> {
        self.patiently(|| async {
            sqlx::query_as(sql!(self, "contacts.sql"))
                .bind(user)
                .fetch_all(&self.pool)
                .await
        })
        .await
    }

    /// Keeps the mailbox's own addresses and whether it can be searched.
    ///
    /// # Errors
    /// [`Failure::LeaseLost`], [`Failure::Database`]
    pub async fn save_addresses(
        &self,
        lease: &Lease,
        addresses: &[String],
        without_query: bool,
    ) -> Result<(), Failure> {
        let (user, integration) = ids(lease.key);
        let row = self
            .patiently(|| async {
                sqlx::query(sql!(self, "save_addresses.sql"))
                    .bind(user)
                    .bind(integration)
                    .bind(lease.token)
                    .bind(addresses)
                    .bind(without_query)
                    .fetch_optional(&self.pool)
                    .await
            })
            .await?;
        if row.is_some() {
            Ok(())
        } else {
            Err(Failure::LeaseLost)
        }
    }
}

fn column<'a, T, V>(rows: &'a [T], value: impl Fn(&'a T) -> V) -> Vec<V> {
    rows.iter().map(value).collect()
}
