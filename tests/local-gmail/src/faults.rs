//! Faults on demand: rules that say which requests go wrong, how, and how often.

use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::clock::rfc3339;
use crate::lock::locked;
use crate::reply::{Answer, ApiError, Reply};

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
    /// As a batch: so many parts are not answered. As a part: it is the one.
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

    fn fits(&self, target: &Target<'_>) -> bool {
        let fits_mailbox = self
            .mailbox
            .as_deref()
            .is_none_or(|own| target.mailbox == Some(own));
        let fits_message = self
            .message
            .as_deref()
            .is_none_or(|own| target.message == Some(own));
        let fits_place = self.place == Place::Any || self.place == target.place;
        self.endpoint == target.endpoint && fits_mailbox && fits_message && fits_place
    }
}

/// A rule and how often it has struck.
#[derive(Clone, Debug, Serialize)]
pub struct FaultReport {
    /// The rule; `times` and `skip` say what is left of them.
    pub rule: FaultRule,
    /// How many requests it has hit.
    pub hits: u32,
}

/// What a request is, as far as rules look at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    /// Where it goes.
    pub(crate) endpoint: Endpoint,
    /// Alone or in a batch.
    pub(crate) place: Place,
    /// Whose it is, if known.
    pub(crate) mailbox: Option<&'a str>,
    /// The message it asks for.
    pub(crate) message: Option<&'a str>,
}

/// The rules of a server.
#[derive(Debug, Default)]
pub(crate) struct FaultBook {
    rules: Mutex<Vec<FaultReport>>,
}

impl FaultBook {
    /// Adds a rule behind the others.
    pub(crate) fn add(&self, mut rule: FaultRule) {
        rule.mailbox = rule.mailbox.map(|address| address.to_lowercase());
        locked(&self.rules).push(FaultReport { rule, hits: 0 });
    }

    /// Drops all rules.
    pub(crate) fn clear(&self) {
        locked(&self.rules).clear();
    }

    /// All rules, used up ones too.
    pub(crate) fn reports(&self) -> Vec<FaultReport> {
        locked(&self.rules).clone()
    }

    /// The fault for this request: that of the first rule that fits and is not used up.
    pub(crate) fn take(&self, target: &Target<'_>) -> Option<Fault> {
        let mut rules = locked(&self.rules);
        let fitting = rules
            .iter_mut()
            .filter(|r| r.rule.times != Some(0) && r.rule.fits(target));
        for report in fitting {
            if report.rule.skip > 0 {
                report.rule.skip -= 1;
                continue;
            }
            report.hits += 1;
            report.rule.times = report.rule.times.map(|left| left - 1);
            return Some(report.rule.fault.clone());
        }
        None
    }
}

impl Fault {
    /// The answer in place of the right one, for faults that need no right one.
    pub(crate) fn refusal(&self, now_ms: i64) -> Option<Answer> {
        Some(match self {
            Self::Reset => Answer::Reset,
            Self::Hang => Answer::Hang,
            Self::ServerError { status, html: true } => Answer::Whole(html_error(*status)),
            Self::Redirect { location } => {
                let reply = Reply::json(302, "{}").with("location", location.clone());
                Answer::Whole(reply)
            }
            _ => Answer::Whole(self.error(now_ms)?.reply()),
        })
    }

    fn error(&self, now_ms: i64) -> Option<ApiError> {
        Some(match self {
            Self::Unauthorized => ApiError::unauthorized(),
            Self::Forbidden { reason } => ApiError::new(403, reason, forbidden_text(reason)),
            Self::NotFound => ApiError::not_found(),
            Self::Gone => ApiError::new(410, "deleted", "Resource has been deleted"),
            Self::BadRequest => {
                ApiError::new(400, "failedPrecondition", "Precondition check failed.")
            }
            Self::ServerError { status, .. } => {
                ApiError::new(*status, "backendError", "Backend Error")
            }
            Self::RateLimited {
                status,
                reason,
                retry_after_seconds,
                retry_in_text_seconds,
            } => {
                let message = rate_text(*retry_in_text_seconds, now_ms);
                let error = ApiError::new(*status, reason, message);
                ApiError {
                    retry_after: *retry_after_seconds,
                    ..error
                }
            }
            _ => return None,
        })
    }
}

fn rate_text(retry_in_seconds: Option<u64>, now_ms: i64) -> String {
    let Some(seconds) = retry_in_seconds else {
        return "Rate Limit Exceeded".to_owned();
    };
    let at_ms = now_ms.saturating_add_unsigned(seconds.saturating_mul(1000));
    format!("User-rate limit exceeded.  Retry after {}", rfc3339(at_ms))
}

fn forbidden_text(reason: &str) -> &'static str {
    match reason {
        "domainPolicy" => "The domain administrators have disabled Gmail apps.",
        "dailyLimitExceeded" => "Daily Limit Exceeded",
        "rateLimitExceeded" => "Rate Limit Exceeded",
        "userRateLimitExceeded" => "User Rate Limit Exceeded",
        "insufficientPermissions" => "Request had insufficient authentication scopes.",
        "accessNotConfigured" => "Gmail API has not been used in this project before.",
        _ => "Forbidden",
    }
}

fn html_error(status: u16) -> Reply {
    let body =
        format!("<!DOCTYPE html>\n<html><title>Error {status} (Server Error)!!1</title></html>");
    let content_type = "text/html; charset=UTF-8".to_owned();
    Reply {
        status,
        headers: Vec::new(),
        content_type,
        body: body.into(),
    }
}
