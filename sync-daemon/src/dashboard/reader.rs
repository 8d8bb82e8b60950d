//! Reads for pages: each statement in a session that cannot write and gives up after five seconds.
//!
//! Contract: a section that cannot be read says why, and the rest of the page is there all the same.

use serde::de::DeserializeOwned;
use sqlx::postgres::PgArguments;
use sqlx::{Arguments, AssertSqlSafe, PgPool};

use super::catalog::{Catalog, Source};
use crate::failure::Failure;
use crate::store::Store;

/// One section of a page.
pub(super) enum Part<T> {
    /// What it shows.
    Ready(T),
    /// Why there is nothing to show: what is missing, with its mend.
    Absent(String),
    /// What went wrong.
    Failed(String),
}

/// Parameters of a statement.
#[derive(Default)]
pub(super) struct Parameters(PgArguments);

/// No parameters yet.
pub(super) fn arguments() -> Parameters {
    Parameters::default()
}

impl Parameters {
    /// One more.
    pub(super) fn with<'q, T>(mut self, value: T) -> Self
    where
        T: sqlx::Encode<'q, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + 'q,
    {
        // Texts, numbers and ids always encode.
        let _ = self.0.add(value);
        self
    }
}

/// The database as pages read it.
pub(super) struct Reader {
    pool: PgPool,
    /// What is there.
    catalog: Option<Catalog>,
}

impl Reader {
    /// Looks what is there.
    ///
    /// # Errors
    /// [`Failure::Database`] when the database is away.
    pub(super) async fn open(store: &Store, crm_schema: &str) -> Result<Self, Failure> {
        let mut reader = Self {
            pool: store.reading_pool().clone(),
            catalog: None,
        };
        reader.catalog = Some(Catalog::read(&reader, crm_schema).await?);
        Ok(reader)
    }

    /// The rows of a section, or why there are none.
    pub(super) async fn rows<T: DeserializeOwned>(
        &self,
        needed: &[Source],
        statement: &str,
        parameters: Parameters,
    ) -> Part<Vec<T>> {
        let lack = self.catalog.as_ref().and_then(|c| c.lacks(needed));
        if let Some(lack) = lack {
            return Part::Absent(lack);
        }
        match self.all(statement, parameters).await {
            Ok(rows) => Part::Ready(rows),
            Err(failure) => Part::Failed(failure.to_string()),
        }
    }

    /// The only row.
    ///
    /// # Errors
    /// [`Failure::Database`], also when there is another number of rows.
    pub(super) async fn one<T: DeserializeOwned>(
        &self,
        statement: &str,
        parameters: Parameters,
    ) -> Result<T, Failure> {
        let mut rows = self.all(statement, parameters).await?;
        match (rows.pop(), rows.is_empty()) {
            (Some(row), true) => Ok(row),
            _ => Err(Failure::Database("expected one row".to_owned())),
        }
    }

    async fn all<T: DeserializeOwned>(
        &self,
        statement: &str,
        parameters: Parameters,
    ) -> Result<Vec<T>, Failure> {
        let filled = match &self.catalog {
            Some(catalog) => catalog.fill(&without_comments(statement)),
            None => without_comments(statement),
        };
        // One document, so that a row is a struct without a word on its columns.
        let statement = format!("SELECT coalesce(json_agg(t), '[]')::text FROM (\n{filled}\n) t");
        let mut session = self.pool.acquire().await?;
        let read = sqlx::query_scalar_with(AssertSqlSafe(statement), parameters.0)
            .fetch_one(&mut *session)
            .await;
        if read.is_err() {
            // A session in which a statement failed is not used again: on a Citus cluster it may be of no use.
            session.close_on_drop();
        }
        let text: String = read?;
        serde_json::from_str(&text)
            .map_err(|error| Failure::Database(format!("an unexpected value: {error}")))
    }
}

/// A comment may hold what looks like a placeholder.
fn without_comments(statement: &str) -> String {
    let is_code = |line: &&str| !line.trim_start().starts_with("--");
    statement
        .lines()
        .filter(is_code)
        .collect::<Vec<_>>()
        .join("\n")
}
