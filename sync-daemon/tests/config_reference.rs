//! docs/daemon-configuration.md is what the source says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crm_health_sync::config::{DEFAULTS, reference};

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn document() -> String {
    let path = crate_folder().join("../docs/daemon-configuration.md");
    fs::read_to_string(path).expect("docs/daemon-configuration.md")
}

/// The cells of the tables' rows, without their heads.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().filter(|line| line.starts_with("| `"));
    lines
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of the source");
    entries
        .flat_map(|entry| {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn the_document_is_what_the_source_says() {
    let told = document();
    for (number, (told, made)) in told.lines().zip(reference().lines()).enumerate() {
        assert_eq!(
            told,
            made,
            "line {} of docs/daemon-configuration.md; cargo run -p crm-health-sync -- default-config --markdown writes it anew",
            number + 1
        );
    }
    assert_eq!(told, reference());
}

#[test]
fn every_key_is_listed_and_says_what_it_is() {
    let defaults: toml::Table = DEFAULTS.parse().expect("TOML");
    let mut keys = 0;
    let mut open = vec![defaults];
    while let Some(table) = open.pop() {
        for (_, value) in table {
            match value {
                toml::Value::Table(table) => open.push(table),
                _ => keys += 1,
            }
        }
    }
    let text = reference();
    let (settings, _) = text.split_once("## Secrets").expect("the secrets");
    let rows = rows(settings);
    assert_eq!(rows.len(), keys);
    for row in rows {
        let meaning = row.last().expect("a meaning");
        assert!(
            meaning.len() > 5 && !meaning.starts_with('`'),
            "has no comment of its own in crm-health-sync.toml: {row:?}"
        );
    }
}

#[test]
fn every_variable_that_the_source_names_is_listed() {
    let text = reference();
    let mut named = BTreeSet::new();
    for path in sources(&crate_folder().join("src")) {
        let source = fs::read_to_string(&path).expect("a file of the source");
        for (at, _) in source.match_indices("CRM_HEALTH_") {
            let end = source[at..].find(|c: char| !(c.is_ascii_uppercase() || c == '_'));
            named.insert(source[at..at + end.expect("an end")].to_owned());
        }
    }
    // Only debug builds have it, for the tests.
    assert!(named.remove("CRM_HEALTH_FAILPOINT"));
    assert!(named.len() > 10, "{named:?}");
    for name in named {
        let name = name.strip_suffix("_FILE").unwrap_or(&name);
        assert!(text.contains(&format!("`{name}")), "not listed: {name}");
    }
}
