//! Which columns a score table has, and what goes into them.

use pgrx::spi::quote_identifier;

use super::template::Template;
use crate::crm::Relation;

/// A column of a score table and the expression for it, over `s` (the core's result) and `g` (the
/// signals).
pub(super) type Computed = (&'static str, &'static str);

/// The parts of a write statement for the columns that the table has; `n` has their new values.
pub(super) fn score_columns<'a>(table: &Relation, computed: &[Computed]) -> Template<'a> {
    let present = Present::of(table, computed);
    let new = |name: &str, _: &str| format!("n.{name}");
    let relationship_type = "CASE WHEN n.contact_id IS NULL THEN 'company' ELSE 'contact' END";
    assigning(table, &present, &new, &|_| String::new())
        .with(
            "relationship_type",
            table.cast("relationship_type", relationship_type),
        )
        .with(
            "computed",
            present.join(&|name, value| format!("{} AS {name}", present.cast(name, value))),
        )
        .with("columns", present.join(&|name, _| name.to_owned()))
        .with("new_values", present.join(&new))
}

/// The parts of an UPDATE whose new values are expressions over the row itself. `is_same` makes of the columns that
/// are compared a test that is quicker, and may say no of rows that are the same.
pub(super) fn assignments<'a>(
    table: &Relation,
    values: &[(&'static str, String)],
    is_same: &dyn Fn(&[&str]) -> String,
) -> Template<'a> {
    let values: Vec<(&'static str, &str)> = values
        .iter()
        .map(|(name, value)| (*name, &**value))
        .collect();
    let present = Present::of(table, &values);
    let is_same = |columns: &[&str]| format!("WHEN {} THEN s.updated_at ", is_same(columns));
    assigning(
        table,
        &present,
        &|name, value| present.cast(name, value),
        &is_same,
    )
}

/// The columns that a table has, of some that are known, with a value for each.
struct Present<'a> {
    table: &'a Relation,
    columns: Vec<(&'a str, &'a str)>,
}

impl<'a> Present<'a> {
    fn of(table: &'a Relation, known: &[(&'a str, &'a str)]) -> Self {
        let columns = known.iter().filter(|(name, _)| table.takes(name)).copied();
        Self {
            table,
            columns: columns.collect(),
        }
    }

    /// Something for each column, from its quoted name and its value.
    fn join(&self, part: &dyn Fn(&str, &str) -> String) -> String {
        let parts = self.columns.iter();
        let parts: Vec<String> = parts
            .map(|(name, value)| part(&quote_identifier(name), value))
            .collect();
        parts.join(", ")
    }

    fn cast(&self, name: &str, value: &str) -> String {
        self.table.cast(name.trim_matches('"'), value)
    }

    /// A value as it can be compared: json, unlike jsonb, has no equality.
    fn comparable(&self, name: &str, value: &str) -> String {
        let sql_type = self.table.columns.get(name.trim_matches('"'));
        if sql_type.is_some_and(|sql_type| sql_type == "json") {
            format!("{value}::jsonb")
        } else {
            value.to_owned()
        }
    }
}

fn assigning<'a>(
    table: &Relation,
    present: &Present<'_>,
    new: &dyn Fn(&str, &str) -> String,
    when_same: &dyn Fn(&[&str]) -> String,
) -> Template<'a> {
    let touched = if table.has("updated_at") {
        // The comparison ends with the first that differs, and days pass for everybody.
        let mut columns = present.columns.clone();
        columns.sort_by_key(|(name, _)| !name.starts_with("days_"));
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let when_same = when_same(&names);
        let compared = Present { table, columns };
        let old = compared.join(&|name, _| compared.comparable(name, &format!("s.{name}")));
        let new = compared.join(&|name, value| compared.comparable(name, &new(name, value)));
        // Unchanged rows keep their `updated_at`: only the time of calculation moves on.
        format!(
            ",\n      updated_at = CASE {when_same}WHEN ({old}) IS DISTINCT FROM ({new}) THEN now() ELSE s.updated_at END"
        )
    } else {
        String::new()
    };
    let assigned = |name: &str, value: &str| format!("{name} = {}", new(name, value));
    Template::default()
        .with("assignments", present.join(&assigned))
        .with("updated_at", touched)
}

/// The parts of a history insert for the columns that the history table has. A component that the
/// score table does not keep is not to be had here either.
pub(super) fn history_columns<'a>(
    history: &Relation,
    scores: &Relation,
    values: &[Computed],
) -> Template<'a> {
    let at_hand = |name: &str, value: &str| {
        !name.ends_with("_score") && name != "ghost_probability_percent"
            || value == "n.new_score"
            || scores.has(name)
    };
    let present: Vec<&Computed> = values
        .iter()
        .filter(|(name, value)| history.takes(name) && at_hand(name, value))
        .collect();
    let columns: Vec<String> = present
        .iter()
        .map(|(name, _)| quote_identifier(name))
        .collect();
    let values = present
        .iter()
        .map(|(name, value)| history.cast(name, value));
    let values: Vec<String> = values.collect();
    Template::default()
        .with("history", history.qualified())
        .with("columns", columns.join(", "))
        .with("values", values.join(", "))
}
