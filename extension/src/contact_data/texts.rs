//! The statements of it: names sought and replaced in the texts of rows.

use pgrx::datum::{DatumWithOid, Uuid};
use pgrx::prelude::*;
use serde_json::Value;

use super::places::{CODE_KEYS, Mention};
use crate::crm::Relation;
use crate::error::Result;
use crate::json::{self, TooLarge};

/// What stands in the place of a name.
const ERASED: &str = "[erased]";

/// What may not stand before a name, nor before an address: a part of a longer one.
const BEFORE: &str = r"(?<!\w)";
const BEFORE_ADDRESS: &str = r"(?<!\w)(?<!\w[.+'-])";
/// What may not follow them.
const AFTER: &str = r"(?!\w)";
const AFTER_ADDRESS: &str = r"(?!\w|[.-]\w)";
/// What may stand between the words of a name; not every locale takes the no-break space for a space.
const SPACES: &str = r"[\s\u00A0]+";

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
        let is_address = name.contains('@');
        let is_word = !is_address && !name.contains(char::is_whitespace);
        let shortest = if is_word {
            SHORTEST_WORD
        } else {
            SHORTEST_NAME
        };
        if name.chars().count() < shortest {
            continue;
        }
        let (before, after) = if is_address {
            (BEFORE_ADDRESS, AFTER_ADDRESS)
        } else {
            (BEFORE, AFTER)
        };
        let quoted = Value::from(name).to_string();
        for form in [name, &quoted[1..quoted.len() - 1]] {
            let one = format!("{before}{}{after}", literal(form));
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
    (!found.is_empty()).then(|| found.join("|"))
}

/// The text as a regular expression that matches nothing else, however its words are spaced: a subject may be folded.
fn literal(text: &str) -> String {
    let words = text.split_whitespace().map(|word| {
        word.chars()
            .flat_map(|letter| {
                let plain = letter.is_alphanumeric();
                (!plain).then_some('\\').into_iter().chain([letter])
            })
            .collect::<String>()
    });
    words.collect::<Vec<_>>().join(SPACES)
}

/// The columns of a table that may mention a contact, as far as it has them.
pub(super) fn text_columns(table: &Relation, of: &Mention) -> Vec<&'static str> {
    let known = |name: &&&str| table.columns.get(**name).is_some_and(|of| is_text(of));
    of.texts.iter().filter(known).copied().collect()
}

/// The text columns of a table that are the application's own.
pub(super) fn own_columns<'a>(table: &'a Relation, of: &Mention) -> Vec<&'a str> {
    let Some(codes) = of.codes else {
        return Vec::new();
    };
    let own = table.columns.iter().filter(|(name, sql_type)| {
        is_text(sql_type) && !codes.contains(&name.as_str()) && !of.texts.contains(&name.as_str())
    });
    let mut own: Vec<&str> = own.map(|(name, _)| name.as_str()).collect();
    own.sort_unstable();
    own
}

fn is_text(sql_type: &str) -> bool {
    matches!(sql_type, "text" | "text[]" | "jsonb" | "json")
        || sql_type.starts_with("character varying")
        || sql_type.ends_with("citext")
}

/// A condition for rows of which a column matches.
pub(super) fn matching(columns: &[&str], pattern: &str) -> String {
    let tests: Vec<String> = columns.iter().map(|name| matches(name, pattern)).collect();
    tests.join(" OR ")
}

/// Whether a text of the column matches: of JSON those that stand under a key or in an array, not the keys.
fn matches(column: &str, pattern: &str) -> String {
    let column = pgrx::spi::quote_identifier(column);
    format!(
        "EXISTS (SELECT FROM jsonb_path_query(to_jsonb(t.{column}), 'strict $.** ? (@.type() == \"string\")') s (said) \
         WHERE s.said #>> '{{}}' ~* {pattern})"
    )
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
             WHERE t.{user_column} = $1 AND {} AND to_jsonb(t.{column}) IS DISTINCT FROM {}",
            matches(name, "$2"),
            replaced(&column)
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

/// The column as JSON, with every match in a text replaced by `$3`. JSON's tokens are looked at one by one: keys, and
/// what stands under a key of codes, stay.
fn replaced(column: &str) -> String {
    let codes: Vec<String> = CODE_KEYS
        .iter()
        .map(|key| format!("'\"{key}\": '"))
        .collect();
    format!(
        r#"(SELECT string_agg(CASE WHEN k.token LIKE '"%"' AND coalesce(k.key NOT IN ({}), true)
               THEN to_jsonb(regexp_replace(k.token::jsonb #>> '{{}}', $2, $3, 'gi'))::text ELSE k.token END, '' ORDER BY k.place)
             FROM (SELECT m.place, m.part[1] AS token, lag(m.part[1]) OVER (ORDER BY m.place) AS key
                   FROM regexp_matches(to_jsonb(t.{column})::text, $re$("(?:[^"\\]|\\.)*"(?:: )?|[^"]+)$re$, 'g')
                        WITH ORDINALITY m (part, place)) k)::jsonb"#,
        codes.join(", ")
    )
}

/// Changes rows, and counts them.
pub(super) fn run(statement: &str, arguments: &[DatumWithOid<'_>]) -> Result<usize> {
    Spi::connect_mut(|client| Ok(client.update(statement, None, arguments)?.len()))
}

/// Whether a table has such a row, by a condition on the user `$1` and the pattern `$2`.
pub(super) fn is_any(table: &str, condition: &str, user: Uuid, pattern: &str) -> Result<bool> {
    let statement = format!("SELECT EXISTS (SELECT FROM {table} t WHERE {condition})");
    let found: Option<bool> = Spi::get_one_with_args(&statement, &[user.into(), pattern.into()])?;
    Ok(found == Some(true))
}

/// The rows of a table as JSON.
pub(super) fn rows(table: &str, condition: &str, arguments: &[DatumWithOid<'_>]) -> Result<Value> {
    let statement = format!(
        "SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]')::text FROM {table} t WHERE {condition}"
    );
    Spi::connect(|client| {
        let found = client.select(statement.as_str(), None, arguments)?;
        let rows: Option<String> = found.first().get(1)?;
        rows.map_or(Ok(Value::Null), |rows| json::parse(&rows, TooLarge::Text))
    })
}
