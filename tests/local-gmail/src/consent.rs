//! Google's consent page, with a user who consents at once.

use url::Url;

use crate::app::App;
use crate::auth::{Code, Grant, SCOPE_METADATA, SCOPE_READONLY};
use crate::faults::{Endpoint, Fault};
use crate::lock::locked;
use crate::oauth::{Form, note, take};
use crate::reply::{Answer, Reply};

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
