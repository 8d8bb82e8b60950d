//! What rules ask about deals that have just been scored, in one statement.

use std::cell::RefCell;

use crm_health_scoring::alert::DealFacts;
use crm_health_scoring::interaction::Instant;
use crm_health_scoring::status::SentimentTrend;
use pgrx::datum::Uuid;
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_sys};

use super::Scored;
use super::after::Refresh;
use super::template::Template;
use crate::collect::to_instant;
use crate::error::Result;
use crate::raw::value;
use crate::statement::{Kept, Snapshot, Statement, kept};

/// The metrics of the score table that rules ask about, and how they are read.
const METRICS: [(&str, &str); 9] = [
    ("overall_health_score", "int8"),
    ("days_in_current_stage", "int8"),
    ("days_since_last_activity", "int8"),
    ("days_since_last_meeting", "int8"),
    ("meeting_count_last_30_days", "int8"),
    ("activity_count_last_30_days", "int8"),
    ("avg_response_time_hours", "float8"),
    ("avg_sentiment_last_3_meetings", "float8"),
    ("sentiment_trend", "text"),
];

const MICROS_PER_DAY: i64 = 86_400_000_000;

thread_local! {
    static FACTS: Kept<i64, Statement> = RefCell::default();
}

/// Calls `judge` with the facts of each deal that has a score.
pub(super) fn each(
    refresh: &Refresh<'_>,
    deals: &[&Scored],
    mut judge: impl FnMut(&Scored, Option<Uuid>, &DealFacts<'_>),
) -> Result<()> {
    if deals.is_empty() {
        return Ok(());
    }
    let ids: Vec<Option<Uuid>> = deals.iter().map(|deal| deal.id).collect();
    let as_of = to_instant(refresh.as_of.into());
    Spi::connect(|_| {
        let statement = kept(&FACTS, refresh.crm.part, refresh.crm.generation, || {
            let text = statement(refresh)?;
            Ok(Statement::new(&text, &[pg_sys::UUIDARRAYOID]))
        })?;
        let _snapshot = Snapshot::newest();
        // SAFETY: the value and the columns are those of the statement, in this order.
        unsafe {
            let rows = statement.read(&[ids.into_datum()]);
            rows.each(
                |[
                    ordinal,
                    score,
                    name,
                    company,
                    stage,
                    amount,
                    close,
                    overall,
                    in_stage,
                    activity,
                    meeting,
                    meetings,
                    activities,
                    response,
                    sentiment,
                    trend,
                ]| {
                    let ordinal: i64 = value(ordinal).expect("a row has its deal");
                    let close: Option<i32> = value(close);
                    let trend: Option<&str> = value(trend);
                    let facts = DealFacts {
                        deal_name: value(name),
                        company: value(company),
                        stage: value(stage),
                        value: value(amount).filter(|amount: &f64| amount.is_finite()),
                        overall_health_score: value(overall),
                        days_in_stage: value(in_stage),
                        days_since_last_activity: value(activity),
                        days_since_last_meeting: value(meeting),
                        meeting_count_30d: value(meetings),
                        activity_count_30d: value(activities),
                        avg_response_time_hours: value(response),
                        avg_sentiment: value(sentiment),
                        sentiment_trend: trend.and_then(SentimentTrend::parse).unwrap_or_default(),
                        days_until_close: close.map(|day| days_until(day, as_of)),
                    };
                    judge(deals[ordinal as usize - 1], value(score), &facts);
                },
            );
        }
        Ok(())
    })
}

/// Days from an instant to the start of a day (counted from 1970-01-01, UTC), rounded up.
fn days_until(day: i32, as_of: Instant) -> i64 {
    -as_of.whole_days_since(Instant(i64::from(day).saturating_mul(MICROS_PER_DAY)))
}

fn statement(refresh: &Refresh<'_>) -> Result<String> {
    let scores = refresh.crm.score_table("deal_health_scores")?;
    let columns: Vec<String> = METRICS
        .iter()
        .map(|(name, sql_type)| {
            if scores.has(name) {
                format!("s.{name}::{sql_type}")
            } else {
                format!("NULL::{sql_type}")
            }
        })
        .collect();
    Template::default()
        .with("scores", scores.qualified())
        .with("score_columns", columns.join(", "))
        .fill(
            include_str!("../../../sql/refresh/alerts_facts.sql"),
            refresh.crm,
        )
}
