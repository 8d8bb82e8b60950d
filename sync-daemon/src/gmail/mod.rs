//! The Gmail API: requests, answers, the batch format and what its errors mean.
//!
//! Contract: every call takes its units from the quota before it is made, a call that failed for a passing reason is
//! repeated here, and what comes out as [`crate::failure::Failure`] needs no further thought than "stop this mailbox".

mod api;
pub mod batch;
mod client;
pub mod fault;
mod json;
mod parts;
mod patience;
mod types;

pub use api::{Gmail, HistoryPage, ListPage, MessageFilter, PAGE_SIZE};
pub use client::{GmailClient, install_tls_provider, read_limited};
pub use fault::settle;
pub use parts::Batch;
pub use types::{Header, Message, Part};
