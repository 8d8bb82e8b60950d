//! Deals and contacts that need attention, each with its reasons.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use uuid::Uuid;

use super::{Asked, AskedFor, PAGE, answer, asked, cut, none};
use crate::dashboard::catalog::Source;
use crate::dashboard::data::{Attention, Name, Worsened};
use crate::dashboard::parts::{card, chip, figure, foreign, item, list, pager, score, table, text};
use crate::dashboard::reader::{Part, Reader, arguments};
use crate::dashboard::{Dashboard, layout, words};
use crate::failure::Failure;

/// There may be scores that are all healthy, or none.
pub(super) const QUIET: &str = "Nothing needs attention.";

/// What is healthy is not listed, whatever it lost.
pub(super) const STEADY: &str = "Of what is not healthy, nothing lost points within a week.";

/// The worst scores: of one user, or of everyone.
pub(super) async fn worst(
    reader: &Reader,
    rep: Option<Uuid>,
    limit: i64,
    offset: i64,
) -> Part<Vec<Attention>> {
    let parameters = arguments()
        .with(rep.map(|rep| vec![rep]))
        .with(limit)
        .with(offset);
    let statement = include_str!("../sql/attention.sql");
    reader
        .rows(
            &[Source::Function("needs_attention")],
            statement,
            parameters,
        )
        .await
}

/// What lost most within a week.
pub(super) async fn worsened(
    reader: &Reader,
    rep: Option<Uuid>,
    limit: i64,
    offset: i64,
) -> Part<Vec<Worsened>> {
    let needed = [
        Source::Crm("deals"),
        Source::Score("deal_health_scores"),
        Source::Score("deal_health_history"),
        Source::Score("relationship_health_scores"),
        Source::Score("relationship_health_history"),
    ];
    let parameters = arguments()
        .with(limit)
        .with(offset)
        .with(rep.map(|rep| vec![rep]));
    reader
        .rows(&needed, include_str!("../sql/worsened.sql"), parameters)
        .await
}

/// The worst as a list, the reasons below each name.
pub(super) fn worst_list(rows: &[Attention]) -> Markup {
    html! {
        ol.attention {
            @for row in rows {
                li {
                    div.who {
                        (score(Some(row.score), Some(&row.status)))
                        div {
                            p.name { (item(&row.kind, row.id, row.name.as_deref())) " " (chip(&row.status)) }
                            p.quiet {
                                (row.kind)
                                @if let Some(value) = row.value.filter(|v| *v > 0.0) { " · " (words::number(value.round() as i64)) }
                                @if let Some(rep) = &row.rep { " · " (foreign(rep)) }
                            }
                        }
                    }
                    ul.reasons { @for reason in row.reasons.iter().flatten() { li { (foreign(reason)) } } }
                }
            }
        }
    }
}

/// What worsened as a table.
pub(super) fn worsened_table(rows: &[Worsened], now: DateTime<Utc>) -> Markup {
    let columns = [
        text("Name"),
        figure("Points"),
        text("Now"),
        text("Rep"),
        text("Before"),
    ];
    let rows: Vec<_> = rows.iter().map(|row| vec![
        html! { (item(&row.kind, row.id, row.name.as_deref())) " " span.quiet { (row.kind) } },
        html! { span.drop { "−" (row.before - row.score) } },
        html! { (score(Some(row.score), Some(&row.status))) " " (chip(&row.status)) },
        html! { (foreign(row.rep.as_deref().unwrap_or("–"))) },
        html! { (row.before) span.quiet { ", " (words::moment(row.before_at, now)) } },
    ]).collect();
    table("Compared with the score of a week ago", &columns, &rows)
}

/// `/dashboard/attention`
pub(in crate::dashboard) async fn attention(
    State(dashboard): State<Dashboard>,
    query: AskedFor,
) -> Response {
    let asked = asked(query);
    answer(page(&dashboard, &asked).await)
}

/// Whose rows are shown, with the way back to everyone's.
pub(super) async fn whose(reader: &Reader, rep: Option<Uuid>, path: &str) -> Markup {
    let Some(rep) = rep else { return html! {} };
    let statement = include_str!("../sql/rep.sql");
    let name: Part<Vec<Name>> = reader
        .rows(&[Source::Crm("profiles")], statement, arguments().with(rep))
        .await;
    let name = match name {
        Part::Ready(mut names) => names.pop().map(|n| n.name),
        _ => None,
    };
    html! { p.filter { "Of " strong { (foreign(&name.unwrap_or_else(|| rep.to_string()))) } " only. " a href=(path) { "Show everyone's" } } }
}

async fn page(dashboard: &Dashboard, asked: &Asked) -> Result<Markup, Failure> {
    let (reader, now, page) = (dashboard.open().await?, Dashboard::now(), asked.page());
    let (rows, lost, whose) = tokio::join!(
        worst(&reader, asked.rep(), PAGE + 1, page * PAGE),
        worsened(&reader, asked.rep(), PAGE + 1, page * PAGE),
        whose(&reader, asked.rep(), "/dashboard/attention")
    );
    let more = matches!(&rows, Part::Ready(rows) if cut(rows).1)
        || matches!(&lost, Part::Ready(rows) if cut(rows).1);
    let body = html! {
        (whose)
        (card("worst", "Lowest scores", None, &list(&rows, none(page, QUIET), |rows| worst_list(cut(rows).0))))
        (card("lost", "Worsened this week", None,
            &list(&lost, none(page, STEADY), |rows| worsened_table(cut(rows).0, now))))
        (pager("/dashboard/attention", &asked.query(), page, more))
    };
    Ok(layout::page(
        "Needs attention",
        "/dashboard/attention",
        now,
        &body,
    ))
}
