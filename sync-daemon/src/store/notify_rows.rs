//! What is read and written of notifications: routes, channels, messages.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};
use uuid::Uuid;

/// Reads columns into the fields of the same names.
macro_rules! from_row {
    ($type:ident { $($field:ident),* }) => {
        impl FromRow<'_, PgRow> for $type {
            fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
                Ok(Self { $($field: row.try_get(stringify!($field))?),* })
            }
        }
    };
}

/// How notifications find their channels.
#[derive(Clone, Debug)]
pub struct Routing {
    /// For users without a route.
    pub default: Vec<String>,
    /// For what concerns no user.
    pub operators: Vec<String>,
    /// Channels that can be sent to.
    pub set_up: Vec<String>,
    /// Seconds after which a notification is of no use any more.
    pub max_age_seconds: f64,
    /// Rank of the least severity that is delivered: 1 info, 2 warning, 3 critical.
    pub min_rank: i32,
}

/// A channel and what waits for it. Durations are in seconds, by the database's clock.
#[derive(Clone, Debug, Serialize)]
pub struct ChannelState {
    /// Its name.
    pub name: String,
    /// ok, failing or misconfigured.
    pub state: String,
    /// What the last failure was.
    pub reason: Option<String>,
    /// When something was last delivered.
    pub last_delivered_at: Option<DateTime<Utc>>,
    /// The time for which the last digest was due.
    pub last_digest_at: DateTime<Utc>,
    /// Not tried before.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// The database's clock.
    pub now: DateTime<Utc>,
    /// Somebody sends to it just now.
    pub leased: bool,
    /// Time until it may be tried again.
    pub pause: f64,
    /// How many wait.
    pub waiting: i64,
    /// Of these, how many are critical.
    pub critical: i64,
    /// How long the first of them has waited here.
    pub age: f64,
    /// The same of the first critical one.
    pub critical_age: f64,
    /// Age of the oldest one that waits.
    pub behind: f64,
    /// Some were tried already: they have waited enough.
    pub begun: bool,
}

/// The right to send to a channel.
#[derive(Clone, Debug)]
pub struct ChannelLease {
    /// The channel.
    pub channel: String,
    /// The fencing token.
    pub token: i64,
    /// Failures since the last success.
    pub failures: i32,
    /// Of the digest that the lease is for: the same for each try, whichever daemon makes it.
    pub digest_id: Uuid,
}

/// Which notifications to put into a message.
#[derive(Clone, Copy, Debug)]
pub struct BatchWish {
    /// At most so many; `None`: all.
    pub limit: Option<i64>,
    /// Critical ones alone.
    pub critical_only: bool,
    /// A message whose fate is unknown is repeated as it was.
    pub repeat_unknown: bool,
    /// So many are told in full.
    pub items: i64,
}

/// Notifications that go out as one message.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The message.
    pub id: Uuid,
    /// How many it holds.
    pub size: i64,
    /// Those that are told in full, the most severe first.
    pub items: Vec<Notification>,
    /// How many there are of each kind.
    pub counts: Vec<Count>,
}

/// A row of the outbox.
#[derive(Clone, Debug, Serialize)]
pub struct Notification {
    /// Its id.
    pub id: i64,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// What happened.
    pub kind: String,
    /// Whom it concerns.
    pub user_id: Option<Uuid>,
    /// What it is about.
    pub subject_type: String,
    /// Its id.
    pub subject_id: String,
    /// info, warning or critical.
    pub severity: String,
    /// In a line; plain text from outside.
    pub title: String,
    /// More of it.
    pub detail: Option<String>,
    /// What to do.
    pub next_step: Option<String>,
    /// By kind.
    pub data: serde_json::Value,
}

/// How many of a kind.
#[derive(Clone, Debug)]
pub struct Count {
    /// Their severity.
    pub severity: String,
    /// Their kind.
    pub kind: String,
    /// How many.
    pub count: i64,
}

/// A deal or contact that needs attention.
#[derive(Clone, Debug, Serialize)]
pub struct Attention {
    /// deal or contact.
    pub kind: String,
    /// Its owner.
    pub user_id: Uuid,
    /// Its id.
    pub id: Uuid,
    /// Its name; plain text from outside.
    pub name: Option<String>,
    /// 0–100.
    pub health_score: Option<i32>,
    /// By cut-off.
    pub health_status: Option<String>,
    /// Why, in clauses.
    pub reasons: Option<Vec<String>>,
}

/// How a turn at a channel ended.
#[derive(Clone, Debug)]
pub struct TurnEnd {
    /// ok, failing or misconfigured.
    pub state: &'static str,
    /// Why, unless ok.
    pub reason: Option<String>,
    /// Seconds until it may be tried again.
    pub pause_seconds: Option<f64>,
    /// Something was delivered.
    pub delivered: bool,
    /// The digest of this time was delivered.
    pub digest: Option<DateTime<Utc>>,
}

impl TurnEnd {
    /// Nothing went wrong.
    #[must_use]
    pub fn fine(delivered: bool, digest: Option<DateTime<Utc>>) -> Self {
        Self {
            state: "ok",
            reason: None,
            pause_seconds: None,
            delivered,
            digest,
        }
    }
}

from_row!(ChannelState {
    name,
    state,
    reason,
    last_delivered_at,
    last_digest_at,
    next_attempt_at,
    now,
    leased,
    pause,
    waiting,
    critical,
    age,
    critical_age,
    behind,
    begun
});
from_row!(Notification {
    id,
    created_at,
    kind,
    user_id,
    subject_type,
    subject_id,
    severity,
    title,
    detail,
    next_step,
    data
});
from_row!(Count {
    severity,
    kind,
    count
});
from_row!(Attention {
    kind,
    user_id,
    id,
    name,
    health_score,
    health_status,
    reasons
});
