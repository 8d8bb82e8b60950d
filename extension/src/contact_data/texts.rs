//! The statements of it: names sought and replaced in the texts of rows.

use pgrx::datum::{DatumWithOid, JsonB, Uuid};
use pgrx::prelude::*;
use serde_json::Value;

use crate::crm::Relation;
use crate::error::Result;

/// What stands in the place of a name.
const ERASED: &str = "[erased]";

/// A shorter name would be found in other words: "Ann" in "Annual". One of several words, or an
/// address, is told apart.
const SHORTEST_WORD: usize = 6;
const SHORTEST_NAME: usize = 3;

/// An error of the run log that is of the user `$1` and matches `$2`.
const MENTIONED: &str = "e.error ->> 'userId' = $1::text AND e.error ->> 'reason' ~* $2";

/// A regular expression for any of the names, as text and as JSON has it.
pub(super) fn pattern(names: &[String]) -> Option<String> {
    let mut found: Vec<String> = Vec::new();
    for name in names.iter().map(|name| name.trim()) {
        let is_word = !name.contains(|letter: char| letter.is_whitespace() || letter == '@');
        let shortest = if is_word {
            SHORTEST_WORD
        } else {
            SHORTEST_NAME
        };
        if name.chars().count() < shortest {
            continue;
        }
        let quoted = Value::from(name).to_string();
        for form in [name, &quoted[1..quoted.len() - 1]] {
            let literal: String = form
                .chars()
                .flat_map(|letter| {
                    let plain = letter.is_alphanumeric() || letter.is_whitespace();
                    (!plain).then_some('\\').into_iter().chain([letter])
                })
                .collect();
            if !found.contains(&literal) {
                found.push(literal);
            }
        }
    }
    (!found.is_empty()).then(|| found.join("|"))
}

/// The columns of a table that hold free text.
pub(super) fn text_columns(table: &Relation) -> Vec<&str> {
    let mut columns: Vec<&str> = table
        .columns
        .iter()
        .filter(|(_, sql_type)| {
            matches!(sql_type.as_str(), "text" | "text[]" | "jsonb" | "json")
                || sql_type.starts_with("character varying")
        })
        .map(|(name, _)| name.as_str())
        .collect();
    columns.sort_unstable();
    columns
}

/// A condition for rows of which a column matches.
pub(super) fn matching(columns: &[&str], pattern: &str) -> String {
    let tests: Vec<String> = columns
        .iter()
        .map(|name| format!("t.{}::text ~* {pattern}", pgrx::spi::quote_identifier(name)))
        .collect();
    tests.join(" OR ")
}

/// Replaces every match in the rows of a table that a user has, by the column of the user.
pub(super) fn scrub(
    table: &str,
    columns: &[&str],
    user_column: &str,
    user: Uuid,
    pattern: &str,
) -> Result<usize> {
    let mut count = 0;
    for name in columns {
        let column = pgrx::spi::quote_identifier(name);
        // Through the type's own text, and back to what the column is.
        let typed = format!(
            "(jsonb_populate_record(t, jsonb_build_object($4, {})))",
            replaced(&column)
        );
        let statement = format!(
            "UPDATE {table} t SET {column} = {typed}.{column} \
             WHERE t.{user_column} = $1 AND t.{column}::text ~* $2 AND $3::text IS NOT NULL"
        );
        let arguments = [user.into(), pattern.into(), ERASED.into(), (*name).into()];
        count += run(&statement, &arguments)?;
    }
    Ok(count)
}

/// The same in the errors of the run log, which hold PostgreSQL's messages. Those of other users
/// stay as they are, though a run is of many.
pub(super) fn scrub_runs(user: Uuid, pattern: &str) -> Result<usize> {
    let statement = format!(
        "UPDATE crm_health.runs t SET errors = ( \
           SELECT jsonb_agg(CASE WHEN {MENTIONED} THEN jsonb_set(e.error, '{{reason}}', to_jsonb(regexp_replace(e.error ->> 'reason', $2, $3, 'gi'))) ELSE e.error END ORDER BY e.at) \
           FROM jsonb_array_elements(t.errors) WITH ORDINALITY e (error, at)) \
         WHERE EXISTS (SELECT FROM jsonb_array_elements(t.errors) e (error) WHERE {MENTIONED})"
    );
    run(&statement, &[user.into(), pattern.into(), ERASED.into()])
}

/// The errors of the run log that are a user's and match.
pub(super) fn errors_of_runs(user: Uuid, pattern: &str) -> Result<Value> {
    let table = "(SELECT r.id, r.started_at, e.error FROM crm_health.runs r, jsonb_array_elements(r.errors) e (error))";
    rows(
        table,
        &MENTIONED.replace("e.error", "t.error"),
        &[user.into(), pattern.into()],
    )
}

/// The column as JSON, with every match replaced.
fn replaced(column: &str) -> String {
    format!("regexp_replace(to_jsonb(t.{column})::text, $2, $3, 'gi')::jsonb")
}

/// Changes rows, and counts them.
pub(super) fn run(statement: &str, arguments: &[DatumWithOid<'_>]) -> Result<usize> {
    Spi::connect_mut(|client| Ok(client.update(statement, None, arguments)?.len()))
}

/// The rows of a table as JSON.
pub(super) fn rows(table: &str, condition: &str, arguments: &[DatumWithOid<'_>]) -> Result<Value> {
    let statement =
        format!("SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]') FROM {table} t WHERE {condition}");
    Spi::connect(|client| {
        let found: Option<JsonB> = client
            .select(statement.as_str(), None, arguments)?
            .first()
            .get(1)?;
        Ok(found.map_or(Value::Null, |JsonB(rows)| rows))
    })
}
