//! Runs of both jobs.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{AskedFor, PAGE, answer, asked, cut};
use crate::dashboard::catalog::Source;
use crate::dashboard::data::{Run, RunError};
use crate::dashboard::parts::{
    Column, card, chip, figure, foreign, list, pager, part, table, text,
};
use crate::dashboard::reader::{Part, Reader, arguments};
use crate::dashboard::{Dashboard, chart, layout, words};

/// The two jobs.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Job {
    Daily,
    Sync,
}

impl Job {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Daily => "Daily refresh",
            Self::Sync => "Gmail sync",
        }
    }

    pub(super) async fn runs(self, reader: &Reader, limit: i64, offset: i64) -> Part<Vec<Run>> {
        let (source, statement) = match self {
            Self::Daily => (
                Source::Extension("runs"),
                include_str!("../sql/daily_runs.sql"),
            ),
            Self::Sync => (Source::Daemon("runs"), include_str!("../sql/sync_runs.sql")),
        };
        let parameters = arguments().with(limit).with(offset);
        reader.rows(&[source], statement, parameters).await
    }

    fn columns(self) -> [Column; 7] {
        let (first, second) = match self {
            Self::Daily => ("Deals", "Relationships"),
            Self::Sync => ("Mails", "Contacts"),
        };
        [
            text("Started"),
            text("Outcome"),
            text("By"),
            figure("Took"),
            figure("Users"),
            figure(first),
            figure(second),
        ]
    }

    /// A plot of the newest runs, and what went wrong in them.
    pub(super) fn course(self, runs: &[Run], now: DateTime<Utc>) -> Markup {
        let latest = runs.iter().find(|run| !run.errors.is_empty());
        html! {
            (chart::columns(self.name(), runs, now))
            p.quiet { "Height: how long it took. A cross: with errors." }
            @if let Some(run) = latest {
                details {
                    summary { "Latest errors, " (words::moment(run.started_at, now)) }
                    (errors(run))
                }
            }
        }
    }
}

/// The first errors of a run.
fn errors(run: &Run) -> Markup {
    let shown = run.errors.len() as i64;
    html! {
        ul.errors {
            @for error in &run.errors { li { (one(error)) } }
            @if run.error_count > shown { li.quiet { "and " (run.error_count - shown) " more" } }
        }
    }
}

fn one(error: &RunError) -> Markup {
    html! {
        @if let Some(who) = &error.who { strong { (foreign(who)) } ": " }
        (foreign(error.reason.as_deref().unwrap_or("no reason given")))
        @if let Some(code) = &error.code { " " code { (code) } }
    }
}

/// `/dashboard/runs`
pub(in crate::dashboard) async fn runs(
    State(dashboard): State<Dashboard>,
    query: AskedFor,
) -> Response {
    let asked = asked(query);
    answer(page(&dashboard, asked.page()).await)
}

async fn page(dashboard: &Dashboard, page: i64) -> Result<Markup, crate::failure::Failure> {
    let (reader, now) = (dashboard.open().await?, Dashboard::now());
    let (daily, sync) = tokio::join!(
        Job::Daily.runs(&reader, PAGE + 1, page * PAGE),
        Job::Sync.runs(&reader, PAGE + 1, page * PAGE)
    );
    let more = |runs: &Part<Vec<Run>>| matches!(runs, Part::Ready(runs) if cut(runs).1);
    let body = html! {
        @for (job, runs) in [(Job::Daily, &daily), (Job::Sync, &sync)] {
            (card(if job == Job::Daily { "daily" } else { "sync" }, job.name(), None, &history(job, runs, page, now)))
        }
        (pager("/dashboard/runs", "", page, more(&daily) || more(&sync)))
    };
    Ok(layout::page("Runs", "/dashboard/runs", now, &body))
}

fn history(job: Job, runs: &Part<Vec<Run>>, page: i64, now: DateTime<Utc>) -> Markup {
    let empty = if page == 0 {
        "It has not run yet."
    } else {
        "No earlier runs."
    };
    html! {
        @if page == 0 { (part(runs, |runs| if runs.is_empty() { html! {} } else { chart::columns(job.name(), runs, now) })) }
        @if page > 0 || matches!(runs, Part::Ready(_)) {
            (list(runs, empty, |runs| {
                let rows: Vec<_> = cut(runs).0.iter().map(|run| row(run, now)).collect();
                table(&format!("{}: runs, newest first", job.name()), &job.columns(), &rows)
            }))
        }
    }
}

fn row(run: &Run, now: DateTime<Utc>) -> Vec<Markup> {
    let count = |count: Option<i64>| html! { (count.map_or("–".to_owned(), words::number)) };
    vec![
        html! { (words::exact(run.started_at)) " " span.quiet { "(" (words::moment(run.started_at, now)) ")" } },
        html! {
            (chip(&run.state))
            @if !run.errors.is_empty() {
                details { summary { (words::counted(run.error_count, "error", "errors")) } (errors(run)) }
            }
        },
        html! { (words::plain(&run.triggered_by)) },
        html! { (run.seconds().map_or("–".to_owned(), words::duration)) },
        count(run.users),
        count(run.first_count),
        count(run.second_count),
    ]
}
