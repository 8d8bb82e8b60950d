//! Tables and views of other shapes: what can be completed is, what cannot is told of, and nothing else is lost by it.

use crm_health_tests::cluster::{program_path, repository};
use crm_health_tests::session::Role;
use crm_health_tests::{Crm, Database};

use crate::said;

/// What the script says where it fails.
fn refused(db: &Database) -> String {
    let script = repository().join("sql/crm/install.sql");
    let output = program_path("psql")
        .args(["-X", "-q", "-d", &db.url(), "-f"])
        .arg(&script)
        .output()
        .expect("psql");
    assert!(!output.status.success(), "it should have failed");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn contacts_without_a_company_are_enough() {
    let mut db = Database::empty();
    db.run(
        "CREATE TABLE people (id uuid PRIMARY KEY, email text, owner_id uuid);
         CREATE VIEW contacts AS SELECT id, email, owner_id FROM people",
    );
    said(&db.url(), "public");
    let policies: Vec<String> = db
        .query(
            "SELECT polname::text FROM pg_policy WHERE polrelid = 'companies'::regclass ORDER BY 1",
            &[],
        )
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(policies, ["crm_own_rows", "crm_service_rows"]);
}

#[test]
fn events_that_are_partitioned_by_time_are_completed_but_for_keys_that_cannot_be() {
    let mut db = Database::empty();
    db.run(
        "CREATE TABLE communication_events (id uuid DEFAULT gen_random_uuid(), user_id uuid, contact_id uuid, event_type text,
           direction text, event_timestamp timestamptz, PRIMARY KEY (id, event_timestamp)) PARTITION BY RANGE (event_timestamp);
         CREATE TABLE events_of_all_time PARTITION OF communication_events DEFAULT",
    );
    let told = said(&db.url(), "public");
    assert!(
        told.contains(
            "public.communication_events is partitioned: its unique key on (id) was not added"
        ),
        "{told}"
    );
    db.run("CREATE EXTENSION crm_health");
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = crm.contact(user);
    crm.sent(user, contact, 3.0);
    crm.refresh(user);
    let scores: i64 = db.value(
        "SELECT count(*) FROM relationship_health_scores WHERE email_count_30_days = 1",
        &[],
    );
    assert_eq!(scores, 1);
}

#[test]
fn a_table_of_rules_of_another_shape_is_left_without_ours() {
    let mut db = Database::empty();
    db.run("CREATE TABLE deal_health_rules (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), severity text NOT NULL)");
    let told = said(&db.url(), "public");
    assert!(
        told.contains("the rules that ship were not added to public.deal_health_rules: null value in column \"severity\""),
        "{told}"
    );
    let rules: i64 = db.value("SELECT count(*) FROM deal_health_rules", &[]);
    assert_eq!(rules, 0);
    let tables: i64 = db.value(
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'",
        &[],
    );
    assert_eq!(tables, 20);
}

#[test]
fn keys_that_are_numbers_are_refused_with_what_to_do() {
    for (columns, named) in [
        ("id bigserial PRIMARY KEY", "public.deals.id is bigint"),
        (
            "id uuid PRIMARY KEY, owner_id integer",
            "public.deals.owner_id is integer",
        ),
    ] {
        let mut db = Database::empty();
        db.run(&format!("CREATE TABLE deals ({columns})"));
        let told = refused(&db);
        assert!(told.contains(named), "{told}");
        assert!(told.contains("by a view"), "{told}");
        assert!(told.contains("docs/crm-tables.md"), "{told}");
    }
}

#[test]
fn what_an_ordinary_owner_of_the_database_may_not_grant_is_told_in_one_notice() {
    let role = Role::new("LOGIN");
    let mut db = Database::empty();
    db.run("CREATE EXTENSION crm_health");
    let name: String = db.value("SELECT current_database()::text", &[]);
    db.run(&format!("ALTER DATABASE {name} OWNER TO {}", role.name));
    let url = db.url().replace("postgres@", &format!("{}@", role.name));
    said(&url, "public");
    let told = said(&url, "public");
    assert_eq!(told.matches("NOTICE").count(), 1, "{told}");
    assert!(told.contains("left out: "), "{told}");
    assert!(
        told.contains("GRANT EXECUTE ON FUNCTION crm_health.purge")
            || told.contains("GRANT EXECUTE ON FUNCTION crm_health.explain_deal"),
        "{told}"
    );
}

#[test]
fn a_table_that_was_renamed_to_make_room_may_keep_the_names_of_its_indexes() {
    let mut db = Database::empty();
    db.run(
        "CREATE TABLE meetings (id bigint PRIMARY KEY);
         CREATE TABLE deal_health_scores (id bigint PRIMARY KEY, deal_id bigint UNIQUE, user_id bigint);
         CREATE INDEX deal_health_scores_user_id_idx ON deal_health_scores (user_id)",
    );
    assert!(refused(&db).contains("public.meetings.id is bigint"));
    db.run(
        "ALTER TABLE meetings RENAME TO meetings_before;
         ALTER TABLE deal_health_scores RENAME TO deal_health_scores_before",
    );
    said(&db.url(), "public");
    let again = said(&db.url(), "public");
    assert_eq!(again, "", "a second run changes nothing");
    db.run("CREATE EXTENSION crm_health");
    let user = Crm(&mut db).user(0.0);
    Crm(&mut db).deal(user, "SQL", 5.0);
    db.query("SELECT refresh_deal_health_scores($1)", &[&user]);
}

#[test]
fn a_first_run_tells_what_it_made_and_nothing_of_what_is_not_there() {
    let db = Database::empty();
    let told = said(&db.url(), "public");
    assert!(told.contains("created in schema public"), "{told}");
    assert!(!told.contains("skipping"), "{told}");
}

#[test]
fn where_all_identifiers_are_quoted_a_second_run_changes_nothing_either() {
    let mut db = Database::empty();
    let name: String = db.value("SELECT current_database()::text", &[]);
    db.run(&format!(
        "ALTER DATABASE {name} SET quote_all_identifiers = on"
    ));
    said(&db.url(), "public");
    assert_eq!(said(&db.url(), "public"), "");
    let doubled: i64 = db.value(
        "SELECT count(*) FROM pg_indexes WHERE schemaname = 'public' AND indexname ~ '[0-9]$'",
        &[],
    );
    assert_eq!(doubled, 0, "indexes made twice");
}
