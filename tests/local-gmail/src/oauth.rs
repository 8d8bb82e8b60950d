//! Google's OAuth: the token endpoint, revocation, and a consent page that consents at once.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::Url;

use crate::app::App;
use crate::auth::{Code, Grant, SCOPE_METADATA, SCOPE_READONLY};
use crate::faults::{Endpoint, Fault, Place, Target};
use crate::lock::locked;
use crate::mangle::mangle;
use crate::reply::{Answer, Reply};
use crate::stats::SeenRequest;

type Form = HashMap<String, String>;

/// An error of RFC 6749, section 5.2.
struct Refusal {
    status: u16,
    error: String,
    description: &'static str,
}

impl Refusal {
    fn new(status: u16, error: &str, description: &'static str) -> Self {
        Self {
            status,
            error: error.to_owned(),
            description,
        }
    }

    fn grant(description: &'static str) -> Self {
        Self::new(400, "invalid_grant", description)
    }

    /// The refusal of this name, in Google's words.
    fn named(error: &str) -> Self {
        let (status, description) = match error {
            "invalid_grant" => (400, "Token has been expired or revoked."),
            "invalid_client" => (401, "The OAuth client was not found."),
            "unauthorized_client" => (401, "Unauthorized"),
            _ => (400, "Bad Request"),
        };
        Self::new(status, error, description)
    }

    fn reply(&self) -> Reply {
        let body = json!({ "error": self.error, "error_description": self.description });
        Reply::json(self.status, format!("{body:#}"))
    }
}

/// `POST /token`; `basic` is the value of a Basic Authorization header.
pub(crate) async fn token(app: &App, body: &[u8], basic: Option<&str>) -> Answer {
    let form: Form = url::form_urlencoded::parse(body).into_owned().collect();
    let mailbox = form.get("refresh_token").and_then(|token| {
        locked(&app.auth)
            .refresh_grant(token)
            .map(|grant| grant.mailbox.clone())
    });
    let fault = take(app, Endpoint::Token, mailbox.as_deref());
    if let Some(Fault::Delay { milliseconds }) = &fault {
        crate::server::sleep_ms(*milliseconds).await;
    }
    let answer = match fault.as_ref().and_then(|f| refusal(f, app.clock.now_ms())) {
        Some(refusal) => refusal,
        None => mangle(fault.as_ref(), exchanged(app, &form, basic)),
    };
    note(app, Endpoint::Token, mailbox, "/token", &answer);
    answer
}

fn exchanged(app: &App, form: &Form, basic: Option<&str>) -> Reply {
    match exchange(app, form, basic) {
        Ok(body) => Reply::json(200, format!("{body:#}")),
        Err(refusal) => refusal.reply(),
    }
}

fn refusal(fault: &Fault, now_ms: i64) -> Option<Answer> {
    match fault {
        Fault::Oauth { error } => Some(Answer::Whole(Refusal::named(error).reply())),
        Fault::ServerError {
            status,
            html: false,
        } => {
            let refusal = Refusal::new(*status, "internal_failure", "Backend Error");
            Some(Answer::Whole(refusal.reply()))
        }
        other => other.refusal(now_ms),
    }
}

fn take(app: &App, endpoint: Endpoint, mailbox: Option<&str>) -> Option<Fault> {
    app.faults.take(&Target {
        endpoint,
        place: Place::Single,
        mailbox,
        message: None,
    })
}

fn note(app: &App, endpoint: Endpoint, mailbox: Option<String>, path: &str, answer: &Answer) {
    let status = answer.status();
    let target = path.to_owned();
    let seen = SeenRequest {
        endpoint,
        place: Place::Single,
        mailbox,
        target,
        status,
    };
    locked(&app.journal).note(seen, app.config.request_log);
}

fn exchange(app: &App, form: &Form, basic: Option<&str>) -> Result<Value, Refusal> {
    check_client(app, form, basic)?;
    match form.get("grant_type").map(String::as_str) {
        Some("refresh_token") => refresh(app, form),
        Some("authorization_code") => redeem(app, form),
        _ => Err(Refusal::new(
            400,
            "unsupported_grant_type",
            "Invalid grant_type",
        )),
    }
}

fn check_client(app: &App, form: &Form, basic: Option<&str>) -> Result<(), Refusal> {
    let decoded = basic.and_then(|value| String::from_utf8(STANDARD.decode(value).ok()?).ok());
    let (id, secret) = match decoded.as_deref().and_then(|pair| pair.split_once(':')) {
        Some((id, secret)) => (Some(id), Some(secret)),
        None => (
            form.get("client_id").map(String::as_str),
            form.get("client_secret").map(String::as_str),
        ),
    };
    if id != Some(app.config.client_id.as_str()) {
        return Err(Refusal::named("invalid_client"));
    }
    if secret != Some(app.config.client_secret.as_str()) {
        return Err(Refusal::new(401, "invalid_client", "Unauthorized"));
    }
    Ok(())
}

fn refresh(app: &App, form: &Form) -> Result<Value, Refusal> {
    let token = form.get("refresh_token");
    let token = token.ok_or_else(|| {
        Refusal::new(
            400,
            "invalid_request",
            "Missing required parameter: refresh_token",
        )
    })?;
    let grant = locked(&app.auth).refresh_grant(token).cloned();
    Ok(access(
        app,
        grant.ok_or_else(|| Refusal::named("invalid_grant"))?,
    ))
}

fn redeem(app: &App, form: &Form) -> Result<Value, Refusal> {
    let code = form
        .get("code")
        .and_then(|code| locked(&app.auth).take_code(code));
    let code = code.ok_or_else(|| Refusal::grant("Malformed auth code."))?;
    if form.get("redirect_uri") != Some(&code.redirect_uri) {
        return Err(Refusal::new(400, "redirect_uri_mismatch", "Bad Request"));
    }
    if !code.verifies(form.get("code_verifier").map(String::as_str)) {
        return Err(Refusal::grant("Missing or invalid code verifier."));
    }
    let mut body = access(app, code.grant.clone());
    if code.offline {
        body["refresh_token"] = Value::from(locked(&app.auth).issue_refresh(code.grant));
    }
    Ok(body)
}

fn access(app: &App, grant: Grant) -> Value {
    let (now_ms, life) = (app.clock.now_ms(), app.config.access_token_seconds);
    let scope = grant.scopes.join(" ");
    let token = locked(&app.auth).issue_access(grant, now_ms, now_ms + life * 1000);
    json!({ "access_token": token, "expires_in": life, "scope": scope, "token_type": "Bearer" })
}

/// `POST /revoke`.
pub(crate) fn revoke(app: &App, body: &[u8]) -> Reply {
    let form: Form = url::form_urlencoded::parse(body).into_owned().collect();
    let known = form
        .get("token")
        .is_some_and(|token| locked(&app.auth).revoke_token(token));
    if known {
        return Reply::json(200, "{}");
    }
    Refusal::new(400, "invalid_token", "Token expired or revoked").reply()
}

/// `GET /o/oauth2/v2/auth`: the user consents at once, and the browser goes back to the loopback.
///
/// The mailbox is that of `login_hint`, else the first.
pub(crate) fn consent(app: &App, query: &str) -> Answer {
    let form: Form = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let mailbox = hinted(app, &form);
    let fault = take(app, Endpoint::Consent, mailbox.as_deref());
    let answer = match (&fault, asked(app, &form, mailbox.as_deref())) {
        (_, Err(reason)) => Answer::Whole(page(reason)),
        (Some(Fault::Oauth { error }), Ok((redirect, _))) => {
            Answer::Whole(back(redirect, &form, &[("error", error)]))
        }
        (fault, Ok((redirect, code))) => {
            let refused = fault.as_ref().and_then(|f| f.refusal(app.clock.now_ms()));
            refused.unwrap_or_else(|| {
                let scope = code.grant.scopes.join(" ");
                let code = locked(&app.auth).issue_code(code);
                Answer::Whole(back(redirect, &form, &[("code", &code), ("scope", &scope)]))
            })
        }
    };
    note(
        app,
        Endpoint::Consent,
        mailbox,
        "/o/oauth2/v2/auth",
        &answer,
    );
    answer
}

fn hinted(app: &App, form: &Form) -> Option<String> {
    match form.get("login_hint") {
        Some(hint) => app.find(hint).map(|_| hint.to_lowercase()),
        None => app.addresses().into_iter().next(),
    }
}

/// What the page was asked for: where to go back, and what the code will stand for.
fn asked(app: &App, form: &Form, mailbox: Option<&str>) -> Result<(Url, Code), &'static str> {
    let get = |name: &str| form.get(name).map(String::as_str);
    if get("client_id") != Some(app.config.client_id.as_str()) {
        return Err("invalid_client: the OAuth client was not found");
    }
    if get("response_type") != Some("code") {
        return Err("invalid_request: response_type must be code");
    }
    let challenge = get("code_challenge").map(str::to_owned);
    if challenge.is_some() && get("code_challenge_method") != Some("S256") {
        return Err("invalid_request: code_challenge_method must be S256");
    }
    let redirect_uri = get("redirect_uri").unwrap_or_default().to_owned();
    let redirect = loopback(&redirect_uri).ok_or("redirect_uri_mismatch")?;
    let scopes: Vec<String> = get("scope")
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    if !scopes
        .iter()
        .any(|scope| scope == SCOPE_READONLY || scope == SCOPE_METADATA)
    {
        return Err("invalid_scope");
    }
    let mailbox = mailbox.ok_or("no such account")?.to_owned();
    let offline = get("access_type") == Some("offline");
    let grant = Grant { mailbox, scopes };
    Ok((
        redirect,
        Code {
            grant,
            redirect_uri,
            challenge,
            offline,
        },
    ))
}

fn loopback(redirect_uri: &str) -> Option<Url> {
    let url = Url::parse(redirect_uri).ok()?;
    let local = matches!(url.host_str()?, "127.0.0.1" | "localhost" | "[::1]");
    (local && url.scheme() == "http").then_some(url)
}

fn back(mut redirect: Url, form: &Form, result: &[(&str, &str)]) -> Reply {
    let mut query = redirect.query_pairs_mut();
    if let Some(state) = form.get("state") {
        query.append_pair("state", state);
    }
    query.extend_pairs(result);
    drop(query);
    let mut reply = page("Redirecting").with("location", redirect.to_string());
    reply.status = 302;
    reply
}

fn page(text: &str) -> Reply {
    let content_type = "text/plain; charset=UTF-8".to_owned();
    Reply {
        status: 400,
        headers: Vec::new(),
        content_type,
        body: text.to_owned().into(),
    }
}
