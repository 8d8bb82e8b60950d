//! docs/data-protection.md says of every table of the project what it holds about a contact.

use crate::markdown::Document;
use crm_health_tests::Database;
use crm_health_tests::cluster::{psql, repository};

const TABLES: &str = "SELECT c.relname::text FROM pg_class c
    WHERE c.relnamespace::regnamespace::text IN ('public', 'crm_health', 'crm_health_sync') AND c.relkind IN ('r', 'p') ORDER BY 1";

#[test]
fn every_table_of_the_project_is_told_of() {
    let section = Document::read("docs/data-protection.md").section("What is held about a contact");
    let mut db = Database::new();
    let script = repository().join("sql/sync/install.sql");
    psql(&db.url(), &["-f", &script.display().to_string()]);
    // The record of changes is made at the first change.
    db.run("UPDATE crm_health.settings SET value = '8' WHERE name = 'active_window_days'");
    let tables = db.query(TABLES, &[]);
    assert!(tables.len() >= 40, "{}", tables.len());
    for row in tables {
        let name: String = row.get(0);
        assert!(
            section.contains(&format!("`{name}`")),
            "not told of: {name}; what forget_contact does with it stands in extension/src/contact_data/places.rs"
        );
    }
}
