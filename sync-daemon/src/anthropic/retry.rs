//! What an answer that is no reading means: wait, give up, or mend the set-up.

use std::time::Duration;

use chrono::Utc;
use serde::Deserialize;

use crate::gmail::fault::wait_from_header;

/// Why one request failed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fault {
    /// It passes: 429, 529, other 5xx, no connection. Nothing was counted.
    Passing {
        /// The header Retry-After.
        wait: Option<Duration>,
        reason: String,
    },
    /// It went out and no whole answer came back: it may have been counted.
    Lost(&'static str),
    /// Key, model or request are refused: it stays so until somebody mends it.
    Refused(String),
    /// The organisation's monthly limit at Anthropic is spent.
    SpendLimit,
}

#[derive(Default, Deserialize)]
struct Body {
    #[serde(default)]
    error: Detail,
}

#[derive(Default, Deserialize)]
struct Detail {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    details: Option<Code>,
}

#[derive(Deserialize)]
struct Code {
    #[serde(default)]
    error_code: Option<String>,
}

/// Classifies a status other than 2xx.
pub(super) fn classify(status: u16, retry_after: Option<&str>, body: &[u8]) -> Fault {
    let Body { error } = serde_json::from_slice(body).unwrap_or_default();
    // The name of an error is a word; the message could be anything, and is left out.
    let word: String = error
        .kind
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        .take(50)
        .collect();
    let reason = format!("HTTP {status} {word}").trim_end().to_owned();
    let code = error.details.and_then(|d| d.error_code);
    match status {
        429 if code.as_deref() == Some("enforced_spend_limit_reached") => Fault::SpendLimit,
        408 | 429 | 500..=599 => Fault::Passing {
            wait: retry_after.and_then(|text| wait_from_header(text, Utc::now())),
            reason,
        },
        _ => Fault::Refused(reason),
    }
}

/// A request that got no status at all.
pub(super) fn network(error: &reqwest::Error) -> Fault {
    if error.is_connect() {
        let reason = "no connection".to_owned();
        Fault::Passing { wait: None, reason }
    } else if error.is_timeout() {
        Fault::Lost("no answer in time")
    } else {
        Fault::Lost("the connection broke")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_stays() {
        let passing = |wait: Option<u64>, reason: &str| Fault::Passing {
            wait: wait.map(Duration::from_secs),
            reason: reason.to_owned(),
        };
        let body = br#"{"type":"error","error":{"type":"overloaded_error","message":"sk-secret"}}"#;
        assert_eq!(
            classify(529, Some("7"), body),
            passing(Some(7), "HTTP 529 overloaded_error")
        );
        assert_eq!(classify(503, None, b"<html>"), passing(None, "HTTP 503"));
        assert_eq!(
            classify(401, None, b""),
            Fault::Refused("HTTP 401".to_owned())
        );
        let spent = br#"{"error":{"details":{"error_code":"enforced_spend_limit_reached"}}}"#;
        assert_eq!(classify(429, None, spent), Fault::SpendLimit);
    }
}
