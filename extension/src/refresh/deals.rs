//! The statements for deals.

use super::template::Template;
use super::writes::{Computed, history_columns, score_columns};
use crate::crm::Crm;
use crate::error::Result;
use crate::pipeline;

const TABLE: &str = "deal_health_scores";

const COMPUTED: &[Computed] = &[
    ("overall_health_score", "s.overall_health_score"),
    ("health_status", "s.health_status"),
    ("stage_velocity_score", "s.stage_velocity_score"),
    ("sentiment_score", "s.sentiment_score"),
    ("engagement_score", "s.engagement_score"),
    ("activity_score", "s.activity_score"),
    ("response_time_score", "s.response_time_score"),
    ("days_in_current_stage", "s.days_in_current_stage"),
    ("days_since_last_meeting", "s.days_since_last_meeting"),
    ("days_since_last_activity", "s.days_since_last_activity"),
    ("avg_sentiment_last_3_meetings", "s.avg_sentiment"),
    ("sentiment_trend", "s.sentiment_trend"),
    ("meeting_count_last_30_days", "s.meeting_count_last_30_days"),
    (
        "activity_count_last_30_days",
        "s.activity_count_last_30_days",
    ),
    ("avg_response_time_hours", "s.avg_response_time_hours"),
    ("risk_factors", "s.risk_factors"),
    ("risk_level", "s.risk_level"),
    (
        "predicted_close_probability",
        "s.predicted_close_probability",
    ),
    ("predicted_days_to_close", "s.predicted_days_to_close"),
];

const HISTORY: &[Computed] = &[
    ("deal_id", "n.deal_id"),
    ("user_id", "n.user_id"),
    ("overall_health_score", "n.new_score"),
    ("health_status", "n.new_status"),
    ("stage_velocity_score", "n.stage_velocity_score"),
    ("sentiment_score", "n.sentiment_score"),
    ("engagement_score", "n.engagement_score"),
    ("activity_score", "n.activity_score"),
    ("response_time_score", "n.response_time_score"),
    ("snapshot_at", "$4"),
];

/// The statement that finds the targets of users; `users` compares with them. `fresh_alone` is whether a score
/// of another user, which is not fresh, may as well be none: then those of the user are read at once, and not
/// deal by deal.
pub(super) fn due(crm: &Crm, users: &str, fresh_alone: bool) -> Result<String> {
    let table = crm.score_table(TABLE)?;
    // A score as of the past may have been made just now.
    let scored_at = if table.has("created_at") {
        "greatest(s.last_calculated_at::timestamptz, s.created_at::timestamptz)"
    } else {
        "s.last_calculated_at::timestamptz"
    };
    let whose = if fresh_alone {
        format!(" AND s.user_id {users}")
    } else {
        String::new()
    };
    Template::default()
        .with("scores", table.qualified())
        .with("scored_at", scored_at)
        .with("users", users)
        .with("whose", whose)
        .fill(include_str!("../../../sql/refresh/deals_due.sql"), crm)
}

/// The statement that scores targets and writes the scores.
pub(super) fn compute(crm: &Crm) -> Result<String> {
    scored(crm)?
        .with("scores", crm.score_table(TABLE)?.qualified())
        .with("history", history(crm)?)
        .fill(include_str!("../../../sql/refresh/deals_refresh.sql"), crm)
}

/// The parts of a statement that gathers the signals of targets and scores them.
pub(super) fn scored(crm: &Crm) -> Result<Template<'static>> {
    Ok(score_columns(crm.score_table(TABLE)?, COMPUTED)
        .with("signals", signals(crm)?)
        .with("owner", pipeline::owner_argument()?))
}

/// The part that keeps what changed as a snapshot; nothing where there is no table for it, or a
/// trigger keeps it.
pub(super) fn history(crm: &Crm) -> Result<String> {
    let table = crm.score_table(TABLE)?;
    let Some(history) = crm.history_table("deal_health_history", table)? else {
        return Ok(String::new());
    };
    history_columns(history, table, HISTORY)
        .fill(include_str!("../../../sql/refresh/deals_history.sql"), crm)
}

/// The gathering of signals, as common table expressions that end with `signals`.
pub(crate) fn signals(crm: &Crm) -> Result<String> {
    Template::default()
        .with("deal_meetings_found", meetings(crm)?)
        .fill(include_str!("../../../sql/refresh/deal_signals.sql"), crm)
}

/// A deal's meetings: those that name it, or where this CRM cannot say, those with its contact.
fn meetings(crm: &Crm) -> Result<String> {
    let by_column = crm
        .find("meetings")
        .is_some_and(|meetings| meetings.has("deal_id"));
    let by_link = crm.find("deal_meetings").is_some();
    let mut branches = Vec::new();
    if by_column {
        branches.push(include_str!(
            "../../../sql/refresh/deal_meetings_by_column.sql"
        ));
    }
    if by_link {
        branches.push(include_str!(
            "../../../sql/refresh/deal_meetings_by_link.sql"
        ));
    }
    if branches.is_empty() {
        branches.push(include_str!(
            "../../../sql/refresh/deal_meetings_by_contact.sql"
        ));
    }
    Template::default().fill(&branches.join("UNION ALL\n"), crm)
}

/// The statement that explains deals.
pub(super) fn explain(crm: &Crm) -> Result<String> {
    Template::default()
        .with("signals", signals(crm)?)
        .with("owner", pipeline::owner_argument()?)
        .fill(include_str!("../../../sql/refresh/deals_explain.sql"), crm)
}

/// The statement that finds the worst scores.
pub(super) fn worst(crm: &Crm) -> Result<String> {
    Template::default()
        .with("scores", crm.score_table(TABLE)?.qualified())
        .fill(include_str!("../../../sql/refresh/deals_worst.sql"), crm)
}

/// The statement that gives the reasons of scores.
pub(super) fn reasons(crm: &Crm) -> Result<String> {
    Template::default()
        .with("signals", signals(crm)?)
        .with("owner", pipeline::owner_argument()?)
        .fill(include_str!("../../../sql/refresh/deals_reasons.sql"), crm)
}
