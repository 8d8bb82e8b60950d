//! HTTP towards Google: one connection pool, no redirects, bounded answers, every failure classified.

use std::time::Duration;

use bytes::BytesMut;
use chrono::Utc;
use reqwest::{RequestBuilder, Response, header};

use super::fault::{Fault, classify};
use crate::config::Google;

/// The pool of connections, shared by all mailboxes.
#[derive(Clone)]
pub struct GmailClient {
    http: reqwest::Client,
    base: String,
    max_bytes: usize,
}

/// A whole answer.
pub(super) struct Answer {
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
    /// The connection broke before the end.
    pub(super) truncated: bool,
}

/// Chooses ring for TLS; harmless to repeat.
pub fn install_tls_provider() {
    // An error says that a provider is installed already, which is what we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl GmailClient {
    /// Builds the pool.
    ///
    /// # Errors
    /// The TLS set-up of this machine is unusable.
    pub fn new(google: &Google) -> Result<Self, reqwest::Error> {
        install_tls_provider();
        let http = reqwest::Client::builder()
            // "gzip" in the agent is what makes Google compress.
            .user_agent(concat!(
                "crm-health-sync/",
                env!("CARGO_PKG_VERSION"),
                " (gzip)"
            ))
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(google.request_timeout_seconds))
            .connect_timeout(Duration::from_secs(google.connect_timeout_seconds))
            .pool_idle_timeout(Duration::from_secs(60))
            .build()?;
        let base = google.gmail_base_url.trim_end_matches('/').to_owned();
        Ok(Self {
            http,
            base,
            max_bytes: google.max_response_bytes,
        })
    }

    /// The pool itself, for the token endpoint.
    #[must_use]
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.http
            .get(format!("{}{path}", self.base))
            .query(&[("prettyPrint", "false")])
    }

    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.base))
    }

    pub(super) async fn send(&self, request: RequestBuilder, token: &str) -> Result<Answer, Fault> {
        let response = request
            .bearer_auth(token)
            .send()
            .await
            .map_err(|e| network(&e))?;
        let status = response.status().as_u16();
        let text = |name: header::HeaderName| {
            response
                .headers()
                .get(name)
                .and_then(|v| v.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        let content_type = text(header::CONTENT_TYPE);
        let retry_after = text(header::RETRY_AFTER);
        let (body, truncated) = read_limited(response, self.max_bytes).await?;
        // What these two mean stands in the body.
        if truncated && matches!(status, 400 | 403) {
            return Err(Fault::Backend(format!("HTTP {status}, cut off")));
        }
        if !(200..300).contains(&status) {
            let retry_after = (!retry_after.is_empty()).then_some(retry_after.as_str());
            return Err(classify(status, retry_after, &body, Utc::now()));
        }
        Ok(Answer {
            content_type,
            body,
            truncated,
        })
    }
}

/// Reads at most `max` bytes; true when the connection broke before the end.
///
/// # Errors
/// [`Fault::TooLarge`] beyond `max`.
pub async fn read_limited(mut response: Response, max: usize) -> Result<(Vec<u8>, bool), Fault> {
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > max => return Err(Fault::TooLarge),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok((body.into(), false)),
            Err(_) => return Ok((body.into(), true)),
        }
    }
}

/// Without the URL: it is of no use in a report.
fn network(error: &reqwest::Error) -> Fault {
    let kind = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    };
    Fault::Backend(kind.to_owned())
}
