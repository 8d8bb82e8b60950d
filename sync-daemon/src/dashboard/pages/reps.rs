//! Score distributions by user.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::{AskedFor, PAGE, answer, asked, cut, none};
use crate::dashboard::catalog::Source;
use crate::dashboard::chart::{self, CONTACT_STATUSES, DEAL_STATUSES};
use crate::dashboard::data::{Count, Rep};
use crate::dashboard::parts::{card, foreign, list, pager, part, table, text};
use crate::dashboard::reader::{Part, Reader, arguments};
use crate::dashboard::{Dashboard, layout};
use crate::failure::Failure;

const NEEDED: [Source; 3] = [
    Source::Crm("deals"),
    Source::Score("deal_health_scores"),
    Source::Score("relationship_health_scores"),
];

/// Of the whole team.
pub(super) async fn totals(reader: &Reader) -> Part<Vec<Count>> {
    reader
        .rows(&NEEDED, include_str!("../sql/totals.sql"), arguments())
        .await
}

/// The counts of one kind, in the order of its statuses; what has none counts 0.
fn counts<'a>(counts: &[Count], kind: &str, statuses: [&'a str; 4]) -> [(&'a str, i64); 4] {
    statuses.map(|status| {
        let of = counts
            .iter()
            .filter(|c| c.kind == kind && c.status == status);
        (status, of.map(|c| c.scores).sum())
    })
}

/// Both kinds with their bars.
pub(super) fn distribution(all: &[Count]) -> Markup {
    html! {
        @for (name, kind, statuses) in [("Deals", "deal", DEAL_STATUSES), ("Contacts", "contact", CONTACT_STATUSES)] {
            @let of_kind = counts(all, kind, statuses);
            div.distribution {
                h3 { (name) }
                (chart::bar(name, &of_kind))
                (chart::legend(&of_kind))
            }
        }
    }
}

/// `/dashboard/reps`
pub(in crate::dashboard) async fn reps(
    State(dashboard): State<Dashboard>,
    query: AskedFor,
) -> Response {
    let asked = asked(query);
    answer(page(&dashboard, asked.page()).await)
}

async fn page(dashboard: &Dashboard, page: i64) -> Result<Markup, Failure> {
    let (reader, now) = (dashboard.open().await?, Dashboard::now());
    let parameters = arguments().with(PAGE + 1).with(page * PAGE);
    let reps = reader.rows(&NEEDED, include_str!("../sql/reps.sql"), parameters);
    let (reps, totals): (Part<Vec<Rep>>, _) = tokio::join!(reps, totals(&reader));
    let more = matches!(&reps, Part::Ready(reps) if cut(reps).1);
    let body = html! {
        (card("team", "The whole team", None, &part(&totals, |totals| distribution(totals))))
        (card("reps", "By rep", None, &list(&reps, none(page, "Nothing is scored yet."), |reps| by_rep(cut(reps).0))))
        (pager("/dashboard/reps", "", page, more))
    };
    Ok(layout::page("Reps", "/dashboard/reps", now, &body))
}

fn by_rep(reps: &[Rep]) -> Markup {
    let columns = [text("Rep"), text("Deals"), text("Contacts")];
    let cell = |what: String, counts: &[(&str, i64)]| {
        let some: Vec<(&str, i64)> = counts.iter().copied().filter(|(_, n)| *n > 0).collect();
        html! { (chart::bar(&what, counts)) (chart::legend(&some)) }
    };
    let rows: Vec<_> = reps
        .iter()
        .map(|rep| {
            vec![
                html! { a href={ "/dashboard/attention?rep=" (rep.user_id) } { (foreign(&rep.name)) } },
                cell(
                    format!("Deals of {}", rep.name),
                    &counts(&rep.counts, "deal", DEAL_STATUSES),
                ),
                cell(
                    format!("Contacts of {}", rep.name),
                    &counts(&rep.counts, "contact", CONTACT_STATUSES),
                ),
            ]
        })
        .collect();
    table(
        "Largest share in trouble first; a name leads to what needs that rep's attention",
        &columns,
        &rows,
    )
}
