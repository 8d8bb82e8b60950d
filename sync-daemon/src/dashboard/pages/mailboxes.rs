//! Mailboxes by state, and who must do something about them.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{AskedFor, PAGE, answer, asked, cut, none};
use crate::dashboard::catalog::Source;
use crate::dashboard::data::{Mailbox, MailboxState};
use crate::dashboard::parts::{card, chip, figure, foreign, list, pager, table, text};
use crate::dashboard::reader::{Part, Reader, arguments};
use crate::dashboard::{Dashboard, layout, words};
use crate::failure::Failure;

const NEEDED: [Source; 3] = [
    Source::Daemon("mailboxes"),
    Source::Daemon("pending"),
    Source::Crm("google_integrations"),
];

/// How many there are of each state.
pub(super) async fn states(reader: &Reader) -> Part<Vec<MailboxState>> {
    reader
        .rows(
            &NEEDED,
            include_str!("../sql/mailbox_states.sql"),
            arguments(),
        )
        .await
}

/// Why a mailbox is not synced, and who can do what about it: the table of docs/daemon.md, for people.
fn advice(code: &str) -> (&'static str, &'static str) {
    match code {
        "reconnect_required" => (
            "Google no longer accepts the grant: it was revoked, or the password changed",
            "the user connects the mailbox again",
        ),
        "scope_missing" => (
            "the grant lacks the scope gmail.readonly",
            "the user connects the mailbox again and allows it",
        ),
        "auth_rejected" => (
            "Gmail refuses a fresh token",
            "nothing yet; if it stays, connect again",
        ),
        "admin_blocked" => (
            "the domain's administrator does not allow Gmail API access",
            "ask the administrator",
        ),
        "token_unreadable" => (
            "the stored token was sealed with another key",
            "give the daemon the key that sealed it",
        ),
        "operator_error" => (
            "Google refuses the daemon's OAuth client",
            "check the client id and secret: crm-health-sync check-config",
        ),
        "rate_limited" => (
            "Gmail asks to wait",
            "nothing; if it stays, lower user_units_per_minute",
        ),
        "project_quota" => (
            "the project's daily quota is used up",
            "it goes on at midnight Pacific time; ask Google for more",
        ),
        "transient" | "backend_error" | "batch_short" | "database" => (
            "something did not answer properly",
            "nothing: it is tried again by itself",
        ),
        "history_expired" => (
            "the history expired twice within an hour",
            "nothing: it is tried again by itself",
        ),
        "forbidden" | "refused" => ("Gmail refuses the call", "the log has Google's reason"),
        _ => ("the last sync did not end well", "the log says more"),
    }
}

/// The states with their numbers.
pub(super) fn summary(states: &[MailboxState]) -> Markup {
    html! {
        ul.legend { @for row in states { li { b { (words::number(row.mailboxes)) } " " (chip(&row.state)) } } }
    }
}

/// `/dashboard/mailboxes`
pub(in crate::dashboard) async fn mailboxes(
    State(dashboard): State<Dashboard>,
    query: AskedFor,
) -> Response {
    let asked = asked(query);
    answer(page(&dashboard, asked.page()).await)
}

async fn page(dashboard: &Dashboard, page: i64) -> Result<Markup, Failure> {
    let (reader, now) = (dashboard.open().await?, Dashboard::now());
    let parameters = arguments().with(PAGE + 1).with(page * PAGE);
    let rows = reader.rows(&NEEDED, include_str!("../sql/mailboxes.sql"), parameters);
    let (rows, states): (Part<Vec<Mailbox>>, _) = tokio::join!(rows, states(&reader));
    let more = matches!(&rows, Part::Ready(rows) if cut(rows).1);
    let body = html! {
        (card("states", "By state", None, &list(&states, "No mailbox was synced yet.", summary)))
        (card("all", "Those that need somebody first", None,
            &list(&rows, none(page, "Connect one with crm-health-sync connect."), |rows| all(cut(rows).0, now))))
        (pager("/dashboard/mailboxes", "", page, more))
    };
    Ok(layout::page(
        "Mailboxes",
        "/dashboard/mailboxes",
        now,
        &body,
    ))
}

fn all(rows: &[Mailbox], now: DateTime<Utc>) -> Markup {
    let columns = [
        text("Mailbox"),
        text("State"),
        text("Why, and what to do"),
        text("Last good sync"),
        figure("Waiting"),
        figure("Set aside"),
    ];
    let rows: Vec<_> = rows.iter().map(|row| vec![
        html! { span.address { (foreign(if row.email.is_empty() { "(disconnected)" } else { &row.email })) } @if let Some(rep) = &row.rep { " " span.quiet { (foreign(rep)) } } },
        html! { (chip(if row.is_syncing { "syncing" } else { &row.state })) },
        why(row, now),
        html! { @match row.last_good_at { Some(at) => (words::moment(at, now)), None => "never" } },
        html! { (words::number(row.waiting)) },
        html! { (words::number(row.set_aside)) },
    ]).collect();
    table("Mailboxes with their state", &columns, &rows)
}

fn why(row: &Mailbox, now: DateTime<Utc>) -> Markup {
    let Some(code) = row.reason.as_deref().filter(|_| row.state != "ok") else {
        return html! { span.quiet { "–" } };
    };
    let (what, todo) = advice(code);
    html! {
        (what) ": " strong { (todo) } ". " code { (code) }
        @if let Some(at) = row.next_attempt_at.filter(|at| *at > now) { " Next try " (words::moment(at, now)) "." }
    }
}
