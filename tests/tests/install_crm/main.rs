//! `sql/crm/install.sql`: makes or completes the CRM tables, and opens them to nobody else.

mod access;
mod shapes;

use crm_health_tests::cluster::{install_crm, program_path, psql, repository};
use crm_health_tests::database::error_of;
use crm_health_tests::session::{Role, become_role};
use crm_health_tests::{Crm, Database};
use postgres::Client;
use uuid::Uuid;

const TABLES: [&str; 20] = [
    "activities",
    "communication_events",
    "companies",
    "contact_streams",
    "contacts",
    "deal_health_alerts",
    "deal_health_history",
    "deal_health_rules",
    "deal_health_scores",
    "deal_meetings",
    "deal_stage_history",
    "deal_stages",
    "deals",
    "ghost_detection_signals",
    "google_integrations",
    "meeting_contacts",
    "meetings",
    "profiles",
    "relationship_health_history",
    "relationship_health_scores",
];

/// Every table, column, key, policy, trigger and grant of a schema, and how many rows.
fn shape(db: &mut Database, schema: &str) -> String {
    db.value(
        "SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
           SELECT format('table %s %s %s %s', c.oid::regclass, c.relowner::regrole, c.relrowsecurity, c.relacl) AS line
           FROM pg_class c WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'v', 'i')
           UNION ALL
           SELECT format('column %s %s %s %s', a.attrelid::regclass, a.attname, a.atttypid::regtype, a.attacl)
           FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = $1::text::regnamespace AND a.attnum > 0
           UNION ALL SELECT format('constraint %s %s', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = $1::text::regnamespace
           UNION ALL SELECT format('policy %s %s', polrelid::regclass, polname) FROM pg_policy
           UNION ALL SELECT format('trigger %s %s', tgrelid::regclass, tgname) FROM pg_trigger WHERE NOT tgisinternal
           UNION ALL SELECT format('function %s %s', p.oid::regprocedure, p.proacl) FROM pg_proc p WHERE p.pronamespace = $1::text::regnamespace
         ) s",
        &[&schema],
    )
}

/// What the script says besides doing.
fn said(url: &str, schema: &str) -> String {
    let script = repository()
        .join("sql/crm/install.sql")
        .display()
        .to_string();
    let output = program_path("psql")
        .args([
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-v",
            &format!("crm_schema={schema}"),
            "-d",
            url,
            "-f",
            &script,
        ])
        .output()
        .expect("psql");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn every_table_is_made_with_row_security_and_a_second_run_changes_and_says_nothing() {
    let mut db = Database::empty();
    install_crm(&db.url());
    let tables: Vec<String> = db
        .query(
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
               AND relrowsecurity AND relowner = 'crm_health_owner'::regrole ORDER BY 1",
            &[],
        )
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(tables, TABLES);
    let once = shape(&mut db, "public");
    assert_eq!(said(&db.url(), "public"), "");
    assert_eq!(shape(&mut db, "public"), once);
    let stages: i64 = db.value("SELECT count(*) FROM deal_stages", &[]);
    assert_eq!(stages, 5);
}

#[test]
fn tables_that_are_there_are_completed_and_their_rows_left() {
    let mut db = Database::empty();
    db.run(
        "CREATE SCHEMA sales;
         CREATE TABLE sales.contacts (id uuid PRIMARY KEY, email varchar(80), owner_id uuid, favourite text DEFAULT 'tea');
         INSERT INTO sales.contacts VALUES ('00000000-0000-0000-0000-00000000000c', 'c@example.com', '00000000-0000-0000-0000-00000000000a');
         CREATE TABLE sales.deals (id uuid PRIMARY KEY, owner_id uuid, value numeric, status varchar(20), created_at timestamptz);
         CREATE INDEX of_our_own ON sales.deals (owner_id) WHERE status = 'active';
         CREATE TABLE sales.meetings_source (id uuid, meeting_start timestamptz, owner_user_id uuid);
         CREATE VIEW sales.meetings AS SELECT * FROM sales.meetings_source",
    );
    said(&db.url(), "sales");
    let row: (String, String, Option<Uuid>) = {
        let rows = db.query(
            "SELECT email::text, favourite, company_id FROM sales.contacts",
            &[],
        );
        (rows[0].get(0), rows[0].get(1), rows[0].get(2))
    };
    assert_eq!(row, ("c@example.com".to_owned(), "tea".to_owned(), None));
    let kept: bool = db.value(
        "SELECT (SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'sales.contacts'::regclass AND attname = 'email') = 'character varying(80)'
            AND (SELECT relkind FROM pg_class WHERE oid = 'sales.meetings'::regclass) = 'v'
            AND NOT (SELECT relrowsecurity FROM pg_class WHERE oid = 'sales.contacts'::regclass)
            AND (SELECT count(*) FROM pg_index WHERE indrelid = 'sales.deals'::regclass
                 AND pg_get_indexdef(indexrelid) ~ '\\(owner_id\\) WHERE') = 1",
        &[],
    );
    assert!(
        kept,
        "types, views, row security and equivalent indexes are left as they are"
    );
    let once = shape(&mut db, "sales");
    said(&db.url(), "sales");
    assert_eq!(shape(&mut db, "sales"), once);
    let public: i64 = db.value(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace",
        &[],
    );
    assert_eq!(public, 0, "nothing is made elsewhere");
}

#[test]
fn a_schema_that_is_not_there_is_refused_by_name() {
    let db = Database::empty();
    let script = repository()
        .join("sql/crm/install.sql")
        .display()
        .to_string();
    let output = program_path("psql")
        .args([
            "-X",
            "-q",
            "-v",
            "crm_schema=nowhere",
            "-d",
            &db.url(),
            "-f",
            &script,
        ])
        .output()
        .expect("psql");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("schema \"nowhere\" does not exist"), "{said}");
    assert!(said.contains("CREATE SCHEMA nowhere"), "{said}");
}

#[test]
fn doubled_relationship_scores_are_merged_into_the_newest_with_their_history_and_signals() {
    let mut db = Database::empty();
    db.run(
        "CREATE TABLE relationship_health_scores (id uuid PRIMARY KEY, user_id uuid, relationship_type text, contact_id uuid,
           company_id uuid, overall_health_score int, health_status text, last_calculated_at timestamptz, updated_at timestamptz,
           UNIQUE (user_id, contact_id, company_id));
         INSERT INTO relationship_health_scores (id, user_id, contact_id, relationship_type, overall_health_score, health_status, last_calculated_at)
           SELECT md5(c || n)::uuid, md5('user')::uuid, md5(c)::uuid, 'contact', n, 'healthy', timestamptz '2026-01-10' - n * interval '1 day'
           FROM generate_series(1, 3) n, (VALUES ('one'), ('other')) v (c) WHERE c = 'one' OR n = 2;
         CREATE TABLE relationship_health_history (id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
           relationship_health_id uuid REFERENCES relationship_health_scores ON DELETE CASCADE, snapshot_at timestamptz);
         INSERT INTO relationship_health_history (relationship_health_id) SELECT id FROM relationship_health_scores;
         CREATE TABLE ghost_detection_signals (id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
           relationship_health_id uuid REFERENCES relationship_health_scores ON DELETE CASCADE, signal_type text,
           detected_at timestamptz DEFAULT now(), resolved_at timestamptz);
         INSERT INTO ghost_detection_signals (relationship_health_id, signal_type) SELECT id, 'thread_dropout' FROM relationship_health_scores",
    );
    install_crm(&db.url());
    let scores: Vec<(Uuid, i32)> = db
        .query(
            "SELECT contact_id, overall_health_score FROM relationship_health_scores ORDER BY 2",
            &[],
        )
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    assert_eq!(
        scores.iter().map(|(_, score)| *score).collect::<Vec<_>>(),
        [1, 2],
        "the newest of each stays"
    );
    let history: i64 = db.value(
        "SELECT count(*) FROM relationship_health_history h JOIN relationship_health_scores s ON s.id = h.relationship_health_id",
        &[],
    );
    assert_eq!(history, 4, "no history is lost");
    let signals: (i64, i64) = {
        let rows = db.query("SELECT count(*), count(*) FILTER (WHERE resolved_at IS NULL) FROM ghost_detection_signals", &[]);
        (rows[0].get(0), rows[0].get(1))
    };
    assert_eq!(
        signals,
        (4, 2),
        "of one relationship's open signals one stays open"
    );
    let doubled = "INSERT INTO relationship_health_scores (id, user_id, contact_id, relationship_type, overall_health_score, health_status, last_calculated_at)
                   SELECT gen_random_uuid(), user_id, contact_id, 'contact', 1, 'healthy', now() FROM relationship_health_scores";
    assert_eq!(
        db.error(doubled).0,
        "23505",
        "and none can be doubled again"
    );
}
