//! The daemon's own tables: created by `migrate`, and what `check-config` finds wrong with the database.

use sqlx::Row;

use super::{Store, sql};
use crate::config::Config;
use crate::failure::Failure;

/// The files of `sql/sync`, in order; psql applies the same ones.
const TABLES: [&str; 11] = [
    include_str!("../../../sql/sync/tables/schema.sql"),
    include_str!("../../../sql/sync/tables/mailboxes.sql"),
    include_str!("../../../sql/sync/tables/pending.sql"),
    include_str!("../../../sql/sync/tables/backfills.sql"),
    include_str!("../../../sql/sync/tables/project_quota.sql"),
    include_str!("../../../sql/sync/tables/model_usage.sql"),
    include_str!("../../../sql/sync/tables/runs.sql"),
    include_str!("../../../sql/sync/tables/outbox.sql"),
    include_str!("../../../sql/sync/tables/channels.sql"),
    include_str!("../../../sql/sync/tables/deliveries.sql"),
    include_str!("../../../sql/sync/tables/routes.sql"),
];

/// One thing that is wrong, and the mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub problem: String,
    /// What to do.
    pub mend: String,
}

impl Finding {
    /// Mailboxes are known, but of their integrations none is there to be seen.
    #[must_use]
    pub fn integrations_hidden(mailboxes: i64) -> Self {
        Self {
            problem: format!(
                "no row of google_integrations is visible, although {mailboxes} mailboxes are known"
            ),
            mend: "check database.crm_schema, and row level security (run sql/sync/grants.sql); \
                if all were disconnected for good: DELETE FROM crm_health_sync.mailboxes"
                .to_owned(),
        }
    }
}

impl Store {
    /// Creates what is missing of the daemon's tables, in one transaction.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn migrate(&self) -> Result<(), Failure> {
        let mut transaction = self.pool.begin().await?;
        sqlx::raw_sql(
            "SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL client_min_messages = warning",
        )
        .execute(&mut *transaction)
        .await?;
        for file in TABLES {
            sqlx::raw_sql(file).execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Checks tables, columns, privileges and the key that keeps mail from being doubled. Also the columns
    /// for what models find, as far as `config` says that they are filled.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn inspect(&self, config: &Config) -> Result<Vec<Finding>, Failure> {
        self.patiently(|| async {
            let rows = sqlx::query(sql!(self, "inspect.sql"))
                .bind(config.sentiment.enabled)
                .bind(config.anthropic_key().is_some())
                .fetch_all(&self.pool)
                .await?;
            let read = |row: &sqlx::postgres::PgRow| {
                Ok(Finding {
                    problem: row.try_get("problem")?,
                    mend: row.try_get("mend")?,
                })
            };
            rows.iter().map(read).collect()
        })
        .await
    }
}
