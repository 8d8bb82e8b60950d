//! The tables of alerts and rules, as far as they can be used.

use crm_health_scoring::alert::{Rule, RuleError, RuleRow};
use pgrx::prelude::*;
use serde_json::Value;

use super::template::Template;
use crate::crm::{Crm, Relation};
use crate::error::Result;
use crate::json::{self, TooLarge};

/// The table of alerts. Where there is none there are no alerts; one that cannot be written to is
/// warned of, for the scores are worth more than the alerts.
pub(crate) fn usable(crm: &Crm) -> Option<&Relation> {
    crm.complete_table("deal_health_alerts")
        .unwrap_or_else(|error| {
            pgrx::warning!("no alerts are raised: {error}");
            None
        })
}

/// The active rules in the order of their names; `None` where there is no table of them. A rule
/// that cannot be used is warned of and passed over.
pub(super) fn read(crm: &Crm) -> Result<Option<Vec<Rule>>> {
    let Some(table) = crm.find("deal_health_rules") else {
        return Ok(None);
    };
    let statement = Template::default()
        .with("rules", table.qualified())
        .fill(include_str!("../../../sql/refresh/alerts_rules.sql"), crm)?;
    let mut rules = Vec::new();
    Spi::connect(|client| -> Result<()> {
        // As a text: a number of it may be one that JSON's reader refuses.
        let statement = format!("SELECT q.rule::text FROM ({statement}) q (rule)");
        for row in client.select(statement.as_str(), None, &[])? {
            let Some(row) = row.get::<String>(1)? else {
                continue;
            };
            let row = json::parse(&row, TooLarge::Words)?;
            if row["is_active"] == Value::Bool(false) {
                continue;
            }
            match check(&row) {
                Ok(rule) => rules.push(rule),
                Err(error) => pgrx::warning!(
                    "rule {} of {} is passed over: {error}",
                    row["rule_name"],
                    table.qualified()
                ),
            }
        }
        Ok(())
    })?;
    rules.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(Some(rules))
}

/// A row of the table as a rule.
pub(crate) fn check(row: &Value) -> std::result::Result<Rule, RuleError> {
    let row: RuleRow =
        serde_json::from_value(row.clone()).map_err(|error| RuleError(error.to_string()))?;
    Rule::parse(&row)
}
