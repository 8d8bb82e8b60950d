//! docs/reference.md describes the database as it is.

use std::collections::BTreeSet;
use std::fs;

use crate::markdown::Document;
use crm_health_tests::Database;
use crm_health_tests::cluster::repository;
use serde_json::Value;

const FUNCTIONS: &str = include_str!("functions.sql");
const TABLES: &str = include_str!("tables.sql");
const ROWS: &str = include_str!("rows.sql");

fn reference() -> Document {
    Document::read("docs/reference.md")
}

/// The object that a heading like `` `schema.name(arguments)` `` is about.
fn named(heading: &str) -> Option<&str> {
    let name = heading.strip_prefix('`')?.strip_suffix('`')?;
    name.contains('.').then_some(name)
}

#[test]
fn functions_are_described_with_signature_result_and_grants() {
    let document = reference();
    let internal = document.section("Internal objects");
    let mut described = BTreeSet::new();
    for row in Database::new().query(FUNCTIONS, &[]) {
        let [signature, name, returns, grants] = [0, 1, 2, 3].map(|at| row.get::<_, String>(at));
        if internal.contains(&format!("`{name}`")) {
            continue;
        }
        let heading = format!("`{signature}`");
        assert!(
            document.headings().any(|found| found == heading),
            "not described: {heading}"
        );
        let section = document.section(&heading);
        assert!(
            section.contains(&returns),
            "{heading} does not say: {returns}"
        );
        assert!(
            section.contains(&grants),
            "{heading} does not say: {grants}"
        );
        described.insert(signature);
    }
    let headings = document.headings().filter_map(named);
    for heading in headings.filter(|name| name.contains('(')) {
        assert!(described.contains(heading), "there is no {heading}");
    }
}

#[test]
fn tables_views_and_types_are_described_with_every_column() {
    let document = reference();
    let internal = document.section("Internal objects");
    let mut db = Database::new();
    // The record of changes is made at the first change.
    db.run("UPDATE crm_health.settings SET value = '8' WHERE name = 'active_window_days'");
    let mut described = BTreeSet::new();
    for row in db.query(TABLES, &[]) {
        let name: String = row.get(0);
        if internal.contains(&format!("`{name}`")) {
            continue;
        }
        let section = document.section(&format!("`{name}`"));
        for column in row.get::<_, Vec<String>>(1) {
            let word = format!("`{column}`");
            assert!(section.contains(&word), "{name} without {word}");
        }
        described.insert(name);
    }
    let headings = document.headings().filter_map(named);
    for heading in headings.filter(|name| !name.contains('(')) {
        assert!(described.contains(heading), "there is no {heading}");
    }
}

#[test]
fn every_row_of_the_configuration_is_listed_with_its_default() {
    let document = reference();
    for row in Database::new().query(ROWS, &[]) {
        let [table, line, range] = [0, 1, 2].map(|at| row.get::<_, String>(at));
        let section = document.section(&format!("`crm_health.{table}`"));
        let found = section.lines().find(|found| found.starts_with(&line));
        let found = found.unwrap_or_else(|| panic!("{table} does not list: {line}"));
        assert!(found.contains(&range), "{found}: not the range {range}");
    }
    let count: i64 = Database::new().value("SELECT count(*) FROM crm_health.settings", &[]);
    let section = document.section("`crm_health.settings`");
    let listed = section.lines().filter(|line| line.starts_with("| `"));
    assert_eq!(listed.count() as i64, count, "settings listed");
}

#[test]
fn the_json_of_a_run_has_the_keys_that_are_told() {
    let section = reference().section(
        "`crm_health.refresh_active_users(p_triggered_by text DEFAULT 'manual', \
         p_max_age_hours integer DEFAULT NULL, p_as_of timestamptz DEFAULT NULL, \
         INOUT p_result jsonb DEFAULT NULL)`",
    );
    let told = json_block(&section);
    let mut db = Database::new();
    let found: Value = db.value("CALL crm_health.refresh_active_users()", &[]);
    assert_eq!(keys(&told), keys(&found));
    // A score table that cannot be had is an error of the run.
    db.run("ALTER TABLE public.profiles RENAME TO people");
    let failed: Value = db.value("CALL crm_health.refresh_active_users()", &[]);
    assert_eq!(failed["success"], Value::Bool(false));
    assert_eq!(keys(&told["errors"][0]), keys(&failed["errors"][0]));
}

#[test]
fn the_json_of_a_purge_has_the_keys_that_are_told() {
    let section = reference().section("`crm_health.purge(p_as_of timestamptz DEFAULT now())`");
    let found: Value = Database::new().value("SELECT crm_health.purge()", &[]);
    assert_eq!(keys(&json_block(&section)), keys(&found));
}

#[test]
fn every_error_of_the_extension_is_listed() {
    let listed = reference().section("Errors");
    let source = fs::read_to_string(repository().join("extension/src/error.rs"));
    let source = source.expect("the errors of the extension");
    let joined: String = source.lines().map(str::trim_start).collect();
    for attribute in joined.split("#[error(").skip(1) {
        let message = attribute.split('"').collect::<Vec<_>>()[1..].join("\"");
        // Up to the first value that is filled in.
        let fixed = message.split(['{', '\\']).next().unwrap_or_default();
        let fixed = fixed.split("\")]").next().unwrap_or_default();
        let words = fixed.trim_end_matches('"').trim();
        assert!(listed.contains(words), "the list of errors lacks: {words}");
    }
}

fn json_block(section: &str) -> Value {
    let (_, block) = section.split_once("```json\n").expect("a json block");
    let (block, _) = block.split_once("```").expect("its end");
    serde_json::from_str(block).expect("JSON")
}

fn keys(value: &Value) -> BTreeSet<&String> {
    value.as_object().expect("an object").keys().collect()
}
