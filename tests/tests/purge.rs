//! What retention deletes, and what it leaves.

use crm_health_tests::{Crm, Database};
use serde_json::Value;
use uuid::Uuid;

/// A relationship and a deal with scores, to hang snapshots on.
fn scored(db: &mut Database) -> (Uuid, Uuid) {
    let mut crm = Crm(db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, "SQL", 5.0);
    crm.contact(user);
    db.query("SELECT refresh_deal_health_scores($1)", &[&user]);
    db.query("SELECT refresh_relationship_health_scores($1)", &[&user]);
    db.run("DELETE FROM deal_health_history; DELETE FROM relationship_health_history");
    let relationship = db.value("SELECT id FROM relationship_health_scores", &[]);
    (deal, relationship)
}

/// A snapshot of each, at this instant.
fn snapshot(db: &mut Database, (deal, relationship): (Uuid, Uuid), at: &str) {
    db.query(
        "INSERT INTO deal_health_history (deal_id, overall_health_score, snapshot_at) VALUES ($1, 50, $2::text::timestamptz)",
        &[&deal, &at],
    );
    db.query(
        "INSERT INTO relationship_health_history (relationship_health_id, user_id, overall_health_score, health_status, snapshot_at)
         SELECT id, user_id, 50, 'at_risk', $2::text::timestamptz FROM relationship_health_scores WHERE id = $1",
        &[&relationship, &at],
    );
}

fn left(db: &mut Database, table: &str) -> Vec<String> {
    db.query(
        &format!("SELECT to_char(snapshot_at AT TIME ZONE 'UTC', 'MM-DD HH24:MI') FROM {table} ORDER BY snapshot_at"),
        &[],
    )
    .iter()
    .map(|row| row.get(0))
    .collect()
}

fn purge(db: &mut Database) -> Value {
    db.value("SELECT crm_health.purge('2026-06-30 12:00Z')", &[])
}

#[test]
fn a_week_is_kept_whole_older_days_keep_their_last_snapshot_until_the_retention_ends() {
    let mut db = Database::new();
    let ids = scored(&mut db);
    for at in [
        "2026-06-29 08:00Z",
        "2026-06-29 09:00Z",
        "2026-06-23 12:00Z",
        "2026-06-23 11:58Z",
        "2026-06-23 11:59Z",
        "2026-06-20 00:00Z",
        "2026-06-20 23:59Z",
        "2026-06-21 00:00Z",
        "2026-03-22 12:01Z",
        "2026-03-22 11:59Z",
        "2026-03-22 11:58Z",
        "2025-01-01 00:00Z",
    ] {
        snapshot(&mut db, ids, at);
    }
    db.run("UPDATE crm_health.settings SET value = '100' WHERE name = 'history_retention_days'");
    let kept = [
        "03-22 12:01",
        "06-20 23:59",
        "06-21 00:00",
        "06-23 11:59",
        "06-23 12:00",
        "06-29 08:00",
        "06-29 09:00",
    ];
    let told = purge(&mut db);
    assert_eq!(left(&mut db, "deal_health_history"), kept);
    assert_eq!(left(&mut db, "relationship_health_history"), kept);
    assert_eq!(told["dealSnapshotsDeleted"], 5, "{told}");
    assert_eq!(told["relationshipSnapshotsDeleted"], 5, "{told}");
    let again = purge(&mut db);
    assert_eq!(
        again["dealSnapshotsDeleted"], 0,
        "a second purge finds nothing: {again}"
    );
}

#[test]
fn each_deal_keeps_its_own_snapshot_of_a_day() {
    let mut db = Database::new();
    let ids = scored(&mut db);
    snapshot(&mut db, ids, "2026-06-01 08:00Z");
    let user: Uuid = db.value("SELECT user_id FROM deal_health_scores", &[]);
    let other = Crm(&mut db).deal(user, "SQL", 1.0);
    snapshot(&mut db, (other, ids.1), "2026-06-01 09:00Z");
    purge(&mut db);
    assert_eq!(
        left(&mut db, "deal_health_history"),
        ["06-01 08:00", "06-01 09:00"]
    );
    assert_eq!(
        left(&mut db, "relationship_health_history"),
        ["06-01 09:00"]
    );
}

#[test]
fn the_run_log_keeps_its_days_and_what_runs() {
    let mut db = Database::new();
    db.run(
        "UPDATE crm_health.settings SET value = '10' WHERE name = 'run_log_retention_days';
         INSERT INTO crm_health.runs (started_at, finished_at, state, triggered_by, version) VALUES
           ('2026-06-20 12:01Z', now(), 'succeeded', 'young', '0'),
           ('2026-06-20 11:59Z', now(), 'failed', 'old', '0'),
           ('2026-06-01 00:00Z', now(), 'interrupted', 'older', '0'),
           ('2026-06-01 00:00Z', NULL, 'running', 'still running', '0')",
    );
    assert_eq!(purge(&mut db)["runsDeleted"], 2);
    let kept: Vec<String> = db
        .query("SELECT triggered_by FROM crm_health.runs ORDER BY 1", &[])
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(kept, ["still running", "young"]);
}

#[test]
fn scores_and_interactions_are_never_purged() {
    let mut db = Database::new();
    scored(&mut db);
    db.run("UPDATE deal_health_scores SET last_calculated_at = '2001-01-01', created_at = '2001-01-01'");
    purge(&mut db);
    let scores: i64 = db.value("SELECT count(*) FROM deal_health_scores", &[]);
    assert_eq!(scores, 1);
}

#[test]
fn without_history_tables_there_is_nothing_to_purge() {
    let mut db = Database::new();
    db.run("DROP TABLE deal_health_history, relationship_health_history");
    assert_eq!(purge(&mut db)["dealSnapshotsDeleted"], 0);
}

#[test]
fn an_instant_that_is_none_is_refused() {
    let mut db = Database::new();
    assert_eq!(db.error("SELECT crm_health.purge(NULL)").0, "22023");
    let (code, message, hint) = db.error("SELECT crm_health.purge(now() + interval '1 day')");
    assert_eq!(code, "22023");
    assert!(
        message.contains("p_as_of must not be in the future"),
        "{message}"
    );
    assert!(hint.contains("history_retention_days"), "{hint}");
}
