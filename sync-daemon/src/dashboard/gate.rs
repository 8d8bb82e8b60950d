//! Who may in: the secret once, then a cookie; and the headers that every answer carries.
//!
//! Contract: without a configured secret nothing is shown. The secret comes in the body of a POST and in no other way.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::Form;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HeaderName, HeaderValue, LOCATION,
    REFERRER_POLICY, RETRY_AFTER, SET_COOKIE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{Dashboard, layout, session};
use crate::service::same_secret;

/// Nothing but our own style sheet and icon; no script at all; in no frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The headers of every answer.
pub(super) async fn secure_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=()",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Lets through who is signed in; everyone else may sign in.
pub(super) async fn require_session(
    State(dashboard): State<Dashboard>,
    request: Request,
    next: Next,
) -> Response {
    let Some(secret) = dashboard.secret() else {
        return switched_off();
    };
    let signed_in = cookie(request.headers())
        .is_some_and(|cookie| dashboard.sessions.is_good(&secret, cookie, now()));
    if signed_in {
        return next.run(request).await;
    }
    // Without the query: whoever puts the secret there is not shown it again.
    let here = request.uri().path();
    let form = form(&SignIn {
        next: here,
        wrong: None,
        came_from_elsewhere: is_from_elsewhere(request.headers()),
    });
    (StatusCode::UNAUTHORIZED, form).into_response()
}

/// The form by itself.
pub(super) async fn show(State(dashboard): State<Dashboard>) -> Response {
    match dashboard.secret() {
        Some(_) => form(&SignIn {
            next: "",
            wrong: None,
            came_from_elsewhere: false,
        })
        .into_response(),
        None => switched_off(),
    }
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Offer {
    secret: String,
    #[serde(default)]
    next: String,
}

/// Compares the secret, once a try is left.
pub(super) async fn sign_in(
    State(dashboard): State<Dashboard>,
    headers: HeaderMap,
    Form(offer): Form<Offer>,
) -> Response {
    let Some(secret) = dashboard.secret() else {
        return switched_off();
    };
    if is_forged(&headers) {
        return (
            StatusCode::FORBIDDEN,
            lobby_note("This form was sent by another site."),
        )
            .into_response();
    }
    let next = local(&offer.next);
    if let Err(wait) = dashboard.attempts.take(Instant::now()) {
        let seconds = wait.as_secs() + 1;
        let why = format!("Too many wrong secrets. Try again in {seconds} s.");
        let form = form(&SignIn {
            next,
            wrong: Some(&why),
            came_from_elsewhere: false,
        });
        return (
            StatusCode::TOO_MANY_REQUESTS,
            [(RETRY_AFTER, seconds.to_string())],
            form,
        )
            .into_response();
    }
    if !same_secret(offer.secret.trim(), secret.trim()) {
        tracing::warn!("dashboard: a wrong secret");
        let form = form(&SignIn {
            next,
            wrong: Some("That is not the secret."),
            came_from_elsewhere: false,
        });
        return (StatusCode::UNAUTHORIZED, form).into_response();
    }
    dashboard.attempts.give_back();
    tracing::info!("dashboard: signed in");
    let cookie = dashboard.sessions.issue(&secret, now());
    let target = if next.is_empty() { "/dashboard" } else { next };
    leave_to(
        target,
        &set_cookie(&cookie, session::LIFE.as_secs(), &headers),
    )
}

/// Ends the session.
pub(super) async fn sign_out(State(dashboard): State<Dashboard>, headers: HeaderMap) -> Response {
    if is_forged(&headers) {
        return (
            StatusCode::FORBIDDEN,
            lobby_note("This form was sent by another site."),
        )
            .into_response();
    }
    if let (Some(secret), Some(cookie)) = (dashboard.secret(), cookie(&headers)) {
        dashboard.sessions.end(&secret, cookie, now());
    }
    leave_to("/dashboard/login", &set_cookie("", 0, &headers))
}

fn leave_to(target: &str, cookie: &str) -> Response {
    (
        StatusCode::SEE_OTHER,
        [(LOCATION, target), (SET_COOKIE, cookie)],
    )
        .into_response()
}

fn set_cookie(value: &str, seconds: u64, headers: &HeaderMap) -> String {
    let is_tls = headers
        .get("x-forwarded-proto")
        .is_some_and(|v| v == "https");
    let secure = if is_tls { "; Secure" } else { "" };
    format!(
        "{}={value}; Path=/dashboard; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}",
        session::COOKIE
    )
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == session::COOKIE).then_some(value))
}

/// Browsers say where a form came from.
fn is_forged(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .is_some_and(|site| site != "same-origin" && site != "none")
}

/// A link in a chat: a strict cookie is not sent with it, though there may be one.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .is_some_and(|site| site == "cross-site" || site == "same-site")
}

/// An address of ours to go on to, or nothing.
fn local(next: &str) -> &str {
    let rest = next.strip_prefix("/dashboard");
    let is_ours = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let is_plain = next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') && !next.contains("//");
    if is_ours && is_plain && next.len() <= 500 && !next.starts_with("/dashboard/log") {
        next
    } else {
        ""
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs())
}

struct SignIn<'a> {
    next: &'a str,
    wrong: Option<&'a str>,
    came_from_elsewhere: bool,
}

fn form(given: &SignIn) -> Markup {
    let next = local(given.next);
    let body = html! {
        @if let Some(wrong) = given.wrong { p.note.trouble role="alert" #wrong { (wrong) } }
        form.signin action="/dashboard/login" method="post" {
            label for="secret" { "Secret" }
            input #secret type="password" name="secret" required autocomplete="current-password" autofocus
                aria-describedby=[given.wrong.map(|_| "wrong")];
            input type="hidden" name="next" value=(next);
            button type="submit" { "Sign in" }
        }
        @if given.came_from_elsewhere && !next.is_empty() {
            p { a href=(next) { "Signed in already? Go on to the page." } }
        }
        p.quiet { "The secret is the one that the daemon was given in CRM_HEALTH_DASHBOARD_SECRET." }
    };
    layout::lobby("Sign in", &body)
}

fn lobby_note(why: &str) -> Markup {
    layout::lobby(
        "Refused",
        &html! { p.note.trouble role="alert" { (why) } p { a href="/dashboard" { "To the dashboard" } } },
    )
}

fn switched_off() -> Response {
    let body = html! {
        p { "The dashboard is off, because it has no secret." }
        p { "Make one with " code { "openssl rand -hex 32" } ", give it to the daemon as " code { "CRM_HEALTH_DASHBOARD_SECRET" }
            " or as a file named by " code { "CRM_HEALTH_DASHBOARD_SECRET_FILE" } ", and start the daemon again." }
    };
    (
        StatusCode::SERVICE_UNAVAILABLE,
        layout::lobby("Dashboard off", &body),
    )
        .into_response()
}

impl Dashboard {
    /// The secret of the current configuration.
    fn secret(&self) -> Option<String> {
        let engine = self.runner.engine();
        let secret = engine.config.secrets.dashboard_secret.as_ref();
        secret.map(|secret| secret.expose_secret().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn a_sign_in_goes_on_to_our_own_pages_only() {
        for ours in [
            "/dashboard",
            "/dashboard/deal/1",
            "/dashboard?page=2",
            "/dashboard/alerts?rep=a&page=1",
        ] {
            assert_eq!(local(ours), ours);
        }
        let other = [
            "",
            "/",
            "//evil.example",
            "https://evil.example",
            "/dashboard//evil.example",
            "/dashboard\\@evil.example",
            "/dashboardevil",
            "/dashboard/\r\nSet-Cookie: a=b",
            "javascript:alert(1)",
            "/dashboard/logout",
            "/dashboard/login",
        ];
        for other in other {
            assert_eq!(local(other), "", "{other}");
        }
    }
}
