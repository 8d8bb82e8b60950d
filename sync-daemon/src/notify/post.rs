//! One post to the other end: bounded in time and size, never redirected, every answer classified.
//!
//! The URL is a secret: it is in no error and no log line.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};

use crate::config::{ChannelKind, Notify};
use crate::gmail::install_tls_provider;

/// Slack's errors are words, others' are of no use to us beyond this.
const MAX_ANSWER: usize = 1_024;
/// Who is told to wait without being told how long.
const DEFAULT_WAIT: Duration = Duration::from_secs(30);
/// Nobody is waited for longer.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// Why a message did not arrive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// 429.
    #[error("asks to wait {} s", wait.as_secs())]
    Limited {
        /// How long.
        wait: Duration,
    },
    /// It may go better by itself.
    #[error("{reason}")]
    Passing {
        /// What happened.
        reason: String,
        /// The other end may have taken it all the same.
        unknown: bool,
    },
    /// It goes on like this until somebody mends it.
    #[error("{reason}: {mend}")]
    Misconfigured {
        /// What happened.
        reason: String,
        /// What to do.
        mend: &'static str,
    },
}

/// The pool of connections for posts.
#[derive(Clone)]
pub struct Poster {
    http: reqwest::Client,
}

impl Poster {
    /// Builds the pool.
    ///
    /// # Errors
    /// The TLS set-up of this machine is unusable.
    pub fn new(notify: &Notify) -> Result<Self, reqwest::Error> {
        install_tls_provider();
        let timeout = Duration::from_secs(notify.request_timeout_seconds);
        let http = reqwest::Client::builder()
            .user_agent(concat!("crm-health-sync/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .timeout(timeout)
            .connect_timeout(timeout)
            // Messages are minutes apart: a connection kept that long is a broken one.
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self { http })
    }

    /// Posts JSON.
    ///
    /// # Errors
    /// [`Undelivered`]
    pub(super) async fn post(
        &self,
        kind: ChannelKind,
        url: &SecretString,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> Result<(), Undelivered> {
        let request = self
            .http
            .post(url.expose_secret())
            .headers(header_map(headers))
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .body(body);
        let response = request.send().await.map_err(|e| network(&e))?;
        let status = response.status().as_u16();
        if (200..300).contains(&status) {
            return Ok(());
        }
        let wait = retry_after(response.headers());
        let answer = beginning(response).await;
        Err(classify(kind, status, wait, &answer))
    }
}

fn header_map(headers: &[(&'static str, String)]) -> HeaderMap {
    headers
        .iter()
        .filter_map(|(name, value)| {
            Some((
                HeaderName::from_static(name),
                HeaderValue::from_str(value).ok()?,
            ))
        })
        .collect()
}

/// Without the URL.
fn network(error: &reqwest::Error) -> Undelivered {
    let (reason, unknown) = if error.is_connect() {
        ("no connection", false)
    } else if error.is_timeout() {
        ("no answer in time", true)
    } else {
        ("the connection broke", true)
    };
    Undelivered::Passing {
        reason: reason.to_owned(),
        unknown,
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

/// The beginning of an answer, however much there is of it.
async fn beginning(mut response: reqwest::Response) -> String {
    let mut body = Vec::new();
    while body.len() < MAX_ANSWER {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            _ => break,
        }
    }
    body.truncate(MAX_ANSWER);
    String::from_utf8_lossy(&body).trim().to_owned()
}

fn classify(kind: ChannelKind, status: u16, wait: Option<Duration>, answer: &str) -> Undelivered {
    let misconfigured = |reason: String, mend| Undelivered::Misconfigured { reason, mend };
    match status {
        429 => Undelivered::Limited {
            wait: wait
                .unwrap_or(DEFAULT_WAIT)
                .clamp(Duration::from_secs(1), LONGEST_WAIT),
        },
        408 | 425 | 500..=599 => Undelivered::Passing {
            reason: format!("answered {status}"),
            unknown: false,
        },
        300..=399 => misconfigured(
            format!("answered {status}, a redirect, which is not followed"),
            "set the URL to where it leads",
        ),
        _ => {
            let word = match kind {
                ChannelKind::Slack => slack_word(answer),
                ChannelKind::Webhook => None,
            };
            let mend = word.map_or("check the URL, and the receiver's log", |(_, mend)| mend);
            let word = word.map_or(String::new(), |(word, _)| format!(" {word}"));
            misconfigured(format!("answered {status}{word}"), mend)
        }
    }
}

/// Slack's word for what is wrong, and the mend. An answer that is none of these words is not repeated: it could be
/// anything.
fn slack_word(answer: &str) -> Option<(&'static str, &'static str)> {
    const NEW_URL: &str = "make a new incoming webhook in Slack, and set its URL";
    const WORDS: [(&str, &str); 12] = [
        ("no_service", NEW_URL),
        ("no_service_id", NEW_URL),
        ("no_active_hooks", NEW_URL),
        ("no_team", NEW_URL),
        (
            "team_disabled",
            "the Slack workspace is disabled: use another",
        ),
        ("invalid_token", NEW_URL),
        (
            "channel_not_found",
            "the webhook's channel is gone: make a new webhook for another",
        ),
        (
            "channel_is_archived",
            "the webhook's channel is archived: take it back, or make a new webhook for another",
        ),
        (
            "action_prohibited",
            "an administrator of the workspace forbids it: ask them",
        ),
        (
            "posting_to_general_channel_denied",
            "make a webhook for another channel",
        ),
        (
            "invalid_payload",
            "the URL is of another kind of webhook, or Slack's rules changed: report it",
        ),
        ("invalid_blocks", "Slack's rules changed: report it"),
    ];
    WORDS.into_iter().find(|(word, _)| *word == answer)
}
