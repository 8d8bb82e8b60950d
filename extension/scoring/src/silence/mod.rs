//! How likely is it that a contact sends nothing in the next H days?
//!
//! A renewal process with dropout ([`renewal`]) reads two streams of days ([`stream`]): the days on
//! which the contact wrote, and the days on which anything passed between the two. A logistic
//! second stage ([`model`]) calibrates them into one probability. [`fit()`] learns the [`Constants`]
//! from a deployment's own past, whose labels are free: the next day on which the contact wrote.
//!
//! Contract: days are whole UTC days since 1970-01-01; nothing here reads a clock. A probability is
//! a finite number in 0–1, or `None` where nothing is known. It never grows with the horizon and
//! never falls while the silence lasts.

pub mod backtest;
pub mod constants;
pub mod explain;
pub mod fit;
pub mod history;
pub mod metrics;
pub mod model;
mod outlook;
mod own;
mod powers;
pub mod renewal;
pub mod stream;

pub use backtest::backtest;
pub use constants::{Constants, ConstantsError};
pub use fit::{Cancelled, Decision, FitReport, KeepReason, Progress, Stage, fit};
pub use history::{History, RowKey};
pub use metrics::Metrics;
pub use model::{
    Assessment, DEFAULT_GHOST_CUTOFF, assess, days_until_predicted_ghost, ghost_probability,
    score_horizon_days,
};
pub use own::OwnSilences;
pub use stream::{Pushed, Stream, Streams};
