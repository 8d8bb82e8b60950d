//! What has been asked of the server, for assertions and for the benchmarks.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use crate::faults::{Endpoint, Place};

/// Counts since the start or since the last reset. Admin requests are not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// HTTP requests; a batch is one.
    pub http_requests: u64,
    /// Calls by endpoint.
    pub calls: BTreeMap<Endpoint, Calls>,
    /// Quota units spent by all mailboxes.
    pub units: u64,
    /// Quota units by mailbox.
    pub units_by_mailbox: BTreeMap<String, u64>,
    /// Bytes of request bodies.
    pub request_bytes: u64,
    /// Bytes of answer bodies.
    pub response_bytes: u64,
}

impl Stats {
    /// The calls of one endpoint.
    pub fn of(&self, endpoint: Endpoint) -> Calls {
        self.calls.get(&endpoint).copied().unwrap_or_default()
    }
}

/// Calls of one endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Calls {
    /// Requests of their own.
    pub single: u64,
    /// Parts of batches.
    pub parts: u64,
    /// Those among both that were answered with a status of 400 or more.
    pub refused: u64,
}

impl Calls {
    /// All calls, alone and in batches.
    pub fn total(&self) -> u64 {
        self.single + self.parts
    }
}

/// One request that came in; never with a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SeenRequest {
    /// Where it went.
    pub endpoint: Endpoint,
    /// Alone or in a batch.
    pub place: Place,
    /// Whose it was, if its token was good.
    pub mailbox: Option<String>,
    /// Path and query.
    pub target: String,
    /// HTTP status of the answer; 0 if none came.
    pub status: u16,
}

/// A deviation from the API description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Violation {
    /// The request, without tokens.
    pub request: String,
    /// What is wrong.
    pub fault: String,
}

/// What the server writes down.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// Counts.
    pub(crate) stats: Stats,
    /// The latest requests.
    pub(crate) seen: VecDeque<SeenRequest>,
    /// Deviations, the first few hundred.
    pub(crate) violations: Vec<Violation>,
}

/// More than this many say nothing new.
const MOST_VIOLATIONS: usize = 500;

impl Journal {
    /// Counts a call and remembers it among the latest `keep`.
    pub(crate) fn note(&mut self, seen: SeenRequest, keep: usize) {
        let calls = self.stats.calls.entry(seen.endpoint).or_default();
        if seen.place == Place::Part {
            calls.parts += 1;
        } else {
            calls.single += 1;
        }
        calls.refused += u64::from(seen.status >= 400);
        self.seen.push_back(seen);
        while self.seen.len() > keep {
            self.seen.pop_front();
        }
    }

    /// Forgets counts and requests; deviations stay.
    pub(crate) fn reset(&mut self) {
        self.stats = Stats::default();
        self.seen.clear();
    }

    /// Counts units.
    pub(crate) fn spend(&mut self, mailbox: &str, units: u64) {
        self.stats.units += units;
        *self
            .stats
            .units_by_mailbox
            .entry(mailbox.to_owned())
            .or_default() += units;
    }

    /// Writes deviations down.
    pub(crate) fn violate(&mut self, request: &str, faults: Vec<String>) {
        let room = MOST_VIOLATIONS.saturating_sub(self.violations.len());
        let new = faults.into_iter().take(room);
        self.violations.extend(new.map(|fault| Violation {
            request: request.to_owned(),
            fault,
        }));
    }
}
