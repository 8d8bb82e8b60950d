//! What an answer of Gmail means when it is not the one hoped for.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::failure::Failure;

/// One failed answer, of a call or of one part of a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// 401: the access token is not accepted.
    Unauthorized,
    /// A rate or concurrency limit; `wait` when Gmail says how long.
    RateLimited {
        /// Gmail's own wish.
        wait: Option<Duration>,
    },
    /// 404 or 410.
    NotFound,
    /// 400: the request, or this one message, is refused.
    BadRequest(String),
    /// 5xx, a reset, a timeout, a broken or unreadable answer: try again.
    Backend(String),
    /// The answer is larger than is read.
    TooLarge,
    /// No answer for this part of a batch.
    Missing,
    /// `q` or the call itself is outside the grant's scopes.
    Scope,
    /// No retry helps.
    Final(Failure),
}

#[derive(Deserialize, Default)]
struct ErrorBody {
    #[serde(default)]
    error: ErrorDetail,
}

#[derive(Deserialize, Default)]
struct ErrorDetail {
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Vec<ErrorItem>,
    #[serde(default)]
    status: String,
}

#[derive(Deserialize, Default)]
struct ErrorItem {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    domain: String,
}

/// Classifies a status other than 2xx. `retry_after` is that header, `now` this machine's clock.
#[must_use]
pub fn classify(status: u16, retry_after: Option<&str>, body: &[u8], now: DateTime<Utc>) -> Fault {
    let detail = serde_json::from_slice::<ErrorBody>(body)
        .unwrap_or_default()
        .error;
    match status {
        401 => Fault::Unauthorized,
        403 => forbidden(&detail, retry_after, now),
        404 | 410 => Fault::NotFound,
        429 => limited_or_daily(&detail, retry_after, now),
        408 | 300..=399 | 500..=599 => Fault::Backend(format!("HTTP {status}")),
        400 => Fault::BadRequest(reason(&detail, "badRequest")),
        _ => Fault::Final(Failure::Refused(format!("HTTP {status}"))),
    }
}

fn forbidden(detail: &ErrorDetail, retry_after: Option<&str>, now: DateTime<Utc>) -> Fault {
    let reason = reason(detail, "forbidden");
    match reason.as_str() {
        "rateLimitExceeded"
        | "userRateLimitExceeded"
        | "dailyLimitExceeded"
        | "quotaExceeded"
        | "RATE_LIMIT_EXCEEDED" => limited_or_daily(detail, retry_after, now),
        "domainPolicy" => Fault::Final(Failure::AdminBlocked),
        "insufficientPermissions" | "ACCESS_TOKEN_SCOPE_INSUFFICIENT" => Fault::Scope,
        _ if is_metadata_scope(&detail.message) => Fault::Scope,
        _ => Fault::Final(Failure::Forbidden(reason)),
    }
}

fn limited_or_daily(detail: &ErrorDetail, retry_after: Option<&str>, now: DateTime<Utc>) -> Fault {
    if reason(detail, "") == "dailyLimitExceeded" {
        return Fault::Final(Failure::ProjectQuota);
    }
    let wait = retry_after
        .and_then(|h| wait_from_header(h, now))
        .or_else(|| wait_from_text(&detail.message, now));
    Fault::RateLimited { wait }
}

fn is_metadata_scope(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("metadata scope") || message.contains("insufficient authentication scopes")
}

fn reason(detail: &ErrorDetail, otherwise: &str) -> String {
    let listed = detail.errors.first().map(|e| {
        if e.reason.is_empty() {
            e.domain.as_str()
        } else {
            e.reason.as_str()
        }
    });
    let reason = match listed {
        Some(reason) if !reason.is_empty() => reason,
        _ if detail.status == "RESOURCE_EXHAUSTED" => "rateLimitExceeded",
        _ if !detail.status.is_empty() => &detail.status,
        _ => otherwise,
    };
    // It ends up in a table and in the JSON of a run: a word, not a page.
    reason
        .chars()
        .filter(|c| !c.is_control())
        .take(100)
        .collect()
}

/// `Retry-After`: seconds, or an HTTP date.
pub(crate) fn wait_from_header(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds.min(86_400)));
    }
    let at = DateTime::parse_from_rfc2822(value.trim()).ok()?;
    Some(until(at.with_timezone(&Utc), now))
}

/// `… Retry after 2026-11-23T08:00:05.123Z`, the only place where Gmail often says it.
fn wait_from_text(message: &str, now: DateTime<Utc>) -> Option<Duration> {
    const MARK: &str = "retry after ";
    let start = message.to_ascii_lowercase().find(MARK)? + MARK.len();
    let rest = message.get(start..)?;
    let time: String = rest
        .chars()
        .take_while(|c| c.is_ascii_digit() || "TZ:.+-".contains(*c))
        .collect();
    let at = DateTime::parse_from_rfc3339(time.trim_end_matches('.')).ok()?;
    Some(until(at.with_timezone(&Utc), now))
}

/// At most a day: a wrong clock must not silence a mailbox for longer.
fn until(at: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    let wait = (at - now).to_std().unwrap_or_default();
    wait.min(Duration::from_secs(86_400))
}

/// A fault that is left when all tries are over, as the reason to stop the mailbox.
#[must_use]
pub fn settle(fault: Fault) -> Failure {
    match fault {
        Fault::Unauthorized => Failure::AuthRejected,
        Fault::RateLimited { wait } => Failure::RateLimited {
            wait: wait.unwrap_or(Duration::from_secs(60)),
        },
        Fault::NotFound => Failure::Refused("HTTP 404".to_owned()),
        Fault::BadRequest(reason) => Failure::Refused(reason),
        Fault::Backend(reason) => Failure::Backend(reason),
        Fault::TooLarge => Failure::Backend("the answer is larger than is read".to_owned()),
        Fault::Missing => Failure::BatchShort,
        Fault::Scope => Failure::ScopeMissing,
        Fault::Final(failure) => failure,
    }
}
