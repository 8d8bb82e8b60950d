//! The statements for relationships.

use super::silence;
use super::template::Template;
use super::writes::{Computed, history_columns, score_columns};
use crate::crm::Crm;
use crate::error::Result;

pub(super) const TABLE: &str = "relationship_health_scores";

pub(super) const COMPUTED: &[Computed] = &[
    ("overall_health_score", "s.overall_health_score"),
    ("health_status", "s.health_status"),
    ("risk_level", "s.risk_level"),
    (
        "communication_frequency_score",
        "s.communication_frequency_score",
    ),
    ("response_behavior_score", "s.response_behavior_score"),
    ("engagement_quality_score", "s.engagement_quality_score"),
    ("sentiment_score", "s.sentiment_score"),
    ("meeting_pattern_score", "s.meeting_pattern_score"),
    ("days_since_last_contact", "s.days_since_last_contact"),
    ("days_since_last_response", "s.days_since_last_response"),
    ("avg_response_time_hours", "s.avg_response_time_hours"),
    ("response_rate_percent", "s.response_rate_percent"),
    ("email_open_rate_percent", "s.email_open_rate_percent"),
    ("meeting_count_30_days", "s.meeting_count_30_days"),
    ("email_count_30_days", "s.email_count_30_days"),
    ("total_interactions_30_days", "s.total_interactions_30_days"),
    (
        "baseline_response_time_hours",
        "s.baseline_response_time_hours",
    ),
    (
        "baseline_contact_frequency_days",
        "s.baseline_contact_frequency_days",
    ),
    (
        "baseline_meeting_frequency_days",
        "s.baseline_meeting_frequency_days",
    ),
    ("is_ghost_risk", "s.is_ghost_risk"),
    // A company is no one who could fall silent: the signals are a contact's.
    (
        "ghost_signals",
        "CASE WHEN g.contact_id IS NULL THEN '[]' ELSE s.ghost_signals END",
    ),
    ("ghost_probability_percent", "s.ghost_probability_percent"),
    (
        "days_until_predicted_ghost",
        "CASE WHEN g.contact_id IS NOT NULL THEN s.days_until_predicted_ghost END",
    ),
    ("sentiment_trend", "s.sentiment_trend"),
    (
        "avg_sentiment_last_3_interactions",
        "s.avg_sentiment_last_3_interactions",
    ),
    ("risk_factors", "s.risk_factors"),
    (
        "last_meaningful_interaction",
        "s.last_meaningful_interaction",
    ),
    ("related_deals_count", "g.related_deals_count"),
    ("total_deal_value", "g.total_deal_value"),
    ("at_risk_deal_value", "g.at_risk_deal_value"),
];

const HISTORY: &[Computed] = &[
    ("relationship_health_id", "n.score_id"),
    ("user_id", "n.user_id"),
    ("overall_health_score", "n.new_score"),
    ("health_status", "n.new_status"),
    (
        "communication_frequency_score",
        "n.communication_frequency_score",
    ),
    ("response_behavior_score", "n.response_behavior_score"),
    ("engagement_quality_score", "n.engagement_quality_score"),
    ("sentiment_score", "n.sentiment_score"),
    ("meeting_pattern_score", "n.meeting_pattern_score"),
    ("is_ghost_risk", "n.new_ghost_risk"),
    ("ghost_probability_percent", "n.ghost_probability_percent"),
    ("snapshot_at", "$4"),
    (
        "snapshot_reason",
        "CASE WHEN n.is_new THEN 'scheduled' \
         WHEN n.new_ghost_risk AND n.previous_ghost_risk IS NOT TRUE THEN 'ghost_detected' \
         WHEN n.previous_ghost_risk AND n.new_ghost_risk IS NOT TRUE THEN 'recovery' \
         WHEN abs(n.new_score - n.previous_score) >= 15 THEN 'major_change' \
         ELSE 'scheduled' END",
    ),
    (
        "changes_from_previous",
        "CASE WHEN NOT n.is_new THEN jsonb_build_object(\
         'overall_health_score_delta', n.new_score - n.previous_score, \
         'status_changed', n.previous_status IS DISTINCT FROM n.new_status, \
         'ghost_risk_changed', n.previous_ghost_risk IS DISTINCT FROM n.new_ghost_risk, \
         'previous_status', n.previous_status, 'new_status', n.new_status) END",
    ),
];

/// The statement that finds the targets of users; `users` compares with them.
pub(super) fn due(crm: &Crm, users: &str) -> Result<String> {
    let scores = crm.score_table(TABLE)?.qualified();
    Template::default()
        .with("scores", scores)
        .with("users", users)
        .fill(
            include_str!("../../../sql/refresh/relationships_due.sql"),
            crm,
        )
}

/// The statement that scores targets and writes the scores.
pub(super) fn compute(crm: &Crm, calibrated: bool) -> Result<String> {
    let written = scored(crm, calibrated)?
        .with("scores", crm.score_table(TABLE)?.qualified())
        .with("history", history(crm)?)
        .with(
            "signal_rows",
            super::ghost_rows::statement(crm, crm.score_table(TABLE)?, "cardinality($1::uuid[])")?,
        );
    silence::sealing(written, crm, calibrated)?.fill(
        include_str!("../../../sql/refresh/relationships_refresh.sql"),
        crm,
    )
}

/// The parts of a statement that gathers the signals of targets and scores them; $9 is the
/// configuration.
pub(super) fn scored(crm: &Crm, calibrated: bool) -> Result<Template<'static>> {
    let signals = signals(crm, calibrated.then_some("$9"))?;
    Ok(score_columns(crm.score_table(TABLE)?, COMPUTED).with("signals", signals))
}

/// The part that keeps what changed as a snapshot; nothing where there is no table for it, or a
/// trigger keeps it.
pub(super) fn history(crm: &Crm) -> Result<String> {
    let Some(template) = history_template(crm)? else {
        return Ok(String::new());
    };
    template.fill(
        include_str!("../../../sql/refresh/relationships_history.sql"),
        crm,
    )
}

/// The parts of a statement that keeps snapshots, where the refresh is to keep them.
pub(super) fn history_template(crm: &Crm) -> Result<Option<Template<'static>>> {
    let table = crm.score_table(TABLE)?;
    let history = crm.history_table("relationship_health_history", table)?;
    Ok(history.map(|history| history_columns(history, table, HISTORY)))
}

/// The gathering of signals, as common table expressions that end with `signals`. `config` is the
/// parameter of the configuration where the calibrated ghost model is in use.
fn signals(crm: &Crm, config: Option<&str>) -> Result<String> {
    let template = Template::default()
        .with("older_contact_events", older_events(crm, "contact_id")?)
        .with("older_company_events", older_events(crm, "company_id")?);
    silence::signals(template, crm, config)?.fill(
        include_str!("../../../sql/refresh/relationship_signals.sql"),
        crm,
    )
}

/// What the recent events may lack: a bit, and the test of the event that mends it.
const WANTED: [(&str, &str); 3] = [
    ("1", "true"),
    ("2", "e.direction = 'inbound'"),
    (
        "4",
        "(e.event_type IN ('meeting_held', 'call_made', 'call_received') \
          OR (e.was_replied AND e.event_type IN ('email_sent', 'email_received')))",
    ),
];

/// One look-up for each thing that the recent events may lack.
fn older_events(crm: &Crm, key: &str) -> Result<String> {
    let text = include_str!("../../../sql/refresh/older_events.sql");
    let look_up = |(bit, which): (&str, &str)| {
        let template = Template::default().with("key", key).with("bit", bit);
        template.with("which", which).fill(text, crm)
    };
    let branches: Result<Vec<_>> = WANTED.into_iter().map(look_up).collect();
    Ok(branches?.join("UNION ALL\n"))
}

/// The same for user_lookups.sql. Of the newest event and the newest inbound one the time is
/// enough, which an index may hold.
pub(super) fn user_older_events(crm: &Crm, key: &str) -> Result<String> {
    const ALL: &str = "e.event_type, e.external_source, e.external_id, e.was_replied, e.subject";
    const NONE: &str = "NULL::text AS event_type, NULL::text AS external_source, NULL::text AS external_id, \
                        NULL::bool AS was_replied, NULL::text AS subject";
    let text = include_str!("../../../sql/refresh/user_older_events.sql");
    let look_up = |(bit, which): (&str, &str)| {
        let template = Template::default().with("key", key).with("bit", bit);
        let told = if bit == "4" { ALL } else { NONE };
        template
            .with("which", which)
            .with("told", told)
            .fill(text, crm)
    };
    let branches: Result<Vec<_>> = WANTED.into_iter().map(look_up).collect();
    Ok(branches?.join("UNION ALL\n"))
}

/// The statement that explains relationships.
pub(super) fn explain(crm: &Crm, calibrated: bool) -> Result<String> {
    Template::default()
        .with("signals", signals(crm, calibrated.then_some("$5"))?)
        .fill(
            include_str!("../../../sql/refresh/relationships_explain.sql"),
            crm,
        )
}

/// The statement that finds the worst scores.
pub(super) fn worst(crm: &Crm) -> Result<String> {
    Template::default()
        .with("scores", crm.score_table(TABLE)?.qualified())
        .fill(
            include_str!("../../../sql/refresh/relationships_worst.sql"),
            crm,
        )
}

/// The statement that gives the reasons of scores.
pub(super) fn reasons(crm: &Crm, calibrated: bool) -> Result<String> {
    Template::default()
        .with("signals", signals(crm, calibrated.then_some("$5"))?)
        .fill(
            include_str!("../../../sql/refresh/relationships_reasons.sql"),
            crm,
        )
}
