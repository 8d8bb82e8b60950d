//! The mood of mail that is stored already: what is unread, and what a model found.

use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

use super::{Lease, Store, ids, sql};
use crate::anthropic::Unread;
use crate::config::Config;
use crate::failure::Failure;
use crate::sentiment::{MailText, Reading};

/// What the lexicon fills, with the event itself.
const FILLED: [&str; 4] = [
    "sentiment_score",
    "sentiment_label",
    "ai_analyzed",
    "ai_model",
];

/// What a language model fills beside these, afterwards.
const FILLED_LATER: [&str; 3] = ["key_topics", "urgency", "response_required"];

impl Store {
    /// Whether what the configured model finds can be stored.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn keeps_mood(&self, config: &Config) -> Result<bool, Failure> {
        let later = config.anthropic_key().is_some();
        let mut columns = FILLED.to_vec();
        if later {
            columns.extend(FILLED_LATER);
        }
        self.patiently(|| async {
            sqlx::query_scalar(sql!(self, "keeps_mood.sql"))
                .bind(&columns)
                .bind(if later { "UPDATE" } else { "INSERT" })
                .fetch_one(&self.pool)
                .await
        })
        .await
    }

    /// At most `limit` mails of the last `days` that no model has read and whose text is stored, or known as `ids`.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub(crate) async fn unread_mail(
        &self,
        user: Uuid,
        days: i32,
        sent_too: bool,
        ids: &[String],
        limit: i64,
    ) -> Result<Vec<Unread>, Failure> {
        self.patiently(|| async {
            sqlx::query(sql!(self, "copy_readings.sql"))
                .bind(user)
                .bind(days)
                .execute(&self.pool)
                .await?;
            let rows = sqlx::query(sql!(self, "unread_mail.sql"))
                .bind(user)
                .bind(days)
                .bind(sent_too)
                .bind(ids)
                .bind(limit)
                .fetch_all(&self.pool)
                .await?;
            rows.iter().map(read).collect()
        })
        .await
    }

    /// Stores readings, each for all events of its mail. Returns the rows changed.
    ///
    /// # Errors
    /// [`Failure::LeaseLost`], [`Failure::Database`]
    pub(crate) async fn keep_readings(
        &self,
        lease: &Lease,
        readings: &[(&str, Reading)],
    ) -> Result<i64, Failure> {
        let (user, integration) = ids(lease.key);
        let column = |value: fn(&Reading) -> Option<&str>| -> Vec<Option<&str>> {
            readings.iter().map(|(_, r)| value(r)).collect()
        };
        let messages: Vec<&str> = readings.iter().map(|(id, _)| *id).collect();
        let scores: Vec<Option<f64>> = readings.iter().map(|(_, r)| r.score).collect();
        let topics: Vec<Option<String>> = readings.iter().map(|(_, r)| topics_of(r)).collect();
        let due: Vec<Option<bool>> = readings
            .iter()
            .map(|(_, r)| r.details.as_ref().map(|d| d.response_required))
            .collect();
        let AssertSqlSafe(statement) = sql!(self, "keep_readings.sql");
        let row = self
            .patiently(|| async {
                sqlx::query(AssertSqlSafe(self.with_casts(&statement)))
                    .bind(user)
                    .bind(integration)
                    .bind(lease.token)
                    .bind(&messages)
                    .bind(&scores)
                    .bind(column(|r| r.label()))
                    .bind(column(|r| Some(&r.model)))
                    .bind(&topics)
                    .bind(column(|r| r.details.as_ref().map(|d| d.urgency.name())))
                    .bind(&due)
                    .fetch_one(&self.pool)
                    .await
            })
            .await?;
        if row.try_get::<i64, _>("fenced")? == 0 {
            return Err(Failure::LeaseLost);
        }
        Ok(row.try_get("kept")?)
    }
}

fn topics_of(reading: &Reading) -> Option<String> {
    let details = reading.details.as_ref()?;
    Some(serde_json::json!(details.topics).to_string())
}

fn read(row: &sqlx::postgres::PgRow) -> Result<Unread, sqlx::Error> {
    Ok(Unread {
        message_id: row.try_get("message_id")?,
        text: MailText {
            subject: row.try_get("subject")?,
            snippet: None,
        },
        outbound: row.try_get("outbound")?,
    })
}
