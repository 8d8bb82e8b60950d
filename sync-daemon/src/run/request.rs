//! What a run is asked to do.

use std::time::Duration;

use uuid::Uuid;

/// What to run.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// Who asked, for the report.
    pub triggered_by: String,
    /// Which mailboxes.
    pub kind: RunKind,
    /// Only these users; `None`: the active ones.
    pub users: Option<Vec<Uuid>>,
    /// List the mail of so long too, beside what is new.
    pub since: Option<Duration>,
}

/// Which mailboxes a run takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// Each once.
    Now,
    /// Each that was not synced since the given time, so that daemons share a scheduled run.
    Since(chrono::DateTime<chrono::Utc>),
    /// Those whose pause is over or whose daemon died.
    Retry,
    /// Those with a backfill to do.
    Backfill,
}

impl RunKind {
    /// Mailboxes last finished before this instant are due, in a run that the database saw start at `started`.
    pub(super) fn finished_before(
        self,
        started: chrono::DateTime<chrono::Utc>,
    ) -> Option<chrono::DateTime<chrono::Utc>> {
        match self {
            Self::Now => Some(started),
            // By this machine's clock, which may be ahead: no mailbox could ever be done then.
            Self::Since(instant) => Some(instant.min(started)),
            Self::Retry | Self::Backfill => None,
        }
    }
}
