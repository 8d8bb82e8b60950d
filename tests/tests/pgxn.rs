//! META.json, by the rules of the PGXN Meta Spec 1.0.0 that a distribution is refused for.

use std::fs;

use crm_health_tests::cluster::repository;
use serde_json::Value;

fn meta() -> Value {
    let text = fs::read_to_string(repository().join("META.json")).expect("META.json");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn what_is_required_is_there_and_not_empty() {
    let meta = meta();
    for key in ["name", "version", "abstract", "maintainer", "license"] {
        let value = meta[key].as_str().unwrap_or_default();
        assert!(!value.is_empty(), "{key}");
    }
    assert_eq!(meta["license"], "postgresql");
    assert_eq!(meta["meta-spec"]["version"], "1.0.0");
    assert!(
        ["stable", "testing", "unstable"]
            .contains(&meta["release_status"].as_str().unwrap_or_default())
    );
    let name = meta["name"].as_str().unwrap_or_default();
    assert!(
        name.len() >= 2 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'),
        "{name}"
    );
}

#[test]
fn it_provides_this_version_of_the_extension() {
    let meta = meta();
    let provided = &meta["provides"]["crm_health"];
    for version in [&meta["version"], &provided["version"]] {
        assert_eq!(version, env!("CARGO_PKG_VERSION"), "release.sh sets both");
    }
    for key in ["file", "docfile"] {
        let path = provided[key].as_str().expect("a path");
        assert!(repository().join(path).is_file(), "{path}");
    }
}

#[test]
fn versions_are_semantic() {
    let meta = meta();
    let phases = meta["prereqs"].as_object().expect("prereqs");
    let mut seen = 0;
    for relations in phases
        .values()
        .filter_map(Value::as_object)
        .flat_map(|phase| phase.values())
    {
        for version in relations.as_object().expect("names with versions").values() {
            let parts: Vec<_> = version.as_str().unwrap_or_default().split('.').collect();
            assert!(
                parts.len() == 3 && parts.iter().all(|part| part.parse::<u32>().is_ok()),
                "{version}"
            );
            seen += 1;
        }
    }
    assert!(seen >= 2);
}
