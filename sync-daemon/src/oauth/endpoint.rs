//! The token endpoint: what it is asked and what its answers mean.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::config::Config;
use crate::failure::Failure;
use crate::gmail::read_limited;

/// Far more than a token answer has.
const MAX_ANSWER: usize = 64 * 1024;

/// What Google says of a refresh token that it gave to another client.
const OF_ANOTHER_CLIENT: &str = "unauthorized_client";

/// A granted token.
pub struct Grant {
    /// The access token.
    pub access_token: SecretString,
    /// Seconds it lives.
    pub expires_in: f64,
    /// Only with a consent, or if the server rotates.
    pub refresh_token: Option<SecretString>,
    /// What was granted.
    pub scope: String,
}

/// What went wrong at the endpoint.
#[derive(Debug)]
pub enum Refusal {
    /// `invalid_grant`
    InvalidGrant,
    /// Try again.
    Passing(String),
    /// Our configuration, whatever the user.
    Operator(String),
    /// Our client is accepted, but not with this grant.
    Grant(String),
    /// The stored refresh token cannot be opened; Google was not asked.
    Unreadable(String),
}

impl Refusal {
    /// As a reason to stop.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        match self {
            Self::InvalidGrant => Failure::ReconnectRequired,
            Self::Passing(reason) => Failure::Transient(reason),
            Self::Operator(reason) => Failure::Operator(reason),
            Self::Grant(reason) if reason == OF_ANOTHER_CLIENT => Failure::ForeignGrant,
            Self::Grant(reason) => Failure::Refused(format!("{reason} for its grant")),
            Self::Unreadable(reason) => Failure::Token(reason),
        }
    }
}

#[derive(Deserialize)]
struct GrantBody {
    access_token: String,
    #[serde(default = "an_hour")]
    expires_in: f64,
    refresh_token: Option<String>,
    #[serde(default)]
    scope: String,
}

fn an_hour() -> f64 {
    3600.0
}

#[derive(Deserialize)]
struct ErrorBody {
    error: String,
}

/// Asks for a token with a grant that cannot exist: `invalid_grant` proves that our client is accepted.
///
/// # Errors
/// [`Refusal`], where it is not, or nobody knows.
pub async fn try_client(http: &reqwest::Client, config: &Config) -> Result<(), Refusal> {
    let parameters = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "check-config"),
    ];
    match ask(http, config, &parameters).await {
        Ok(_) | Err(Refusal::InvalidGrant) => Ok(()),
        Err(refusal) => Err(refusal),
    }
}

/// Trades a refresh token for an access token. What Google says of a grant, for instance that it was given to another
/// client, it may also say of our client, which concerns everyone: another question tells.
///
/// # Errors
/// [`Refusal`]
pub async fn refresh(
    http: &reqwest::Client,
    config: &Config,
    refresh_token: &str,
) -> Result<Grant, Refusal> {
    let parameters = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
    ];
    match ask(http, config, &parameters).await {
        Err(Refusal::Operator(reason)) if reason != "invalid_client" => {
            try_client(http, config).await?;
            Err(Refusal::Grant(reason))
        }
        outcome => outcome,
    }
}

/// Asks the endpoint once.
///
/// # Errors
/// [`Refusal`]
pub async fn ask(
    http: &reqwest::Client,
    config: &Config,
    parameters: &[(&str, &str)],
) -> Result<Grant, Refusal> {
    let secret = config
        .secrets
        .client_secret
        .as_ref()
        .map(ExposeSecret::expose_secret);
    let client = [
        ("client_id", config.google.client_id.as_str()),
        ("client_secret", secret.unwrap_or_default()),
    ];
    let form: Vec<(&str, &str)> = parameters
        .iter()
        .copied()
        .chain(client)
        .filter(|(_, v)| !v.is_empty())
        .collect();
    let response = http.post(&config.google.token_url).form(&form).send().await;
    let response = response.map_err(|e| {
        Refusal::Passing(
            if e.is_timeout() {
                "no answer in time"
            } else {
                "no connection"
            }
            .to_owned(),
        )
    })?;
    let status = response.status().as_u16();
    let read = read_limited(response, MAX_ANSWER).await;
    let (body, truncated) =
        read.map_err(|_| Refusal::Passing("the answer is too large".to_owned()))?;
    if truncated {
        return Err(Refusal::Passing("the answer was cut off".to_owned()));
    }
    if status == 200 {
        granted(&body)
    } else {
        Err(refused(status, &body))
    }
}

fn granted(body: &[u8]) -> Result<Grant, Refusal> {
    let grant = serde_json::from_slice::<GrantBody>(body)
        .map_err(|_| Refusal::Passing("the answer is not a token".to_owned()))?;
    if grant.access_token.is_empty() {
        return Err(Refusal::Passing("the answer is not a token".to_owned()));
    }
    Ok(Grant {
        access_token: grant.access_token.into(),
        expires_in: grant.expires_in.clamp(0.0, 86_400.0),
        refresh_token: grant.refresh_token.map(SecretString::from),
        scope: grant.scope,
    })
}

fn refused(status: u16, body: &[u8]) -> Refusal {
    let error = serde_json::from_slice::<ErrorBody>(body)
        .map(|e| e.error)
        .unwrap_or_default();
    match error.as_str() {
        "invalid_grant" => Refusal::InvalidGrant,
        "invalid_client"
        | OF_ANOTHER_CLIENT
        | "unsupported_grant_type"
        | "invalid_request"
        | "invalid_scope" => Refusal::Operator(error),
        _ if status >= 500 || status == 429 || status == 408 => {
            Refusal::Passing(format!("HTTP {status}"))
        }
        // An unknown refusal must not disable a user: it is looked at by a person.
        _ => Refusal::Operator(format!("HTTP {status}")),
    }
}
