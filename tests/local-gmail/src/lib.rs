//! A local Gmail for tests, the demo and the benchmarks.
//!
//! It answers over HTTP on 127.0.0.1 as Gmail does: profile, message lists with `q` and paging,
//! messages in all formats, history that expires, aliases, batches, partial responses, quotas,
//! scopes, and the OAuth token and consent endpoints. Faults come on demand ([`FaultRule`]), time
//! and latency are settable, everything asked is counted ([`Stats`]). Given Google's API
//! description it checks each request and each of its own answers ([`LocalGmail::violations`]).
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use local_gmail::{Config, Endpoint, Fault, FaultRule, LocalGmail, NewMessage};
//!
//! let gmail = LocalGmail::start(Config::checked("gmail.v1.json")).await?;
//! let refresh_token = gmail.add_mailbox("rep@example.com")?;
//! gmail.add_message(
//!     "rep@example.com",
//!     NewMessage::received("Ada <ada@client.example>", "rep@example.com").subject("Renewal"),
//! )?;
//! gmail.inject(FaultRule::once(Endpoint::List, Fault::ServerError { status: 503, html: false }));
//! // … run the client under test against gmail.base_url() and gmail.token_url() …
//! assert_eq!(gmail.violations(), []);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod admin;
mod api;
mod app;
mod auth;
mod batch;
mod call;
mod clock;
mod config;
mod consent;
mod discovery;
mod error;
mod fault_book;
mod faults;
mod fields;
mod fixture;
mod generator;
mod handle;
mod ids;
mod lock;
mod mailbox;
mod mangle;
mod message;
mod meter;
mod methods;
mod mix;
mod oauth;
mod query;
mod refusal;
mod reply;
mod server;
mod stats;

pub use auth::{SCOPE_METADATA, SCOPE_READONLY};
pub use config::{Config, Latency, Quota, UnitCosts};
pub use error::{AdminError, StartError};
pub use fault_book::FaultReport;
pub use faults::{Endpoint, Fault, FaultRule, Place};
pub use fixture::{Fixture, MailboxFixture};
pub use generator::Generate;
pub use handle::LocalGmail;
pub use message::{Header, NewMessage};
pub use stats::{Calls, SeenRequest, Stats, Violation};
