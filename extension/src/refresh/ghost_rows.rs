//! Ghost signals as rows, written in the statement that scores.

use super::template::Template;
use crate::crm::{Crm, Relation};
use crate::error::Result;

/// The part of relationships_refresh.sql that keeps the rows: nothing where the CRM has no table of
/// them, or the scores keep no signals. `most` says how many targets there are, where that is known. A table that cannot be written to is warned of.
pub(super) fn statement(crm: &Crm, scores: &Relation, most: &str) -> Result<String> {
    let Some(table) = usable(crm, scores) else {
        return Ok(String::new());
    };
    signal_columns(table).with("most_targets", most).fill(
        include_str!("../../../sql/refresh/ghost_signal_rows.sql"),
        crm,
    )
}

/// The table, and the words of a signal `w` as it takes them.
pub(super) fn signal_columns<'a>(table: &Relation) -> Template<'a> {
    Template::default()
        .with("rows", table.qualified())
        .with("signal_type", table.cast("signal_type", "w.signal_type"))
        .with("severity", table.cast("severity", "w.severity"))
}

/// The table of signals, where there is one that can be written and the scores keep them too.
pub(super) fn usable<'a>(crm: &'a Crm, scores: &Relation) -> Option<&'a Relation> {
    let table = crm.complete_table("ghost_detection_signals");
    let table = table.unwrap_or_else(|error| {
        pgrx::warning!("no ghost signals are kept: {error}");
        None
    });
    let kept = scores.columns.get("ghost_signals").map(String::as_str);
    table.filter(|_| kept == Some("jsonb"))
}
