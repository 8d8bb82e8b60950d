//! Anthropic's Messages API: several mails in one request, one checked reading for each, or none at all.
//!
//! Contract: what leaves this machine is the text of mails, without addresses, links and long numbers, under ids that
//! mean nothing outside of the request. The mails are data: they stand JSON-encoded between markers, the answer is forced
//! into one tool call, and what does not fit its schema to the letter is refused as a whole. No call is made that the
//! day's cost limit, shared by all daemons of a database, does not cover.

mod answer;
mod client;
mod redact;
mod request;
mod retry;
mod stopped;

pub use answer::{Judged, Usage, read_answer, read_usage};
pub use client::{Anthropic, Finding, Patience};
pub use redact::redact;
pub use request::{Batch, TOOL};
pub use stopped::Stopped;

use crate::sentiment::MailText;

/// More than any answer needs (bytes).
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// A mail to be read.
#[derive(Clone, Debug)]
pub struct Unread {
    /// Gmail's id of the mail; it stays here.
    pub message_id: String,
    /// What is read.
    pub text: MailText,
    /// Whether the user sent it.
    pub outbound: bool,
}
