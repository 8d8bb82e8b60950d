//! One deal or contact: its score, why, and how it went.

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use uuid::Uuid;

use super::alerts::{active, alert_list};
use super::{answer, not_found};
use crate::dashboard::catalog::Source;
use crate::dashboard::data::{Contact, Deal, GhostSignal, Limit, Signal, Snapshot};
use crate::dashboard::parts::{card, chip, figure, foreign, list, part, table, text};
use crate::dashboard::reader::{Part, Reader, arguments};
use crate::dashboard::{Dashboard, chart, layout, words};
use crate::failure::Failure;

/// `/dashboard/deal/{id}`
pub(in crate::dashboard) async fn deal(
    State(dashboard): State<Dashboard>,
    Path(id): Path<String>,
) -> Response {
    let Ok(id) = id.parse() else {
        return not_found("deal");
    };
    match deal_page(&dashboard, id).await {
        Ok(None) => not_found("deal"),
        Ok(Some(page)) => answer(Ok(page)),
        Err(failure) => answer(Err(failure)),
    }
}

/// `/dashboard/contact/{id}`
pub(in crate::dashboard) async fn contact(
    State(dashboard): State<Dashboard>,
    Path(id): Path<String>,
) -> Response {
    let Ok(id) = id.parse() else {
        return not_found("contact");
    };
    match contact_page(&dashboard, id).await {
        Ok(None) => not_found("contact"),
        Ok(Some(page)) => answer(Ok(page)),
        Err(failure) => answer(Err(failure)),
    }
}

async fn deal_page(dashboard: &Dashboard, id: Uuid) -> Result<Option<Markup>, Failure> {
    let (reader, now) = (dashboard.open().await?, Dashboard::now());
    let needed = [
        Source::Crm("deals"),
        Source::Crm("deal_stages"),
        Source::Score("deal_health_scores"),
    ];
    let facts = reader.rows(
        &needed,
        include_str!("../sql/deal.sql"),
        arguments().with(id),
    );
    let trend = reader.rows(
        &[Source::Score("deal_health_history")],
        include_str!("../sql/deal_trend.sql"),
        arguments().with(id),
    );
    let (facts, trend, limits, why, alerts): (Part<Vec<Deal>>, _, _, _, _) = tokio::join!(
        facts,
        trend,
        limits(&reader, "deal"),
        explanation(
            &reader,
            "explain_deal",
            include_str!("../sql/explain_deal.sql"),
            id
        ),
        active(&reader, None, Some(id), 20, 0)
    );
    let title = match &facts {
        Part::Ready(rows) if rows.is_empty() => return Ok(None),
        Part::Ready(rows) => rows[0].name.clone(),
        _ => format!("Deal {id}"),
    };
    let body = html! {
        (part(&facts, |rows| deal_facts(&rows[0], now)))
        (course(&trend, &limits))
        (because(&why))
        (card("alerts", "Alerts", None, &list(&alerts, "There was no alert on this deal.", |rows| alert_list(rows, now))))
    };
    Ok(Some(layout::page(
        &title,
        "/dashboard/attention",
        now,
        &body,
    )))
}

async fn contact_page(dashboard: &Dashboard, id: Uuid) -> Result<Option<Markup>, Failure> {
    let (reader, now) = (dashboard.open().await?, Dashboard::now());
    let scores = Source::Score("relationship_health_scores");
    let (of_contact, of_trend, of_signals) = (
        [Source::Crm("contacts"), scores],
        [Source::Score("relationship_health_history"), scores],
        [Source::Score("ghost_detection_signals"), scores],
    );
    let facts = reader.rows(
        &of_contact,
        include_str!("../sql/contact.sql"),
        arguments().with(id),
    );
    let trend = reader.rows(
        &of_trend,
        include_str!("../sql/contact_trend.sql"),
        arguments().with(id),
    );
    let signals = reader.rows(
        &of_signals,
        include_str!("../sql/signals.sql"),
        arguments().with(id),
    );
    let (facts, trend, limits, why, signals): (
        Part<Vec<Contact>>,
        _,
        _,
        _,
        Part<Vec<GhostSignal>>,
    ) = tokio::join!(
        facts,
        trend,
        limits(&reader, "relationship"),
        explanation(
            &reader,
            "explain_contact",
            include_str!("../sql/explain_contact.sql"),
            id
        ),
        signals
    );
    let title = match &facts {
        Part::Ready(rows) if rows.is_empty() => return Ok(None),
        Part::Ready(rows) => rows[0].name.clone(),
        _ => format!("Contact {id}"),
    };
    let body = html! {
        (part(&facts, |rows| contact_facts(&rows[0], now)))
        (course(&trend, &limits))
        (because(&why))
        (card("signals", "Ghost signals that hold", None, &list(&signals, "None is stored.", |rows| ghost_signals(rows, now))))
    };
    Ok(Some(layout::page(
        &title,
        "/dashboard/attention",
        now,
        &body,
    )))
}

async fn explanation(
    reader: &Reader,
    function: &'static str,
    statement: &str,
    id: Uuid,
) -> Part<Vec<Signal>> {
    reader
        .rows(
            &[Source::Function(function)],
            statement,
            arguments().with(id),
        )
        .await
}

/// The lowest scores of the statuses, for orientation in the plot; none where they cannot be read.
async fn limits(reader: &Reader, model: &'static str) -> Vec<Limit> {
    let needed = [Source::Extension("status_cutoffs")];
    let statement = include_str!("../sql/limits.sql");
    match reader
        .rows(&needed, statement, arguments().with(model))
        .await
    {
        Part::Ready(limits) => limits,
        Part::Absent(_) | Part::Failed(_) => Vec::new(),
    }
}

fn fact(name: &str, value: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

fn known(name: &str, value: Option<&str>) -> Markup {
    html! { @if let Some(value) = value.filter(|v| !v.is_empty()) { (fact(name, &foreign(value))) } }
}

/// Score and status, as large as they matter.
fn verdict(
    score: Option<i64>,
    status: Option<&str>,
    scored_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Markup {
    let status = status.unwrap_or("not scored");
    html! {
        (layout::headline("Health score", &html! { @match score { Some(score) => { (score) small { " / 100" } }, None => "–" } }, status,
            &html! { (words::plain(status)) @if let Some(at) = scored_at { ", computed " (words::moment(at, now)) } }))
    }
}

fn deal_facts(deal: &Deal, now: DateTime<Utc>) -> Markup {
    html! {
        div.facts {
            (verdict(deal.score, deal.status.as_deref(), deal.scored_at, now))
            dl {
                (known("Company", deal.company.as_deref()))
                (known("Value", deal.value.map(|v| words::number(v.round() as i64)).as_deref()))
                (known("Stage", deal.stage.as_deref()))
                (known("State", deal.state.as_deref()))
                (known("Expected to close", deal.closes_on.as_deref()))
                (known("Rep", deal.rep.as_deref()))
                (known("Risk", deal.risk_level.as_deref()))
            }
        }
    }
}

fn contact_facts(contact: &Contact, now: DateTime<Utc>) -> Markup {
    html! {
        div.facts {
            (verdict(contact.score, contact.status.as_deref(), contact.scored_at, now))
            dl {
                (known("Address", contact.email.as_deref()))
                (known("Rep", contact.rep.as_deref()))
                (known("Value of deals", contact.value.filter(|v| *v > 0.0).map(|v| words::number(v.round() as i64)).as_deref()))
                (known("Risk", contact.risk_level.as_deref()))
                (known("Likely to stay silent", contact.ghost_percent.map(words::chance).as_deref()))
            }
        }
    }
}

fn course(trend: &Part<Vec<Snapshot>>, limits: &[Limit]) -> Markup {
    let body = list(
        trend,
        "No history yet: a snapshot is written when a score changes.",
        |rows| {
            html! {
                (chart::trend(rows, limits))
                details {
                    summary { "The same as a table" }
                    (table("Snapshots, newest first", &[text("When"), figure("Score")],
                        &rows.iter().take(100).map(|s| vec![html! { (words::exact(s.at)) }, html! { (s.score) }]).collect::<Vec<_>>()))
                }
            }
        },
    );
    card("trend", "Trend", None, &body)
}

/// What a score is made of first, then what else is known.
fn because(why: &Part<Vec<Signal>>) -> Markup {
    let body = list(
        why,
        "There is nothing to explain: this is not scored.",
        |rows| {
            let (weighed, other): (Vec<&Signal>, Vec<&Signal>) =
                rows.iter().partition(|s| s.weight.is_some());
            html! {
                @if !weighed.is_empty() { (weights(&weighed)) }
                @if !other.is_empty() { (observations(&other)) }
            }
        },
    );
    card("why", "Why", None, &body)
}

fn weights(signals: &[&Signal]) -> Markup {
    let columns = [
        text("Signal"),
        figure("Score"),
        figure("Weight"),
        figure("Contributes"),
        text("Reason"),
    ];
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |v| format!("{v:.2}"));
    let rows: Vec<_> = signals
        .iter()
        .map(|s| {
            vec![
                html! { (words::title(&s.signal)) },
                html! { @match s.score { Some(score) => { (score) }, None => "–" } },
                html! { (number(s.weight)) },
                html! { (number(s.contribution)) },
                foreign(s.reason.as_deref().unwrap_or("–")),
            ]
        })
        .collect();
    table("What the score is made of", &columns, &rows)
}

/// In words: why an action is recommended is told as a code.
fn meaning(signal: &Signal) -> String {
    let reason = signal.reason.as_deref().unwrap_or("–");
    if signal.signal == "recommended_action" {
        words::plain(reason)
    } else {
        reason.to_owned()
    }
}

fn observations(signals: &[&Signal]) -> Markup {
    let columns = [text("Signal"), text("Value"), text("Meaning")];
    let rows: Vec<_> = signals
        .iter()
        .map(|s| {
            vec![
                html! { (words::title(&s.signal)) },
                foreign(s.value.as_deref().unwrap_or("–")),
                foreign(&meaning(s)),
            ]
        })
        .collect();
    table("What was seen", &columns, &rows)
}

fn ghost_signals(signals: &[GhostSignal], now: DateTime<Utc>) -> Markup {
    html! {
        ul.feed {
            @for signal in signals {
                li {
                    p.name { (chip(&signal.severity)) " " (words::plain(&signal.signal_type)) }
                    @if let Some(context) = &signal.context { p { (foreign(context)) } }
                    p.quiet { "since " (words::moment(signal.detected_at, now)) }
                }
            }
        }
    }
}
