//! Which columns a score table has, and what goes into them.

use pgrx::spi::quote_identifier;

use super::template::Template;
use crate::crm::Relation;

/// A column of a score table and the expression for it, over `s` (the core's result) and `g` (the
/// signals).
pub(super) type Computed = (&'static str, &'static str);

/// The parts of a write statement for the columns that the table has.
pub(super) fn score_columns<'a>(table: &Relation, computed: &[Computed]) -> Template<'a> {
    let present: Vec<&Computed> = computed
        .iter()
        .filter(|(name, _)| table.has(name))
        .collect();
    let join = |part: &dyn Fn(&str, &str) -> String| {
        let parts: Vec<String> = present
            .iter()
            .map(|(name, value)| part(&quote_identifier(name), value))
            .collect();
        parts.join(", ")
    };
    let of_type = |name: &str, value: &str| {
        let sql_type = &table.columns[name.trim_matches('"')];
        format!("CAST({value} AS {sql_type}) AS {name}")
    };
    let old = join(&|name, _| format!("s.{name}"));
    let new = join(&|name, _| format!("n.{name}"));
    let touched = if table.has("updated_at") {
        // Unchanged rows keep their `updated_at`: only the time of calculation moves on.
        format!(
            ",\n      updated_at = CASE WHEN ({old}) IS DISTINCT FROM ({new}) THEN now() ELSE s.updated_at END"
        )
    } else {
        String::new()
    };
    Template::default()
        .with("computed", join(&of_type))
        .with("columns", join(&|name, _| name.to_owned()))
        .with("assignments", join(&|name, _| format!("{name} = n.{name}")))
        .with("new_values", new)
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
        .filter(|(name, value)| history.has(name) && at_hand(name, value))
        .collect();
    let columns: Vec<String> = present
        .iter()
        .map(|(name, _)| quote_identifier(name))
        .collect();
    let values: Vec<&str> = present.iter().map(|(_, value)| *value).collect();
    Template::default()
        .with("history", history.qualified())
        .with("columns", columns.join(", "))
        .with("values", values.join(", "))
}
