//! PostgreSQL: all that the daemon reads and writes. The statements are the `.sql` files in this folder.
//!
//! Contract: each write of a sync is one statement under the mailbox's lease token; when the token is no longer the
//! current one, or the integration was switched off, nothing is written and the caller is told which. Times are the
//! database's, never this machine's. A database that goes away is waited for.

mod backfills;
mod claims;
mod event_types;
mod ledger;
mod model_usage;
mod moods;
mod notify;
mod notify_rows;
mod quota;
mod runs;
mod schema;
mod scores;
mod status;
mod tokens;

use std::str::FromStr;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use secrecy::ExposeSecret;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::config::Config;
use crate::failure::Failure;
use event_types::EventTypes;

pub use backfills::BackfillState;
pub use claims::{ClaimRequest, Claimed, Due, Lease, MailboxKey, Outcome, Purpose, Unclaimed};
pub use ledger::{BatchCounts, FailedMessage, PendingMessage, StoredBatch};
pub(crate) use ledger::{BatchWrite, Page};
pub use model_usage::Reserved;
pub use notify_rows::{
    Attention, Batch, BatchWish, ChannelLease, ChannelState, Count, Notification, Routing, TurnEnd,
};
pub use quota::Grant as UnitGrant;
pub use schema::Finding;
pub use scores::{JobError, JobResult, JobRun, RefreshCounts};
pub use status::{MailboxStatus, Summary};
pub use tokens::{SealedRow, StoredToken};

/// Connections for pages and metrics, beside those of `max_connections`.
const READING_CONNECTIONS: u32 = 3;

/// Whoever looks is told sooner than a run would give up.
const READING_WAIT: Duration = Duration::from_secs(5);

/// Renders one of the statements: `{crm}` becomes the quoted schema of the CRM.
macro_rules! sql {
    ($store:expr, $file:literal) => {
        sqlx::AssertSqlSafe(include_str!(concat!("sql/", $file)).replace("{crm}", &$store.crm))
    };
}
pub(crate) use sql;

/// The database.
#[derive(Clone)]
pub struct Store {
    pool: PgPool,
    /// For pages and metrics: reads only, and gives up soon, so that looking never holds up the sync.
    reading: PgPool,
    /// The CRM's schema, quoted.
    crm: Arc<str>,
    event_types: Arc<RwLock<EventTypes>>,
    lease_seconds: f64,
    window_seconds: f64,
    outage_wait: Duration,
    refresh_timeout: Duration,
}

impl Store {
    /// Prepares the pool; connections are made when they are needed.
    ///
    /// # Errors
    /// No URL is configured, or it is not one of PostgreSQL.
    pub fn new(config: &Config) -> Result<Self, Failure> {
        let url = config.secrets.database_url.as_ref();
        let url = url.ok_or_else(|| {
            Failure::Configuration("CRM_HEALTH_DATABASE_URL is not set".to_owned())
        })?;
        let options = connect_options(url.expose_secret())
            .ok_or_else(|| {
                Failure::Configuration(
                    "CRM_HEALTH_DATABASE_URL is not a PostgreSQL URL: postgres://user:password@host/name"
                        .to_owned(),
                )
            })?
            .application_name("crm-health-sync")
            .options([
                ("timezone", "UTC"),
                ("search_path", "pg_catalog,pg_temp"),
                // A generic plan made while a table was empty would be kept when it has grown.
                ("plan_cache_mode", "force_custom_plan"),
            ]);
        let reading = PgPoolOptions::new()
            .max_connections(READING_CONNECTIONS)
            .acquire_timeout(READING_WAIT)
            .idle_timeout(Duration::from_secs(60))
            .connect_lazy_with(options.clone().options([
                ("default_transaction_read_only", "on"),
                ("statement_timeout", "5s"),
                ("lock_timeout", "1s"),
            ]));
        let pool = PgPoolOptions::new()
            .max_connections(config.database.max_connections)
            .acquire_timeout(Duration::from_secs(config.database.connect_timeout_seconds))
            // A broken connection is noticed by the statement itself, which is then repeated.
            .test_before_acquire(false)
            .connect_lazy_with(options);
        Ok(Self {
            pool,
            reading,
            crm: quote_identifier(&config.database.crm_schema).into(),
            event_types: Arc::default(),
            lease_seconds: config.sync.lease_seconds as f64,
            window_seconds: f64::from(config.sync.active_window_days) * 86_400.0,
            outage_wait: Duration::from_secs(config.database.outage_wait_seconds),
            refresh_timeout: Duration::from_secs(config.sync.refresh_timeout_seconds),
        })
    }

    /// For who only looks: a database that is away is not waited for.
    #[must_use]
    pub fn without_patience(mut self) -> Self {
        self.outage_wait = Duration::ZERO;
        self
    }

    /// The pool, for tests and checks.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// A small pool of its own whose sessions read only, five seconds a statement at most.
    #[must_use]
    pub fn reading_pool(&self) -> &PgPool {
        &self.reading
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`Failure::Database`] when it does not.
    pub async fn ping(&self) -> Result<(), Failure> {
        sqlx::query(AssertSqlSafe("SELECT 1".to_owned()))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Repeats `operation` while the database is away, and a few times when others were in the way.
    async fn patiently<T, F>(&self, operation: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, sqlx::Error>>,
    {
        let start = Instant::now();
        let mut collisions = 0;
        let mut wait = Duration::from_millis(50);
        loop {
            let error = match operation().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            match trouble(&error) {
                Trouble::Away if start.elapsed() < self.outage_wait => {}
                Trouble::Collision if collisions < 5 => collisions += 1,
                _ => return Err(error.into()),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(5));
        }
    }

    /// Why a fenced write found no row.
    async fn unfenced(&self, lease: &Lease) -> Result<Failure, Failure> {
        let holds: bool = self
            .patiently(|| async {
                sqlx::query_scalar(sql!(self, "lease_holds.sql"))
                    .bind(lease.key.user_id)
                    .bind(lease.key.integration_id)
                    .bind(lease.token)
                    .fetch_one(&self.pool)
                    .await
            })
            .await?;
        Ok(if holds {
            Failure::Deactivated
        } else {
            Failure::LeaseLost
        })
    }
}

/// The parser takes any scheme, and its own message may repeat the URL, and with it the password.
fn connect_options(url: &str) -> Option<PgConnectOptions> {
    let (scheme, _) = url.split_once("://")?;
    let of_postgres = ["postgres", "postgresql"].contains(&scheme.to_ascii_lowercase().as_str());
    PgConnectOptions::from_str(url).ok().filter(|_| of_postgres)
}

enum Trouble {
    /// No connection, or it broke or was idle for too long, or the server is shutting down or starting.
    Away,
    /// A deadlock, a serialization failure, or a row that went away in between.
    Collision,
    /// Anything else.
    Lasting,
}

fn trouble(error: &sqlx::Error) -> Trouble {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => {
            Trouble::Away
        }
        // A proxy without a server behind it hangs up in the middle of the greeting.
        sqlx::Error::Protocol(_) | sqlx::Error::Tls(_) => Trouble::Away,
        sqlx::Error::Database(error) => match error.code().as_deref() {
            Some("57P01" | "57P02" | "57P03" | "57P05" | "53300") => Trouble::Away,
            Some(code) if code.starts_with("08") => Trouble::Away,
            Some("40001" | "40P01" | "23503") => Trouble::Collision,
            _ => Trouble::Lasting,
        },
        _ => Trouble::Lasting,
    }
}

/// An error as it may be reported: what PostgreSQL says, without values of rows and without the URL.
#[must_use]
pub fn describe(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            let mend = match &*code {
                // Statements are prepared once a session; a pooler hands the next one to another session.
                "42P05" | "26000" => {
                    "; a pooler shares sessions between clients: connect to the server itself, or use session pooling"
                }
                "42P01" | "42703" => "; crm-health-sync check-config says what brings it",
                _ => "",
            };
            format!("{} (SQLSTATE {code}){mend}", error.message())
        }
        sqlx::Error::PoolTimedOut => "no connection in time".to_owned(),
        // The error of a look-up has no kind of its own.
        sqlx::Error::Io(error) if error.to_string().starts_with("failed to lookup address") => {
            "no connection: the host's name cannot be looked up".to_owned()
        }
        sqlx::Error::Io(error) => format!("no connection: {}", error.kind()),
        sqlx::Error::Tls(_) => "the TLS handshake failed".to_owned(),
        sqlx::Error::Protocol(detail) => format!("the connection broke: {detail}"),
        other => other.to_string(),
    }
}

fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The key columns, bound as the statements expect them.
fn ids(key: MailboxKey) -> (Uuid, Uuid) {
    (key.user_id, key.integration_id)
}
