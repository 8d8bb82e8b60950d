//! What of tables and columns keeps a refresh from writing or reading, though all of them are there.

use crm_health_tests::session::Role;
use crm_health_tests::{Crm, Database};

use crate::{assert_found_and_mended, findings, troubles};

/// A database in which every deal and contact is refreshed.
fn scored() -> (Database, uuid::Uuid) {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    crm.deal(user, "SQL", 40.0);
    crm.contact(user);
    (db, user)
}

/// Breaks the installation so that refreshes fail with this SQLSTATE, and expects the one finding, whose hint mends both.
fn assert_fails_and_is_found(damage: &str, code: &str, words: &str) {
    let (mut db, user) = scored();
    db.run(damage);
    let refresh = format!(
        "SELECT refresh_deal_health_scores('{user}', 0); SELECT refresh_relationship_health_scores('{user}', 0)"
    );
    assert_eq!(db.error(&refresh).0, code, "{damage}");
    assert_found_and_mended(&mut db, "SELECT 1", "error", words);
    db.run(&refresh);
}

#[test]
fn a_score_column_of_a_type_that_scores_cannot_be() {
    assert_fails_and_is_found(
        "ALTER TABLE deal_health_scores DROP COLUMN risk_factors, ADD COLUMN risk_factors jsonb",
        "42846",
        "public.deal_health_scores.risk_factors is jsonb, and text[] is written to it",
    );
}

#[test]
fn a_history_column_of_a_type_that_its_values_cannot_be() {
    assert_fails_and_is_found(
        "ALTER TABLE relationship_health_history DROP COLUMN is_ghost_risk, ADD COLUMN is_ghost_risk date",
        "42846",
        "public.relationship_health_history.is_ghost_risk is date, and boolean is written to it",
    );
}

#[test]
fn types_that_scores_can_be_are_no_finding() {
    let (mut db, user) = scored();
    db.run(
        "CREATE DOMAIN percent AS smallint CHECK (VALUE BETWEEN 0 AND 100);
         ALTER TABLE deal_health_scores ALTER COLUMN sentiment_score TYPE percent, ALTER COLUMN avg_response_time_hours TYPE real,
           ALTER COLUMN risk_factors TYPE varchar(40)[], ALTER COLUMN health_status TYPE varchar(20);
         ALTER TABLE relationship_health_scores ALTER COLUMN ghost_signals TYPE text, ALTER COLUMN total_deal_value TYPE numeric(12,2);
         ALTER TABLE deal_health_history ALTER COLUMN overall_health_score TYPE bigint;
         CREATE TYPE reason AS ENUM ('scheduled', 'major_change', 'ghost_detected', 'recovery');
         ALTER TABLE relationship_health_history DROP CONSTRAINT relationship_health_history_reason_known,
           ALTER COLUMN snapshot_reason TYPE reason USING snapshot_reason::reason",
    );
    db.query("SELECT refresh_deal_health_scores($1, 0)", &[&user]);
    db.query("SELECT refresh_relationship_health_scores($1, 0)", &[&user]);
    assert_eq!(troubles(&mut db), []);
}

#[test]
fn a_key_that_waits_for_the_end_of_the_transaction() {
    assert_fails_and_is_found(
        "ALTER TABLE deal_health_scores DROP CONSTRAINT deal_health_scores_deal_id_key,
           ADD CONSTRAINT later UNIQUE (deal_id) DEFERRABLE; CREATE UNIQUE INDEX ON deal_health_scores (deal_id)",
        "55000",
        "unique key later of public.deal_health_scores is DEFERRABLE",
    );
}

#[test]
fn a_column_that_must_be_there_and_that_nobody_fills() {
    assert_fails_and_is_found(
        "ALTER TABLE deal_health_history ALTER COLUMN id DROP DEFAULT",
        "23502",
        "public.deal_health_history.id must not be NULL, has no default, and is not written",
    );
    assert_fails_and_is_found(
        "ALTER TABLE relationship_health_scores ADD COLUMN team text NOT NULL",
        "23502",
        "public.relationship_health_scores.team must not be NULL",
    );
}

#[test]
fn a_function_of_the_scoring_that_was_closed() {
    assert_fails_and_is_found(
        "REVOKE EXECUTE ON FUNCTION crm_health.collect_meetings(timestamptz, uuid, double precision, text) FROM PUBLIC",
        "42501",
        "may not execute crm_health.collect_meetings(",
    );
}

#[test]
fn events_of_somebody_else_that_replies_cannot_be_noted_on() {
    let role = Role::new("");
    let mut db = Database::new();
    let damage = format!(
        "ALTER TABLE communication_events OWNER TO {}; GRANT SELECT ON communication_events TO crm_health_owner",
        role.name
    );
    assert_found_and_mended(
        &mut db,
        &damage,
        "warning",
        "may not note on a mail of public.communication_events that it was answered",
    );
}

#[test]
fn a_source_column_of_a_type_that_cannot_be_read() {
    let mut db = Database::new();
    db.run("ALTER TABLE activities DROP COLUMN deal_id, ADD COLUMN deal_id integer");
    let problems: Vec<String> = troubles(&mut db).into_iter().map(|found| found.1).collect();
    assert_eq!(
        problems[0],
        "public.activities.deal_id is integer, which cannot be read as uuid"
    );
}

#[test]
fn times_without_a_zone() {
    let mut db = Database::new();
    db.run("ALTER TABLE meetings ALTER COLUMN meeting_start TYPE timestamp");
    let found = troubles(&mut db);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        (found[0].0.as_str(), found[0].1.as_str()),
        (
            "warning",
            "public.meetings.meeting_start is a timestamp without time zone, and is read as UTC"
        )
    );
}

#[test]
fn a_score_column_that_is_generated() {
    let mut db = Database::new();
    let damage = "ALTER TABLE deal_health_scores DROP COLUMN risk_level;
                  ALTER TABLE deal_health_scores ADD COLUMN risk_level text GENERATED ALWAYS AS (upper(health_status)) STORED";
    assert_found_and_mended(
        &mut db,
        damage,
        "warning",
        "public.deal_health_scores.risk_level is generated: a refresh leaves it out",
    );
}

#[test]
fn hints_name_the_schema_and_what_is_a_view() {
    let mut db = Database::new();
    db.run(
        "CREATE SCHEMA sales; CREATE VIEW sales.profiles AS SELECT id, last_login_at FROM public.profiles;
         CREATE VIEW sales.contacts AS SELECT id, owner_id FROM public.contacts;
         UPDATE crm_health.settings SET value = 'sales' WHERE name = 'crm_schema'",
    );
    let found = findings(db.client());
    let hint = |words: &str| {
        let found = found.iter().find(|found| found.1.contains(words));
        found.map_or("", |found| found.2.as_str()).to_owned()
    };
    let install = "psql -v crm_schema=sales -f sql/crm/install.sql";
    assert!(
        hint("there is no table or view sales.deals").starts_with(install),
        "{found:#?}"
    );
    assert_eq!(
        hint("sales.contacts has no column email"),
        "add the column to the view sales.contacts: email, of type text"
    );
    let (_, message, hint) = db.error("SELECT refresh_deal_health_scores(gen_random_uuid(), 0)");
    assert!(message.contains("sales.deals"), "{message}");
    assert!(hint.contains(install), "{hint}");
}

#[test]
fn a_database_that_is_not_in_utf8() {
    let server = crm_health_tests::environment("CRM_HEALTH_TEST_SERVER");
    let name = format!("latin_{}", uuid::Uuid::new_v4().simple());
    let mut admin = crm_health_tests::database::connect(&format!("{server}postgres"));
    admin
        .batch_execute(&format!(
            "CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        ))
        .expect("a database in LATIN1");
    let output = crm_health_tests::cluster::program_path("psql")
        .args([
            "-X",
            "-q",
            "-d",
            &format!("{server}{name}"),
            "-c",
            "CREATE EXTENSION crm_health",
        ])
        .output()
        .expect("psql");
    admin
        .batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)"))
        .expect("it goes");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        said.contains("crm_health needs a database in UTF8, and this one is in LATIN1"),
        "{said}"
    );
    assert!(
        said.contains("ENCODING 'UTF8' TEMPLATE template0"),
        "{said}"
    );
}

#[test]
fn every_column_of_a_score_that_ships_is_known_to_be_written() {
    let mut db = Database::new();
    let unknown: Vec<String> = db
        .query(
            "SELECT concat_ws('.', c.relname, a.attname) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
             WHERE c.relname IN ('deal_health_scores', 'relationship_health_scores', 'deal_health_history', 'relationship_health_history',
                                 'ghost_detection_signals', 'contact_streams')
               AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0
               AND a.attname NOT IN ('created_at', 'updated_at', 'resolved_at') AND NOT (a.attname = 'id' AND c.relname !~ 'scores')
               AND NOT EXISTS (SELECT FROM crm_health.written_columns() w WHERE w.table_name = c.relname AND w.column_name = a.attname)
             ORDER BY 1",
            &[],
        )
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(unknown, Vec::<String>::new());
}
