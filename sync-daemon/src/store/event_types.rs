//! The types that `communication_events` has: an application's own enums are written, and its shorter texts cut to fit.

use std::collections::HashMap;

use super::{Store, sql};
use crate::failure::Failure;

/// Columns that words are written to; `{name}` stands behind each such value in a statement.
const WORDS: [&str; 8] = [
    "event_type",
    "direction",
    "subject",
    "external_source",
    "sync_source",
    "sentiment_label",
    "ai_model",
    "urgency",
];

/// Types by column, as far as they are known.
pub(super) type EventTypes = HashMap<String, String>;

impl Store {
    /// Looks the types up, for all that is written from here on: tables change while a service runs.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn learn_event_types(&self) -> Result<(), Failure> {
        let types: Vec<(String, String)> = self
            .patiently(|| async {
                sqlx::query_as(sql!(self, "event_types.sql"))
                    .bind(WORDS.as_slice())
                    .fetch_all(&self.pool)
                    .await
            })
            .await?;
        *self
            .event_types
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = types.into_iter().collect();
        Ok(())
    }

    /// Puts a cast to the column's own type in each place that is kept for one. The names of types are PostgreSQL's, quoted.
    pub(super) fn with_casts(&self, statement: &str) -> String {
        let types = self
            .event_types
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        WORDS.iter().fold(statement.to_owned(), |text, name| {
            let kind = types.get(*name).map_or("text", String::as_str);
            text.replace(&format!("{{{name}}}"), &format!("::{kind}"))
        })
    }
}
