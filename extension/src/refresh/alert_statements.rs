//! Runs the statements that write alerts.

use crm_health_scoring::alert::AlertType;
use pgrx::datum::{JsonB, TimestampWithTimeZone, Uuid};
use pgrx::prelude::*;
use serde_json::Value;

use super::template::Template;
use crate::crm::{Crm, Relation};
use crate::error::Result;

/// A statement about alerts, for the table and its types.
pub(super) fn filled(crm: &Crm, table: &Relation, text: &str) -> Result<String> {
    let template = Template::default()
        .with("alerts", table.qualified())
        .with("alert_type", table.cast("alert_type", "n.alert_type"))
        .with("severity", table.cast("severity", "n.severity"))
        .with(
            "action_priority",
            table.cast("action_priority", "n.priority"),
        )
        .with(
            "suggested_actions",
            table.cast("suggested_actions", "n.suggested_actions"),
        );
    template.fill(text, crm)
}

/// Runs one of the statements.
pub(super) fn run(
    crm: &Crm,
    table: &Relation,
    text: &str,
    arguments: &[pgrx::datum::DatumWithOid<'_>],
) -> Result<()> {
    let statement = filled(crm, table, text)?;
    Spi::connect_mut(|client| {
        client.update(statement.as_str(), None, arguments)?;
        Ok(())
    })
}

/// An alert's id, with its deal and type.
pub(super) type Written = (Uuid, (Uuid, AlertType));

/// Writes rows, if there are any, and returns the alerts that were written.
pub(super) fn write_rows(
    crm: &Crm,
    table: &Relation,
    text: &str,
    rows: Vec<Value>,
    as_of: TimestampWithTimeZone,
) -> Result<Vec<Written>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let statement = filled(crm, table, text)?;
    let document = JsonB(Value::Array(rows));
    Spi::connect_mut(|client| {
        let rows = client.update(statement.as_str(), None, &[document.into(), as_of.into()])?;
        let mut written = Vec::with_capacity(rows.len());
        for row in rows {
            let alert_type = row.get::<&str>(3)?.and_then(AlertType::parse);
            if let (Some(id), Some(deal), Some(alert_type)) =
                (row.get::<Uuid>(1)?, row.get::<Uuid>(2)?, alert_type)
            {
                written.push((id, (deal, alert_type)));
            }
        }
        Ok(written)
    })
}
