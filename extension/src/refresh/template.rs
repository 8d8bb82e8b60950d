//! Fills `{placeholders}` of a statement.

use std::collections::HashMap;

use crate::crm::Crm;
use crate::error::Result;

/// Values for placeholders; what it does not know is a source of the CRM.
#[derive(Default)]
pub(super) struct Template<'a> {
    values: HashMap<&'a str, String>,
}

impl<'a> Template<'a> {
    pub(super) fn with(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.values.insert(name, value.into());
        self
    }

    /// The statement with every placeholder filled. Comments are dropped: they may name one.
    pub(super) fn fill(&self, text: &str, crm: &Crm) -> Result<String> {
        let mut filled = String::with_capacity(text.len() * 2);
        for line in text
            .lines()
            .filter(|line| !line.trim_start().starts_with("--"))
        {
            let mut rest = line;
            while let Some((before, after)) = rest.split_once('{') {
                let (name, after) = after
                    .split_once('}')
                    .expect("a placeholder ends on its line");
                filled.push_str(before);
                match (self.values.get(name), shared(name)) {
                    (Some(value), _) => filled.push_str(value),
                    (None, Some(value)) => filled.push_str(&self.fill(value, crm)?),
                    (None, None) => filled.push_str(&crm.source(name)?),
                }
                rest = after;
            }
            filled.push_str(rest);
            filled.push('\n');
        }
        Ok(filled)
    }
}

/// What every statement may use. $4 is the instant in all of them. Whole days before it are taken in
/// UTC, which no setting of the session moves, and which the planner knows for a constant.
fn shared(name: &str) -> Option<&'static str> {
    match name {
        "interactions" => Some(include_str!(
            "../../../sql/refresh/collect_interactions.sql"
        )),
        "user_events" => Some(include_str!("../../../sql/refresh/collect_user_events.sql")),
        "user_event_columns" => Some(include_str!("../../../sql/refresh/user_event_columns.sql")),
        "30_days_ago" => Some("(($4 AT TIME ZONE 'UTC' - interval '30 days') AT TIME ZONE 'UTC')"),
        "90_days_ago" => Some("(($4 AT TIME ZONE 'UTC' - interval '90 days') AT TIME ZONE 'UTC')"),
        _ => None,
    }
}
