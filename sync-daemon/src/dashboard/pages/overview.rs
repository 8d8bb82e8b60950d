//! What matters now, on one page.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};

use super::alerts::{active, alert_list, told, told_list};
use super::answer;
use super::attention::{QUIET, STEADY, worsened, worsened_table, worst, worst_list};
use super::mailboxes::{states, summary};
use super::reps::{distribution, totals};
use super::runs::Job;
use crate::dashboard::catalog::Source;
use crate::dashboard::data::{At, DailyJob, MailboxState};
use crate::dashboard::layout::headline;
use crate::dashboard::parts::{card, list};
use crate::dashboard::reader::{Part, Reader, arguments};
use crate::dashboard::{Dashboard, layout, words};
use crate::failure::Failure;
use crate::service::Schedule;

/// A run may be late so long.
const GRACE: TimeDelta = TimeDelta::hours(2);

/// Rows of each section.
const FEW: i64 = 6;

/// Runs of a plot.
const RUNS: i64 = 30;

/// When a job last succeeded, and when it is due.
struct Pulse {
    last: Part<Option<DateTime<Utc>>>,
    /// Cron expression, UTC; or why there is none.
    schedule: Result<String, String>,
}

/// `/dashboard`
pub(in crate::dashboard) async fn overview(State(dashboard): State<Dashboard>) -> Response {
    answer(page(&dashboard).await)
}

async fn page(dashboard: &Dashboard) -> Result<Markup, Failure> {
    let (reader, now) = (dashboard.open().await?, Dashboard::now());
    let reader = &reader;
    let sync_schedule = dashboard.runner.engine().config.sync.schedule.clone();
    let (daily, sync, daily_runs, sync_runs, mailboxes) = tokio::join!(
        daily_pulse(reader),
        sync_pulse(reader, sync_schedule),
        Job::Daily.runs(reader, RUNS, 0),
        Job::Sync.runs(reader, RUNS, 0),
        states(reader),
    );
    let (worst, lost, totals, alerts, told) = tokio::join!(
        worst(reader, None, FEW, 0),
        worsened(reader, None, FEW, 0),
        totals(reader),
        active(reader, None, None, FEW, 0),
        told(reader, None, FEW, 0),
    );
    let course = |job: Job, runs: &Part<Vec<_>>| {
        list(runs, "It has not run yet.", |runs| job.course(runs, now))
    };
    let body = html! {
        div.headlines {
            (daily.headline(Job::Daily, now))
            (sync.headline(Job::Sync, now))
            (mailbox_headline(&mailboxes))
            (alert_headline(&alerts))
        }
        div.main-and-side {
            div {
                (card("attention", "Needs attention", Some(("/dashboard/attention", "All")),
                    &list(&worst, QUIET, worst_list)))
                (card("worsened", "Worsened this week", Some(("/dashboard/attention", "All")),
                    &list(&lost, STEADY, |rows| worsened_table(rows, now))))
            }
            div {
                (card("scores", "Scores", Some(("/dashboard/reps", "By rep")), &list(&totals, "Nothing is scored yet.", distribution)))
                (card("daily", "Daily refresh", Some(("/dashboard/runs", "All runs")), &course(Job::Daily, &daily_runs)))
                (card("sync", "Gmail sync", Some(("/dashboard/runs", "All runs")), &course(Job::Sync, &sync_runs)))
                (card("mailboxes", "Mailboxes", Some(("/dashboard/mailboxes", "All")),
                    &list(&mailboxes, "No mailbox was synced yet.", summary)))
            }
        }
        div.two {
            (card("alerts", "Active alerts", Some(("/dashboard/alerts", "All")),
                &list(&alerts, "No alert is active.", |rows| alert_list(rows, now))))
            (card("told", "Notifications", Some(("/dashboard/alerts", "All")),
                &list(&told, "Nothing was told yet.", |rows| told_list(rows, now))))
        }
    };
    Ok(layout::page("Overview", "/dashboard", now, &body))
}

async fn last(reader: &Reader, source: Source, statement: &str) -> Part<Option<DateTime<Utc>>> {
    let rows: Part<Vec<At>> = reader.rows(&[source], statement, arguments()).await;
    match rows {
        Part::Ready(rows) => Part::Ready(rows.first().and_then(|row| row.at)),
        Part::Absent(why) => Part::Absent(why),
        Part::Failed(why) => Part::Failed(why),
    }
}

async fn daily_pulse(reader: &Reader) -> Pulse {
    let statement = include_str!("../sql/daily_job.sql");
    let job: Part<Vec<DailyJob>> = reader
        .rows(&[Source::Function("daily_job")], statement, arguments())
        .await;
    let schedule = match job {
        Part::Ready(jobs) => match jobs.first() {
            Some(job) if job.is_active => Ok(job.job_schedule.clone()),
            Some(_) => Err("the job is switched off".to_owned()),
            None => Err("not scheduled by pg_cron: SELECT crm_health.schedule()".to_owned()),
        },
        Part::Absent(_) | Part::Failed(_) => Err("when it is due is not known here".to_owned()),
    };
    let last = last(
        reader,
        Source::Extension("runs"),
        include_str!("../sql/daily_last.sql"),
    )
    .await;
    Pulse { last, schedule }
}

async fn sync_pulse(reader: &Reader, schedule: String) -> Pulse {
    let last = last(
        reader,
        Source::Daemon("runs"),
        include_str!("../sql/sync_last.sql"),
    )
    .await;
    Pulse {
        last,
        schedule: Ok(schedule),
    }
}

impl Pulse {
    /// Late where a due run and its grace went by without a success. Without a schedule a day counts.
    fn is_late(&self, last: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let due = self
            .schedule
            .as_ref()
            .ok()
            .and_then(|s| Schedule::parse(s).ok()?.last(now - GRACE));
        last < due.unwrap_or(now - TimeDelta::hours(24) - GRACE)
    }

    fn headline(&self, job: Job, now: DateTime<Utc>) -> Markup {
        let label = format!("{}: last success", job.name());
        let due = match &self.schedule {
            Ok(schedule) => match Schedule::parse(schedule).map(|s| s.next(now)) {
                Ok(Some(at)) => html! { "next due " (words::moment(at, now)) },
                Ok(None) => html! { "never due again" },
                // pg_cron knows more ways to say it, such as a number of seconds.
                Err(_) => html! { "scheduled: " (schedule) },
            },
            Err(why) => html! { (why) },
        };
        match &self.last {
            Part::Ready(Some(at)) => {
                let state = if self.is_late(*at, now) {
                    "late"
                } else {
                    "on time"
                };
                headline(
                    &label,
                    &html! { (words::moment(*at, now)) },
                    state,
                    &html! { (state) ", " (due) },
                )
            }
            Part::Ready(None) => headline(&label, &html! { "never" }, "late", &due),
            Part::Absent(_) | Part::Failed(_) => {
                headline(&label, &html! { "unknown" }, "off", &html! { "see below" })
            }
        }
    }
}

fn mailbox_headline(states: &Part<Vec<MailboxState>>) -> Markup {
    let Part::Ready(states) = states else {
        return headline(
            "Mailboxes to reconnect",
            &html! { "unknown" },
            "off",
            &html! { "see below" },
        );
    };
    let of = |state: &str| {
        states
            .iter()
            .filter(|s| s.state == state)
            .map(|s| s.mailboxes)
            .sum::<i64>()
    };
    let (lost, all): (i64, i64) = (
        of("reconnect_required"),
        states.iter().map(|s| s.mailboxes).sum(),
    );
    let state = if lost > 0 {
        "reconnect_required"
    } else if of("failing") > 0 {
        "failing"
    } else {
        "ok"
    };
    let below = html! { "of " (words::counted(all, "mailbox", "mailboxes")) @if of("failing") > 0 { ", " (of("failing")) " failing" } };
    headline(
        "Mailboxes to reconnect",
        &html! { a href="/dashboard/mailboxes" { (lost) } },
        state,
        &below,
    )
}

fn alert_headline(alerts: &Part<Vec<crate::dashboard::data::Alert>>) -> Markup {
    let Part::Ready(alerts) = alerts else {
        return headline(
            "Active alerts",
            &html! { "unknown" },
            "off",
            &html! { "see below" },
        );
    };
    // The list is cut; the most severe come first, so that the worst is known.
    let state = alerts.first().map_or("ok", |alert| alert.severity.as_str());
    let count = words::number(alerts.first().map_or(0, |alert| alert.total));
    let below = if alerts.is_empty() {
        "all quiet".to_owned()
    } else {
        format!("the worst is {state}")
    };
    headline(
        "Active alerts",
        &html! { a href="/dashboard/alerts" { (count) } },
        state,
        &html! { (below) },
    )
}
