//! Notifications: from the extension's outbox to Slack, a signed webhook, or the log.
//!
//! Contract: the outbox (`crm_health.notifications`) is the truth, NOTIFY only the bell that wakes the daemon. Each
//! notification goes to each channel of its route once, whatever daemons run and die in between, but for a daemon that
//! dies between the answer of the other end and the commit that notes it. All times are the database's.
//! `docs/notifications.md` tells the whole.

mod bell;
mod hours;
mod message;
mod metrics;
mod notifier;
mod plan;
mod post;
mod slack;
mod target;
mod text;
mod webhook;

pub use bell::keep_notifying;
pub use hours::Hours;
pub(crate) use metrics::{NotifyMetrics, register_gauges};
pub use notifier::Notifier;
pub use post::{Poster, Undelivered};
pub use target::Target;
pub use webhook::sign;
