//! Why a mailbox, or a whole run, stopped: one class for each row of the failure table, its name in reports and
//! metrics, how long the mailbox pauses, and what a person can do about it.

use std::time::Duration;

/// The class of a failure. The text inside never holds a token or an address.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    /// Gmail refused a fresh access token.
    #[error("Gmail refuses the mailbox's access token although it was just refreshed")]
    AuthRejected,
    /// The grant is gone (`invalid_grant`).
    #[error("the user must connect the mailbox again: Google no longer accepts its grant")]
    ReconnectRequired,
    /// Our client id or secret is wrong; no user is to blame.
    #[error("Google refuses this daemon's OAuth client ({0}): check the client id and secret")]
    Operator(String),
    /// The grant belongs to another OAuth client (`unauthorized_client`, while ours is accepted).
    #[error(
        "the mailbox's grant was given to another OAuth client: connect the mailbox again, or configure that client"
    )]
    ForeignGrant,
    /// The token endpoint is down or slow.
    #[error("Google's token endpoint does not answer properly: {0}")]
    Transient(String),
    /// A rate limit longer than a run waits.
    #[error("Gmail asks to wait {} s", wait.as_secs())]
    RateLimited {
        /// How long.
        wait: Duration,
    },
    /// The project's daily limit, as Google tells it.
    #[error("the Google project's daily quota is used up")]
    ProjectQuota,
    /// The project's daily limit was met before, and all daemons pause.
    #[error("the Google project's daily quota is used up; all daemons pause for {} s more", left.as_secs())]
    ProjectPaused {
        /// How long still.
        left: Duration,
    },
    /// A domain policy forbids the API.
    #[error("the mailbox's administrator does not allow Gmail API access")]
    AdminBlocked,
    /// The grant lacks a scope.
    #[error("the grant lacks the scope gmail.readonly: connect the mailbox again")]
    ScopeMissing,
    /// Another 403, with Google's reason.
    #[error("Gmail forbids the call: {0}")]
    Forbidden(String),
    /// A full sync was needed twice within the hour.
    #[error("the history of the mailbox expired again within the hour")]
    HistoryExpired,
    /// 5xx, resets, truncated or unreadable answers, after all tries.
    #[error("Gmail does not answer properly: {0}")]
    Backend(String),
    /// A part was missing from each try of a batch.
    #[error("Gmail keeps leaving parts out of its batch answers")]
    BatchShort,
    /// A 4xx that no row of the table knows.
    #[error("Gmail refuses the request: {0}")]
    Refused(String),
    /// Another daemon took the mailbox over.
    #[error("another daemon took the mailbox over")]
    LeaseLost,
    /// The integration was switched off meanwhile.
    #[error("the mailbox was disconnected during the sync")]
    Deactivated,
    /// Shutdown.
    #[error("the daemon was asked to stop; the rest waits in the ledger")]
    Interrupted,
    /// The stored token cannot be opened.
    #[error("the stored token cannot be read: {0}")]
    Token(String),
    /// PostgreSQL.
    #[error("database: {0}")]
    Database(String),
    /// A setting, or this machine, with the variable or option to mend.
    #[error("{0}")]
    Configuration(String),
    /// A mailbox could not be connected.
    #[error("nothing was connected: {0}")]
    Consent(String),
}

/// The names of failures, each said once: what a failure is called, and all there are.
macro_rules! codes {
    ($($failure:pat => $code:literal,)+) => {
        /// All names, for metrics that begin at zero.
        pub const CODES: &[&str] = &[$($code),+];

        /// The name in reports, metrics and the `reason` column.
        #[must_use]
        pub fn code(&self) -> &'static str {
            match self {
                $($failure => $code,)+
            }
        }
    };
}

impl Failure {
    codes! {
        Self::AuthRejected => "auth_rejected",
        Self::ReconnectRequired => "reconnect_required",
        Self::Operator(_) => "operator_error",
        Self::ForeignGrant => "foreign_grant",
        Self::Transient(_) => "transient",
        Self::RateLimited { .. } => "rate_limited",
        Self::ProjectQuota | Self::ProjectPaused { .. } => "project_quota",
        Self::AdminBlocked => "admin_blocked",
        Self::ScopeMissing => "scope_missing",
        Self::Forbidden(_) => "forbidden",
        Self::HistoryExpired => "history_expired",
        Self::Backend(_) => "backend_error",
        Self::BatchShort => "batch_short",
        Self::Refused(_) => "refused",
        Self::LeaseLost => "lease_lost",
        Self::Deactivated => "deactivated",
        Self::Interrupted => "interrupted",
        Self::Token(_) => "token_unreadable",
        Self::Database(_) => "database",
        Self::Configuration(_) => "configuration",
        Self::Consent(_) => "consent",
    }

    /// How long the mailbox rests before it is tried again; `None`: until the next run.
    #[must_use]
    pub fn pause(&self) -> Option<Duration> {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        let seconds = match self {
            Self::AuthRejected | Self::HistoryExpired => HOUR,
            Self::AdminBlocked => 24 * HOUR,
            Self::Transient(_) | Self::Backend(_) | Self::BatchShort | Self::Database(_) => {
                15 * MINUTE
            }
            Self::RateLimited { wait } => return Some(*wait),
            Self::ProjectPaused { left } => return Some(*left),
            Self::Interrupted => 0,
            _ => return None,
        };
        Some(Duration::from_secs(seconds))
    }

    /// Whether the whole run must stop: no other mailbox could do better.
    #[must_use]
    pub fn stops_run(&self) -> bool {
        matches!(
            self,
            Self::Operator(_) | Self::ProjectQuota | Self::ProjectPaused { .. }
        )
    }

    /// The state that the mailbox is left in.
    #[must_use]
    pub fn mailbox_state(&self) -> &'static str {
        match self {
            Self::ReconnectRequired => "reconnect_required",
            Self::AuthRejected | Self::RateLimited { .. } | Self::AdminBlocked => "paused",
            Self::Operator(_)
            | Self::ProjectQuota
            | Self::ProjectPaused { .. }
            | Self::Interrupted => "ok",
            _ => "failing",
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(crate::store::describe(&error))
    }
}
