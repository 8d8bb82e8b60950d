//! Tables and columns that are missing, empty or in the wrong place give a right score, or an error that names the mend.

use crm_health_tests::database::error_of;
use crm_health_tests::scores::{SAMPLE, all_scores};
use crm_health_tests::{Crm, Database};

const REFRESH: [&str; 2] = [
    "SELECT count(*) FROM crm_health.refresh_deals((SELECT array_agg(id) FROM profiles), 0, '2024-06-15 12:00:00+00')",
    "SELECT count(*) FROM crm_health.refresh_relationships((SELECT array_agg(id) FROM profiles), 0, '2024-06-15 12:00:00+00')",
];

/// Scores the sample after a change that is then taken back; returns how many deals and relationships there were.
fn refreshed_after(db: &mut Database, change: &str) -> (i64, i64) {
    db.run(&format!("BEGIN; {change}"));
    let [deals, relationships] = REFRESH.map(|refresh| db.value::<i64>(refresh, &[]));
    let absurd: i64 = db.value(
        "SELECT (SELECT count(*) FROM deal_health_scores WHERE overall_health_score NOT BETWEEN 0 AND 100)
              + (SELECT count(*) FROM relationship_health_scores WHERE overall_health_score NOT BETWEEN 0 AND 100)",
        &[],
    );
    assert_eq!(absurd, 0, "{change}");
    db.run("ROLLBACK");
    (deals, relationships)
}

/// The error of a refresh after a change that is then taken back.
fn error_after(db: &mut Database, change: &str, refresh: &str) -> (String, String, String) {
    db.run(&format!("BEGIN; {change}"));
    let error = db.error(refresh);
    db.run("ROLLBACK");
    error
}

/// (table, column) of the CRM's known columns for which `which` holds.
fn known_columns(db: &mut Database, which: &str) -> Vec<(String, String)> {
    let rows = db.query(
        &format!("SELECT DISTINCT table_name, column_name FROM crm_health.crm_columns() WHERE {which} ORDER BY 1, 2"),
        &[],
    );
    assert!(!rows.is_empty(), "{which}");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

const SOURCES: &str = "table_role LIKE '%source'";

#[test]
fn a_null_in_any_column_of_the_crm_is_no_trouble() {
    let mut db = Database::new();
    db.run(SAMPLE);
    let expected = refreshed_after(&mut db, "");
    // Whose a row is decides whether it is scored at all; without a key there is no row.
    let owners = ["owner_id", "user_id", "owner_user_id", "status"];
    for (table, column) in known_columns(
        &mut db,
        &format!(
            "{SOURCES} AND column_name <> 'id' AND table_name NOT IN ('meeting_contacts', 'deal_meetings')"
        ),
    ) {
        if !has_column(&mut db, &table, &column) {
            continue;
        }
        let change = format!(
            "ALTER TABLE {table} ALTER {column} DROP NOT NULL; UPDATE {table} SET {column} = NULL;"
        );
        let found = refreshed_after(&mut db, &change);
        let scored = match (table.as_str(), column.as_str()) {
            ("deals", column) if owners.contains(&column) => (0, expected.1),
            ("contacts", "owner_id") => (expected.0, 0),
            // No company is known through a contact any more.
            ("contacts", "company_id") => (expected.0, 60),
            _ => expected,
        };
        assert_eq!(found, scored, "{table}.{column}");
    }
}

fn has_column(db: &mut Database, table: &str, column: &str) -> bool {
    db.value(
        "SELECT EXISTS (SELECT FROM information_schema.columns
                        WHERE table_schema = 'public' AND table_name = $1 AND column_name = $2)",
        &[&table, &column],
    )
}

#[test]
fn nulls_in_every_optional_column_at_once_leave_what_is_known() {
    let mut db = Database::new();
    db.run(SAMPLE);
    let expected = refreshed_after(&mut db, "");
    let mut change = String::new();
    for (table, column) in known_columns(
        &mut db,
        &format!("{SOURCES} AND NOT is_required AND column_name <> 'company_id'"),
    ) {
        if has_column(&mut db, &table, &column) {
            change.push_str(&format!("ALTER TABLE {table} ALTER {column} DROP NOT NULL; UPDATE {table} SET {column} = NULL;"));
        }
    }
    assert_eq!(refreshed_after(&mut db, &change), expected);
}

#[test]
fn an_optional_column_that_is_missing_is_unknown() {
    let mut db = Database::new();
    db.run(SAMPLE);
    let expected = refreshed_after(&mut db, "");
    for (table, column) in known_columns(&mut db, "NOT is_required") {
        if !has_column(&mut db, &table, &column) {
            continue;
        }
        let found = refreshed_after(
            &mut db,
            &format!("ALTER TABLE {table} DROP COLUMN {column} CASCADE;"),
        );
        let scored = if (table.as_str(), column.as_str()) == ("contacts", "company_id") {
            (expected.0, 60)
        } else {
            expected
        };
        assert_eq!(found, scored, "{table}.{column}");
    }
}

#[test]
fn a_missing_column_and_one_full_of_nulls_score_alike() {
    let mut db = Database::new();
    db.run(SAMPLE);
    for column in [
        "was_replied",
        "response_time_hours",
        "sentiment_score",
        "thread_id",
        "external_id",
    ] {
        let scores = [
            format!("UPDATE communication_events SET {column} = NULL"),
            format!("ALTER TABLE communication_events DROP COLUMN {column} CASCADE"),
        ]
        .map(|change| {
            db.run(&format!("BEGIN; {change}"));
            for refresh in REFRESH {
                db.query(refresh, &[]);
            }
            let scores = all_scores(&mut db);
            db.run("ROLLBACK");
            scores
        });
        assert_eq!(scores[0], scores[1], "{column}");
    }
}

#[test]
fn score_columns_that_a_table_lacks_are_not_written_and_the_rest_is() {
    let mut db = Database::new();
    db.run(SAMPLE);
    db.run(
        "ALTER TABLE deal_health_scores DROP COLUMN risk_factors, DROP COLUMN activity_score, DROP COLUMN updated_at;
         ALTER TABLE relationship_health_scores DROP COLUMN ghost_signals, DROP COLUMN meeting_pattern_score;
         ALTER TABLE relationship_health_history DROP COLUMN snapshot_reason",
    );
    for refresh in REFRESH {
        db.query(refresh, &[]);
        db.query(refresh, &[]);
    }
    let complete: i64 = db.value(
        "SELECT (SELECT count(*) FROM deal_health_scores WHERE stage_velocity_score IS NOT NULL)
              + (SELECT count(*) FROM relationship_health_scores WHERE risk_factors IS NOT NULL)
              + (SELECT count(*) FROM deal_health_history WHERE engagement_score IS NOT NULL)
              + (SELECT count(*) FROM relationship_health_history WHERE changes_from_previous IS NULL)",
        &[],
    );
    assert_eq!(complete, 2 * (30 + 72));
}

#[test]
fn optional_tables_may_be_missing() {
    let mut db = Database::new();
    db.run(SAMPLE);
    let expected = refreshed_after(&mut db, "");
    let tables: Vec<String> = db
        .query("SELECT DISTINCT table_name FROM crm_health.crm_columns() WHERE table_role IN ('optional source', 'history') ORDER BY 1", &[])
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(tables.len() >= 7, "{tables:?}");
    for table in &tables {
        assert_eq!(
            refreshed_after(&mut db, &format!("DROP TABLE {table} CASCADE;")),
            expected,
            "{table}"
        );
    }
    let all = format!("DROP TABLE {} CASCADE;", tables.join(", "));
    assert_eq!(refreshed_after(&mut db, &all), expected, "all of them");
}

#[test]
fn a_required_table_that_is_missing_is_named_with_the_mend() {
    let mut db = Database::new();
    db.run(SAMPLE);
    for table in [
        "deals",
        "deal_stages",
        "contacts",
        "communication_events",
        "deal_health_scores",
        "relationship_health_scores",
    ] {
        let refresh = if ["deal_stages", "deals"].contains(&table) {
            REFRESH[0]
        } else {
            REFRESH[1]
        };
        let (state, message, hint) =
            error_after(&mut db, &format!("DROP TABLE {table} CASCADE;"), refresh);
        assert_eq!(state, "42P01", "{table}: {message}");
        assert!(
            message.contains(&format!("\"public.{table}\" does not exist")),
            "{message}"
        );
        assert!(hint.contains("sql/crm/install.sql"), "{hint}");
    }
    let (state, message, _) = error_after(
        &mut db,
        "DROP TABLE profiles CASCADE;",
        "SELECT crm_health.active_users()",
    );
    assert_eq!(state, "42P01", "{message}");
    assert!(message.contains("\"public.profiles\""), "{message}");
}

#[test]
fn a_required_column_that_is_missing_is_named_with_the_mend() {
    let mut db = Database::new();
    db.run(SAMPLE);
    for (table, column) in known_columns(
        &mut db,
        "is_required AND table_name NOT IN ('companies', 'profiles', 'deal_stage_history')",
    ) {
        let change = format!("ALTER TABLE {table} DROP COLUMN {column} CASCADE;");
        let deals = [
            "deals",
            "deal_stages",
            "activities",
            "deal_meetings",
            "deal_health_history",
            "meetings",
        ];
        let refresh = REFRESH[usize::from(!deals.contains(&table.as_str()))];
        let (state, message, hint) = error_after(&mut db, &change, refresh);
        assert_eq!(state, "42703", "{table}.{column}: {message}");
        assert!(
            message.contains(&format!("\"public.{table}\" has no column \"{column}\"")),
            "{message}"
        );
        assert!(hint.contains("sql/crm/install.sql"), "{hint}");
    }
    for column in ["deal_id", "stage_id", "status", "entered_at", "recorded_at"] {
        let change = format!("ALTER TABLE deal_stage_history DROP COLUMN {column} CASCADE;");
        let (state, message, _) = error_after(
            &mut db,
            &change,
            "SELECT * FROM crm_health.fit_deal_model()",
        );
        assert_eq!(state, "42703", "{message}");
        assert!(message.contains(column), "{message}");
    }
    for column in ["id", "last_login_at"] {
        let change = format!("ALTER TABLE profiles DROP COLUMN {column} CASCADE;");
        let (state, message, _) = error_after(&mut db, &change, "SELECT crm_health.active_users()");
        assert_eq!(state, "42703", "{message}");
        assert!(message.contains(column), "{message}");
    }
}

#[test]
fn a_view_in_place_of_a_table_that_is_written_is_named_with_the_mend() {
    let mut db = Database::new();
    db.run(SAMPLE);
    for (table, refresh) in [
        ("deal_health_scores", REFRESH[0]),
        ("relationship_health_scores", REFRESH[1]),
        ("deal_health_history", REFRESH[0]),
        ("relationship_health_history", REFRESH[1]),
    ] {
        for kind in ["VIEW", "MATERIALIZED VIEW"] {
            let change = format!(
                "ALTER TABLE {table} RENAME TO old_table; CREATE {kind} {table} AS SELECT * FROM old_table;"
            );
            let (state, message, hint) = error_after(&mut db, &change, refresh);
            assert_eq!(state, "42809", "{table}: {message}");
            assert!(
                message.contains(&format!("\"public.{table}\" is a {}", kind.to_lowercase())),
                "{message}"
            );
            assert!(hint.contains("rename it"), "{hint}");
        }
    }
}

#[test]
fn a_crm_schema_that_does_not_exist_is_named_with_the_mend() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, "SQL", 5.0);
    db.run("UPDATE crm_health.settings SET value = 'No Such Schema' WHERE name = 'crm_schema'");
    let mut hints = Vec::new();
    for call in [
        format!("SELECT refresh_deal_health_scores('{user}')"),
        format!("SELECT refresh_relationship_health_scores('{user}')"),
        format!("SELECT crm_health.explain_deal('{deal}')"),
        format!("SELECT crm_health.link_replies('{user}')"),
        "SELECT crm_health.needs_attention()".to_owned(),
        "SELECT crm_health.active_users()".to_owned(),
    ] {
        let (state, message, hint) = db.error(&call);
        assert_eq!(state, "3F000", "{call}");
        assert!(message.contains("schema \"No Such Schema\""), "{message}");
        hints.push(hint);
    }
    db.run(&hints[0]);
    assert_eq!(
        db.query("SELECT refresh_deal_health_scores($1)", &[&user])
            .len(),
        1
    );
}

#[test]
fn what_changes_between_two_calls_of_a_session_is_seen() {
    let mut db = Database::new();
    db.run(SAMPLE);
    let mut session = db.session();
    for refresh in REFRESH {
        session.query(refresh, &[]).unwrap();
    }
    db.run("ALTER TABLE deals DROP COLUMN value CASCADE");
    assert_eq!(error_of(&mut session, REFRESH[1]).0, "42703");
    db.run("ALTER TABLE deals ADD COLUMN value numeric; DROP TABLE deal_meetings; ALTER TABLE meetings ADD COLUMN deal_id uuid");
    for refresh in REFRESH {
        session.query(refresh, &[]).unwrap();
    }
}
