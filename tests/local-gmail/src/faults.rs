//! Faults on demand: rules that say which requests go wrong, how, and how often.

use serde::{Deserialize, Serialize};

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Endpoint {
    /// `users.getProfile`.
    Profile,
    /// `users.messages.list`.
    List,
    /// `users.messages.get`.
    Get,
    /// `users.history.list`.
    History,
    /// `users.settings.sendAs.list`.
    SendAs,
    /// A batch as a whole.
    Batch,
    /// The OAuth token endpoint.
    Token,
    /// The OAuth consent page.
    Consent,
}

/// Whether a call comes alone or in a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Either.
    #[default]
    Any,
    /// A request of its own.
    Single,
    /// A part of a batch.
    Part,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// 401: the access token is not accepted.
    Unauthorized,
    /// The token endpoint's refusal (`invalid_grant`, `invalid_client`, `unauthorized_client`, …),
    /// or the consent page's (`access_denied`).
    Oauth {
        /// The value of `error`.
        error: String,
    },
    /// 403 with this reason (`domainPolicy`, `insufficientPermissions`, `dailyLimitExceeded`, …).
    Forbidden {
        /// The value of `reason`.
        reason: String,
    },
    /// A rate limit.
    RateLimited {
        /// 403 or 429.
        #[serde(default = "too_many")]
        status: u16,
        /// `rateLimitExceeded`, `userRateLimitExceeded`, …
        #[serde(default = "rate_limit_exceeded")]
        reason: String,
        /// The `Retry-After` header, in seconds; in a batch it stands in the part.
        #[serde(default)]
        retry_after_seconds: Option<u64>,
        /// Seconds from the server's present to the instant in the text: `Retry after 2026-…Z`.
        #[serde(default)]
        retry_in_text_seconds: Option<u64>,
    },
    /// 404: gone, never there, or a history id that is too old.
    NotFound,
    /// 410.
    Gone,
    /// 400.
    BadRequest,
    /// 500, 502, 503, 504, …
    ServerError {
        /// The status.
        status: u16,
        /// Whether the body is a proxy's HTML page instead of JSON.
        #[serde(default)]
        html: bool,
    },
    /// The connection is reset before any answer.
    Reset,
    /// The connection is reset in the middle of the body.
    ResetMidBody,
    /// Only the first part of the body comes, in an HTTP answer that looks whole.
    Truncated {
        /// How much comes, in percent of the bytes.
        keep_percent: u8,
    },
    /// On a batch: so many parts are not answered. On a call: its part is not.
    Missing {
        /// How many parts of a whole batch.
        #[serde(default = "one")]
        count: usize,
    },
    /// Every part of a batch is answered twice.
    Duplicated,
    /// The parts of a batch come in reversed order.
    Reversed,
    /// The body is no JSON.
    MalformedJson,
    /// Numbers stand for strings, strings for numbers and lists.
    WrongTypes,
    /// A header value (elsewhere: the first string) of this many bytes.
    HugeHeader {
        /// Its length.
        bytes: usize,
    },
    /// Header values (elsewhere: all strings) hold U+0000.
    NulBytes,
    /// Header values (elsewhere: all strings) hold a byte that is never UTF-8.
    BrokenUtf8,
    /// Header values (elsewhere: all strings) hold half of a surrogate pair, as a JSON escape.
    LoneSurrogates,
    /// A refusal with this reason whose connection is reset in the middle of the body.
    CutRefusal {
        /// 403, 429, …
        status: u16,
        /// The value of `reason`, of which nothing arrives.
        reason: String,
    },
    /// 302 to another place.
    Redirect {
        /// The `Location`.
        location: String,
    },
    /// No answer ever comes.
    Hang,
    /// The right answer comes late.
    Delay {
        /// By so many milliseconds.
        milliseconds: u64,
    },
    /// A page of a listing that has nothing but a `nextPageToken` to where it began.
    EmptyPage,
}

fn too_many() -> u16 {
    429
}

fn rate_limit_exceeded() -> String {
    "rateLimitExceeded".to_owned()
}

fn one() -> usize {
    1
}

/// Which requests go wrong, how, and how often.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Requests to this endpoint …
    pub endpoint: Endpoint,
    /// … go wrong like this,
    pub fault: Fault,
    /// so many times (always, if absent),
    #[serde(default)]
    pub times: Option<u32>,
    /// after so many that pass,
    #[serde(default)]
    pub skip: u32,
    /// alone or in a batch,
    #[serde(default)]
    pub place: Place,
    /// of this mailbox only,
    #[serde(default)]
    pub mailbox: Option<String>,
    /// for this message only.
    #[serde(default)]
    pub message: Option<String>,
}

impl FaultRule {
    /// The next request to this endpoint goes wrong.
    pub fn once(endpoint: Endpoint, fault: Fault) -> Self {
        Self {
            endpoint,
            fault,
            times: Some(1),
            skip: 0,
            place: Place::Any,
            mailbox: None,
            message: None,
        }
    }

    /// Every request to this endpoint goes wrong until the faults are cleared.
    pub fn always(endpoint: Endpoint, fault: Fault) -> Self {
        Self {
            times: None,
            ..Self::once(endpoint, fault)
        }
    }

    /// So many requests go wrong.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// So many requests pass first.
    #[must_use]
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// Alone or in a batch only.
    #[must_use]
    pub fn place(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// Of this mailbox only.
    #[must_use]
    pub fn mailbox(mut self, address: &str) -> Self {
        self.mailbox = Some(address.to_lowercase());
        self
    }

    /// For this message only.
    #[must_use]
    pub fn message(mut self, id: &str) -> Self {
        self.message = Some(id.to_owned());
        self
    }
}
