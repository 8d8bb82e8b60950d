//! The statements that score the past: those of a refresh, over the CRM as of $4, without the write.
//!
//! What the CRM keeps no history of is read as it is today: who owns a deal or contact, with which
//! company a contact is, what a deal is worth, which mail was opened. See docs/trends.md.

use super::template::Template;
use super::{Kind, deals, relationships};
use crate::crm::Crm;
use crate::error::Result;

/// What one kind of subject takes to be replayed.
pub(crate) struct Past {
    /// Finds the targets that were there: $1 the user, $4 the instant; columns as of a refresh.
    pub(crate) targets: String,
    /// Scores them: parameters as told at the head of `sql/replay/*_replay.sql`.
    pub(crate) scores: String,
    /// Finds the first snapshot of each subject: $1 the user. `None` where none are to be kept.
    pub(crate) first_snapshots: Option<String>,
}

/// The statements for deals or relationships; with `keep`, changes are kept as snapshots, unless a
/// refresh keeps none either.
pub(crate) fn past(kind: Kind, crm: &Crm, calibrated: bool, keep: bool) -> Result<Past> {
    let then = match kind {
        Kind::Deals => targets_then(crm)?,
        Kind::Relationships => related_then(crm)?,
    };
    let then = events_then(then)?;
    let (parts, text, targets, history) = match kind {
        Kind::Deals => (
            deals::scored(&then)?,
            include_str!("../../../sql/replay/deals_replay.sql"),
            deals::due(&then, "= $1", false)?,
            deals::history(crm)?,
        ),
        Kind::Relationships => (
            relationships::scored(&then, calibrated)?,
            include_str!("../../../sql/replay/relationships_replay.sql"),
            relationships::due(&contacts_then(crm)?, "= $1")?,
            relationships::history(crm)?,
        ),
    };
    let (first_snapshots, history, snapshots) = if keep && !history.is_empty() {
        let first = first_snapshots(kind, crm)?;
        (Some(first), history, "(SELECT count(*) FROM snapshot)")
    } else {
        (None, String::new(), "0::int8")
    };
    Ok(Past {
        targets,
        scores: parts
            .with("history", history)
            .with("snapshots", snapshots)
            .fill(text, crm)?,
        first_snapshots,
    })
}

/// The statement that finds when mails were answered: $1 the user.
pub(crate) fn answers(crm: &Crm) -> Result<String> {
    Template::default().fill(include_str!("../../../sql/replay/answers.sql"), crm)
}

/// Deals in the stage and status that they had.
fn targets_then(crm: &Crm) -> Result<Crm> {
    let rest = Template::default().fill(include_str!("../../../sql/replay/deals.sql"), crm)?;
    let values = [
        ("stage_id", "past.stage_id"),
        ("status", "past.status"),
        ("stage_changed_at", "past.since"),
    ];
    crm.clone().read_as("deals", &values, &rest)
}

/// The deals that a relationship stood for, with the statuses that were replayed for them.
fn related_then(crm: &Crm) -> Result<Crm> {
    Ok(crm
        .clone()
        .read_as("deals", &[], "WHERE r.created_at <= $4")?
        .read_from(
            "deal_health_scores",
            "(SELECT p.deal_id, p.health_status FROM unnest($12::uuid[], $13::text[]) AS p (deal_id, health_status))",
        ))
}

/// Meetings and mail as they were known.
fn events_then(crm: Crm) -> Result<Crm> {
    crm.read_as(
        "communication_events",
        // Unknown stays unknown.
        &[("was_replied", "r.was_replied AND NOT r.id = ANY ($10)")],
        "",
    )?
    .read_as(
        "meetings",
        // How a booked meeting went is not known before it.
        &[(
            "sentiment_score",
            "CASE WHEN r.meeting_start <= $4 THEN r.sentiment_score END",
        )],
        "WHERE r.meeting_start <= $4 OR r.created_at <= $4",
    )
}

/// The contacts that were there.
fn contacts_then(crm: &Crm) -> Result<Crm> {
    let rest = Template::default().fill(include_str!("../../../sql/replay/contacts.sql"), crm)?;
    crm.clone().read_as("contacts", &[], &rest)
}

/// The table of snapshots, and the score table that it belongs to.
fn tables(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Deals => ("deal_health_history", "deal_health_scores"),
        Kind::Relationships => ("relationship_health_history", "relationship_health_scores"),
    }
}

fn first_snapshots(kind: Kind, crm: &Crm) -> Result<String> {
    let (history, scores) = tables(kind);
    let text = match kind {
        Kind::Deals => include_str!("../../../sql/replay/deal_snapshots.sql"),
        Kind::Relationships => include_str!("../../../sql/replay/relationship_snapshots.sql"),
    };
    Template::default()
        .with("history", crm.score_table(history)?.qualified())
        .with("scores", crm.score_table(scores)?.qualified())
        .fill(text, crm)
}
