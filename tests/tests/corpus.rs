//! Real mail: a corpus loaded as a CRM and scored as of an instant within it.
//!
//! The corpus is not part of the repository: `CRM_HEALTH_TEST_DATA` names the folder that has it, else `shared/data`
//! beside the repository. The expected numbers were computed from the file by a program that shares nothing with ours.

use std::path::PathBuf;

use crm_health_tests::cluster::{psql, repository};
use crm_health_tests::{Crm, Database};
use serde_json::{Value, json};

const AS_OF: &str = "'2001-05-01 12:00:00+00'";

/// The mail file, or a failure that says how to get on.
fn corpus_file() -> PathBuf {
    let folder = std::env::var_os("CRM_HEALTH_TEST_DATA").map_or_else(
        || repository().parent().expect("a parent").join("shared/data"),
        PathBuf::from,
    );
    let file = folder.join("enron.csv");
    assert!(
        file.is_file(),
        "there is no {}: set CRM_HEALTH_TEST_DATA to the folder that has the mail corpora",
        file.display()
    );
    file
}

/// The corpus as a CRM, everyone's relationships scored by the rules.
fn scored_corpus() -> Database {
    let mut db = Database::new();
    let script = repository()
        .join("tests/corpus/load.sql")
        .display()
        .to_string();
    let csv = format!("csv={}", corpus_file().display());
    psql(&db.url(), &["-v", &csv, "-f", &script]);
    Crm(&mut db).ghost_by_rules();
    db.query(
        &format!("SELECT crm_health.refresh_relationships((SELECT array_agg(id) FROM profiles), 0, {AS_OF})"),
        &[],
    );
    db
}

#[test]
fn a_real_corpus_scores_as_an_independent_program_computed() {
    let mut db = scored_corpus();
    let counts: Value = db.value(
        "SELECT jsonb_build_object(
           'users', (SELECT count(*) FROM profiles),
           'statuses', (SELECT jsonb_object_agg(health_status, n)
                        FROM (SELECT health_status, count(*) AS n FROM relationship_health_scores GROUP BY 1) s),
           'scores', (SELECT jsonb_object_agg(overall_health_score, n)
                      FROM (SELECT overall_health_score, count(*) AS n FROM relationship_health_scores GROUP BY 1) s))",
        &[],
    );
    assert_eq!(
        counts,
        json!({
            "users": 182,
            "statuses": {"critical": 2367, "ghost": 1038, "at_risk": 231},
            "scores": {"35": 2966, "60": 236, "41": 220, "54": 94, "48": 120}
        })
    );
    hand_checked_people(&mut db);
    every_count_by_plain_sql(&mut db);
}

fn hand_checked_people(db: &mut Database) {
    // (user, contact), events of 30 days, days since the last one and the last inbound one, score, status
    for (user, contact, events, contact_days, response_days, score, status) in [
        ("63", "58", 153, 0, 0, 54, "at_risk"),
        ("6", "50", 64, 0, 6, 60, "at_risk"),
        ("103", "95", 6, 10, 20, 54, "ghost"),
        ("105", "107", 2, 0, 168, 60, "ghost"),
        ("107", "128", 4, 5, 5, 48, "critical"),
    ] {
        let found: Value = db.value(
            "SELECT jsonb_build_array(total_interactions_30_days, days_since_last_contact, days_since_last_response,
                                      overall_health_score, health_status)
             FROM relationship_health_scores
             WHERE user_id = md5('person:' || $1::text)::uuid AND contact_id = md5('contact:' || $1 || ':' || $2::text)::uuid",
            &[&user, &contact],
        );
        assert_eq!(
            found,
            json!([events, contact_days, response_days, score, status]),
            "{user} with {contact}"
        );
    }
}

/// The counts and ages of all contacts, by a query that a person can check.
fn every_count_by_plain_sql(db: &mut Database) {
    let differing: i64 = db.value(
        &format!(
            "SELECT count(*) FROM relationship_health_scores s
             LEFT JOIN (
               SELECT contact_id, count(*) FILTER (WHERE event_timestamp >= {AS_OF}::timestamptz - interval '30 days') AS events,
                      floor(extract(epoch FROM {AS_OF}::timestamptz - max(event_timestamp)) / 86400) AS contact_days,
                      floor(extract(epoch FROM {AS_OF}::timestamptz - max(event_timestamp) FILTER (WHERE direction = 'inbound')) / 86400) AS response_days
               FROM communication_events WHERE event_timestamp <= {AS_OF} GROUP BY 1
             ) e USING (contact_id)
             WHERE (s.total_interactions_30_days, s.days_since_last_contact, s.days_since_last_response)
                   IS DISTINCT FROM (coalesce(e.events, 0)::int, e.contact_days::int, e.response_days::int)"
        ),
        &[],
    );
    assert_eq!(differing, 0);
}
