//! Active alerts, and what was told lately.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use uuid::Uuid;

use super::attention::whose;
use super::{Asked, AskedFor, PAGE, answer, asked, cut, none};
use crate::dashboard::catalog::Source;
use crate::dashboard::data::{Alert, Notification};
use crate::dashboard::parts::{card, chip, foreign, item, list, pager};
use crate::dashboard::reader::{Part, Reader, arguments};
use crate::dashboard::{Dashboard, layout, words};
use crate::failure::Failure;

/// Active alerts, or all of one deal.
pub(super) async fn active(
    reader: &Reader,
    rep: Option<Uuid>,
    deal: Option<Uuid>,
    limit: i64,
    offset: i64,
) -> Part<Vec<Alert>> {
    let parameters = arguments()
        .with(limit)
        .with(offset)
        .with(rep.map(|rep| vec![rep]))
        .with(deal);
    let needed = [Source::Score("deal_health_alerts")];
    reader
        .rows(&needed, include_str!("../sql/alerts.sql"), parameters)
        .await
}

/// The outbox, newest first: of one user, or of everyone.
pub(super) async fn told(
    reader: &Reader,
    rep: Option<Uuid>,
    limit: i64,
    offset: i64,
) -> Part<Vec<Notification>> {
    let parameters = arguments()
        .with(limit)
        .with(offset)
        .with(rep.map(|rep| vec![rep]));
    let needed = [Source::Extension("notifications")];
    reader
        .rows(
            &needed,
            include_str!("../sql/notifications.sql"),
            parameters,
        )
        .await
}

/// Alerts as a list.
pub(super) fn alert_list(rows: &[Alert], now: DateTime<Utc>) -> Markup {
    html! {
        ul.feed {
            @for alert in rows {
                li {
                    p.name {
                        (chip(&alert.severity)) " "
                        (item("deal", alert.deal_id, Some(&heading(alert))))
                    }
                    @if let Some(message) = alert.message.as_deref().filter(|m| Some(*m) != alert.title.as_deref()) { p { (foreign(message)) } }
                    @for action in alert.actions.iter().flatten() { p.next { "Next: " (foreign(action)) } }
                    p.quiet {
                        (words::moment(alert.created_at, now))
                        @if let Some(rep) = &alert.rep { " · " (foreign(rep)) }
                        @if alert.status != "active" { " · " (words::plain(&alert.status)) }
                    }
                }
            }
        }
    }
}

/// The title, after the deal's name where it does not say it itself.
fn heading(alert: &Alert) -> String {
    let title = alert.title.clone().filter(|title| !title.is_empty());
    let title = title.unwrap_or_else(|| words::plain(&alert.alert_type));
    match alert.deal.as_deref() {
        Some(deal) if !title.contains(deal) => format!("{deal}: {title}"),
        _ => title,
    }
}

/// Notifications as a list.
pub(super) fn told_list(rows: &[Notification], now: DateTime<Utc>) -> Markup {
    html! {
        ul.feed {
            @for row in rows {
                li {
                    p.name { (chip(&row.severity)) " " (subject(row)) }
                    @if let Some(detail) = &row.detail { p { (foreign(detail)) } }
                    @if let Some(next) = &row.next_step { p.next { "Next: " (foreign(next)) } }
                    p.quiet {
                        (words::moment(row.created_at, now)) " · " (words::plain(&row.kind))
                        @if let Some(rep) = &row.rep { " · " (foreign(rep)) }
                    }
                }
            }
        }
    }
}

/// The title, as a link where there is a page of what it is about.
fn subject(row: &Notification) -> Markup {
    match (row.subject_type.as_str(), row.subject_id.parse::<Uuid>()) {
        (kind @ ("deal" | "contact"), Ok(id)) => item(kind, id, Some(&row.title)),
        ("mailbox", _) => html! { a href="/dashboard/mailboxes" { (foreign(&row.title)) } },
        ("run", _) => html! { a href="/dashboard/runs" { (foreign(&row.title)) } },
        _ => foreign(&row.title),
    }
}

/// `/dashboard/alerts`
pub(in crate::dashboard) async fn alerts(
    State(dashboard): State<Dashboard>,
    query: AskedFor,
) -> Response {
    let asked = asked(query);
    answer(page(&dashboard, &asked).await)
}

async fn page(dashboard: &Dashboard, asked: &Asked) -> Result<Markup, Failure> {
    let (reader, now, page) = (dashboard.open().await?, Dashboard::now(), asked.page());
    let (alerts, told, whose) = tokio::join!(
        active(&reader, asked.rep(), None, PAGE + 1, page * PAGE),
        told(&reader, asked.rep(), PAGE + 1, page * PAGE),
        whose(&reader, asked.rep(), "/dashboard/alerts")
    );
    let more = matches!(&alerts, Part::Ready(rows) if cut(rows).1)
        || matches!(&told, Part::Ready(rows) if cut(rows).1);
    let body = html! {
        (whose)
        div.two {
            (card("active", "Active alerts", None, &list(&alerts, none(page, "No alert is active."), |rows| alert_list(cut(rows).0, now))))
            (card("told", "Notifications", None, &list(&told, none(page, "Nothing was told yet."), |rows| told_list(cut(rows).0, now))))
        }
        (pager("/dashboard/alerts", &asked.query(), page, more))
    };
    Ok(layout::page("Alerts", "/dashboard/alerts", now, &body))
}
