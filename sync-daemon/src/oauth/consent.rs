//! Google's consent for an installed application: loopback redirect, PKCE, state.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use super::cipher::Field;
use super::endpoint::{self, Refusal};
use crate::config::Config;
use crate::failure::Failure;
use crate::gmail::read_limited;
use crate::run::Engine;

const SCOPE: &str = "https://www.googleapis.com/auth/gmail.readonly";
const PATIENCE: Duration = Duration::from_secs(600);
const MAX_REQUEST: usize = 16 * 1024;

/// A consent under way.
pub struct Consent {
    listener: TcpListener,
    redirect: String,
    verifier: SecretString,
    state: String,
    url: Url,
}

impl Consent {
    /// Listens for Google's answer and builds the address to open.
    ///
    /// # Errors
    /// The port is taken, or no client id is configured.
    pub async fn begin(config: &Config, port: u16) -> Result<Self, Failure> {
        let refused = |reason: String| Failure::Configuration(reason);
        if config.google.client_id.is_empty() {
            return Err(refused("CRM_HEALTH_GOOGLE_CLIENT_ID is not set".to_owned()));
        }
        let listener = TcpListener::bind(("127.0.0.1", port)).await;
        let listener = listener.map_err(|e| {
            refused(format!(
                "no port for Google's answer: {e}; --port chooses one"
            ))
        })?;
        let address = listener.local_addr().map_err(|e| refused(e.to_string()))?;
        let redirect = format!("http://{address}/");
        let (verifier, state) = (random_text(), random_text());
        let mut url = Url::parse(&config.google.consent_url)
            .map_err(|e| refused(format!("google.consent_url: {e}")))?;
        url.query_pairs_mut().extend_pairs([
            ("client_id", config.google.client_id.as_str()),
            ("redirect_uri", &redirect),
            ("response_type", "code"),
            ("scope", SCOPE),
            ("access_type", "offline"),
            // Without it Google gives a refresh token only once.
            ("prompt", "consent"),
            ("code_challenge", &challenge(&verifier)),
            ("code_challenge_method", "S256"),
            ("state", &state),
        ]);
        Ok(Self {
            listener,
            redirect,
            verifier: verifier.into(),
            state,
            url,
        })
    }

    /// The address to open in a browser.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Waits for the answer, trades the code for tokens and stores them; returns the mailbox's address.
    ///
    /// # Errors
    /// Consent was refused, took too long, or does not cover reading.
    pub async fn finish(
        self,
        engine: &Engine,
        user: Uuid,
        stop: CancellationToken,
    ) -> Result<String, Failure> {
        let code = tokio::select! {
            code = tokio::time::timeout(PATIENCE, self.wait_for_code()) =>
                code.map_err(|_| Failure::Consent("nobody answered in ten minutes".to_owned()))??,
            () = stop.cancelled() => return Err(Failure::Interrupted),
        };
        let parameters = [
            ("grant_type", "authorization_code"),
            ("code", code.expose_secret()),
            ("redirect_uri", self.redirect.as_str()),
            ("code_verifier", self.verifier.expose_secret()),
        ];
        let grant = endpoint::ask(engine.client.http(), &engine.config, &parameters).await;
        let grant = grant.map_err(|refusal| match refusal {
            Refusal::InvalidGrant => {
                Failure::Consent("Google does not accept the answer's code: try again".to_owned())
            }
            other => other.into_failure(),
        })?;
        if !grant.scope.is_empty() && !grant.scope.split(' ').any(|s| s == SCOPE) {
            return Err(Failure::ScopeMissing);
        }
        let Some(refresh) = &grant.refresh_token else {
            return Err(Failure::Consent("Google gave no refresh token".to_owned()));
        };
        let email = mailbox_address(engine, &grant.access_token).await?;
        let access = engine.cipher.seal(user, Field::Access, &grant.access_token);
        let refresh = engine.cipher.seal(user, Field::Refresh, refresh);
        let store = &engine.store;
        store
            .connect_mailbox(
                user,
                &email,
                &access,
                &refresh,
                grant.expires_in,
                &grant.scope,
            )
            .await?;
        Ok(email)
    }

    /// Browsers also ask for icons: only an answer with our state counts.
    async fn wait_for_code(&self) -> Result<SecretString, Failure> {
        loop {
            let Ok((mut stream, _)) = self.listener.accept().await else {
                continue;
            };
            let read =
                tokio::time::timeout(Duration::from_secs(5), read_request(&mut stream)).await;
            let Some(query) = read.ok().flatten().and_then(|r| query_of(&r)) else {
                continue;
            };
            let value = |name: &str| {
                query
                    .iter()
                    .find(|(k, _)| k == name)
                    .map(|(_, v)| v.as_str())
            };
            let ours =
                value("state").is_some_and(|s| s.as_bytes().ct_eq(self.state.as_bytes()).into());
            match (ours, value("code"), value("error")) {
                (true, Some(code), _) => {
                    answer(
                        &mut stream,
                        "200 OK",
                        "The mailbox is connected. You can close this page.",
                    )
                    .await;
                    return Ok(code.to_owned().into());
                }
                (true, None, Some(error)) => {
                    answer(
                        &mut stream,
                        "200 OK",
                        "Consent was refused. Nothing is connected.",
                    )
                    .await;
                    let error: String = error
                        .chars()
                        .filter(|c| c.is_ascii_graphic())
                        .take(60)
                        .collect();
                    return Err(Failure::Consent(format!("consent was refused ({error})")));
                }
                _ => answer(&mut stream, "404 Not Found", "Nothing here.").await,
            }
        }
    }
}

async fn mailbox_address(engine: &Engine, token: &SecretString) -> Result<String, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Profile {
        email_address: String,
    }
    let base = engine.config.google.gmail_base_url.trim_end_matches('/');
    let request = engine
        .client
        .http()
        .get(format!("{base}/gmail/v1/users/me/profile"));
    let request = request.query(&[("fields", "emailAddress"), ("prettyPrint", "false")]);
    let unreadable = || Failure::Backend("the mailbox's profile cannot be read".to_owned());
    let response = request.bearer_auth(token.expose_secret()).send().await;
    let response = response
        .ok()
        .filter(|r| r.status().is_success())
        .ok_or_else(unreadable)?;
    let (body, _) = read_limited(response, 64 * 1024)
        .await
        .map_err(|_| unreadable())?;
    let profile: Profile = serde_json::from_slice(&body).map_err(|_| unreadable())?;
    Ok(profile.email_address)
}

/// 32 random bytes, as text.
fn random_text() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    let mut piece = [0_u8; 1024];
    while !request.windows(4).any(|w| w == b"\r\n\r\n") && request.len() < MAX_REQUEST {
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => request.extend_from_slice(&piece[..count]),
        }
    }
    String::from_utf8(request).ok()
}

fn query_of(request: &str) -> Option<Vec<(String, String)>> {
    let target = request.strip_prefix("GET ")?.split_whitespace().next()?;
    let url = Url::parse("http://127.0.0.1").ok()?.join(target).ok()?;
    Some(url.query_pairs().into_owned().collect())
}

async fn answer(stream: &mut TcpStream, status: &str, text: &str) {
    let head = "Content-Type: text/plain; charset=utf-8\r\nConnection: close";
    let response = format!(
        "HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    );
    // The browser may be gone; the code is what counts.
    let _ = stream.write_all(response.as_bytes()).await;
    let _ = stream.shutdown().await;
}
