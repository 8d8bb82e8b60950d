//! A local stand-in for Anthropic's Messages API, as far as the daemon uses it.
//!
//! It refuses what the real one refuses (a wrong key, a missing version, unknown or missing fields, a forced tool that is
//! not there), keeps every request so that a test can see what left the machine, and answers the tool call that the
//! daemon forces: the mood of each mail by a few words in it. [`Fault`]s spoil answers, in the order they were queued.
#![forbid(unsafe_code)]

mod answer;
mod fault;
mod refusal;
mod server;

pub use fault::Fault;
pub use server::{LocalAnthropic, SeenRequest};

/// The key that the server accepts.
pub const API_KEY: &str = "sk-ant-local-key-of-the-tests";

/// The model that it knows.
pub const MODEL: &str = "claude-haiku-4-5";
