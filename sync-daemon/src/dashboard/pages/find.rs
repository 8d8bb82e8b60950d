//! Finds deals and contacts by a part of their name.

use axum::extract::{Query, State};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::answer;
use crate::dashboard::catalog::Source;
use crate::dashboard::data::Hit;
use crate::dashboard::parts::{card, foreign, item, list, score, table, text};
use crate::dashboard::reader::{Part, arguments};
use crate::dashboard::{Dashboard, layout};
use crate::failure::Failure;

/// Of each kind.
const HITS: i64 = 20;

/// What is looked for.
#[derive(Deserialize)]
pub(in crate::dashboard) struct Wanted {
    #[serde(default)]
    q: String,
}

/// `/dashboard/find`
pub(in crate::dashboard) async fn find(
    State(dashboard): State<Dashboard>,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let wanted = wanted.map(|Query(wanted)| wanted.q).unwrap_or_default();
    let wanted: String = wanted
        .trim()
        .chars()
        .filter(|c| *c != '\0')
        .take(100)
        .collect();
    answer(page(&dashboard, &wanted).await)
}

async fn page(dashboard: &Dashboard, wanted: &str) -> Result<Markup, Failure> {
    let (reader, now) = (dashboard.open().await?, Dashboard::now());
    let hits: Part<Vec<Hit>> = if wanted.is_empty() {
        Part::Ready(Vec::new())
    } else {
        let needed = [
            Source::Crm("deals"),
            Source::Crm("contacts"),
            Source::Score("deal_health_scores"),
            Source::Score("relationship_health_scores"),
        ];
        let parameters = arguments().with(escaped(wanted)).with(HITS);
        reader
            .rows(&needed, include_str!("../sql/find.sql"), parameters)
            .await
    };
    let body = html! {
        p { "Deals and contacts whose name, company or address has “" (foreign(wanted)) "”, " (HITS) " of each at most." }
        (card("hits", "Found", None, &list(&hits, "Nothing has that in its name.", found)))
    };
    Ok(layout::page("Find", "/dashboard/find", now, &body))
}

fn found(hits: &[Hit]) -> Markup {
    let columns = [text("Name"), text("Kind"), text("Score"), text("Rep")];
    let rows: Vec<_> = hits.iter().map(|hit| vec![
        html! { (item(&hit.kind, hit.id, Some(&hit.name))) @if let Some(more) = &hit.more { " " span.quiet.address { (foreign(more)) } } },
        html! { (hit.kind) },
        score(hit.score, hit.status.as_deref()),
        html! { (foreign(hit.rep.as_deref().unwrap_or("–"))) },
    ]).collect();
    table("By name", &columns, &rows)
}

/// LIKE's own signs stand for themselves.
fn escaped(wanted: &str) -> String {
    wanted
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
}
