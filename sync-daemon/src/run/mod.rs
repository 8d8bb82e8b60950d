//! A run: claims due mailboxes until none is left, works on several at once, and reports in one JSON.

mod engine;
mod explain;
mod extension_metrics;
mod gauges;
mod health;
mod metrics;
mod report;
mod request;
mod worker;

pub use engine::{Engine, OnStep};
pub use extension_metrics::{ExtensionMetrics, Sample};
pub use health::refresh_health;
pub use metrics::Metrics;
pub use report::{HealthReport, Report, RunDetails, RunError};
pub use request::{RunKind, RunRequest};
