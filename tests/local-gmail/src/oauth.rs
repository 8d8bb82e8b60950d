//! Google's OAuth: the token endpoint and revocation.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::app::App;
use crate::auth::Grant;
use crate::fault_book::Target;
use crate::faults::{Endpoint, Fault, Place};
use crate::lock::locked;
use crate::mangle::mangle;
use crate::reply::{Answer, Reply};
use crate::stats::SeenRequest;

/// The fields of a form or of a query.
pub(crate) type Form = HashMap<String, String>;

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

/// The fault that waits for this request.
pub(crate) fn take(app: &App, endpoint: Endpoint, mailbox: Option<&str>) -> Option<Fault> {
    app.faults.take(&Target {
        endpoint,
        place: Place::Single,
        mailbox,
        message: None,
    })
}

/// Writes a request down.
pub(crate) fn note(
    app: &App,
    endpoint: Endpoint,
    mailbox: Option<String>,
    path: &str,
    answer: &Answer,
) {
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
