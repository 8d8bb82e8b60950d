//! The service: schedule, HTTP, systemd, signals around one engine.

mod due;
mod http;
mod listen;
mod runner;
mod schedule;
mod serve;
mod watchdog;

pub(crate) use http::same_secret;
pub use http::{AppState, router};
pub use runner::Runner;
pub use schedule::Schedule;
pub use serve::{Reload, serve};
