//! The view `crm_health.metrics`: what it counts, who may read it, and that nothing breaks it.

use std::collections::BTreeMap;

use crm_health_tests::session::{Role, become_role};
use crm_health_tests::{Crm, Database};
use postgres::Client;

const READ: &str = "SELECT name || CASE labels WHEN '{}' THEN '' ELSE labels::text END, value, type, help FROM crm_health.metrics";

/// Each sample, by name and labels.
fn metrics(client: &mut Client) -> BTreeMap<String, f64> {
    let rows = client.query(READ, &[]).expect("the metrics");
    let samples = rows.iter().map(|row| {
        assert_eq!(row.get::<_, &str>(2), "gauge");
        assert!(!row.get::<_, &str>(3).is_empty(), "a metric without help");
        (row.get::<_, String>(0), row.get::<_, f64>(1))
    });
    let counted = samples.collect::<BTreeMap<_, _>>();
    assert_eq!(counted.len(), rows.len(), "a sample is there twice");
    counted
}

#[test]
fn it_counts_runs_scores_and_what_is_stale() {
    let mut db = Database::new();
    let before = metrics(db.client());
    assert_eq!(
        before["crm_health_runs_logged{\"state\": \"succeeded\"}"],
        0.0
    );
    assert_eq!(before["crm_health_score_tables_usable"], 1.0);
    assert!(!before.contains_key("crm_health_last_success_age_seconds"));

    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    crm.deal(user, "SQL", 1.0);
    crm.deal(user, "SQL", 400.0);
    crm.contact(user);
    crm.company_contact(user);
    db.run("CALL crm_health.refresh_active_users()");
    db.run("UPDATE deal_health_scores SET last_calculated_at = now() - interval '25 hours'");
    let after = metrics(db.client());
    assert_eq!(after["crm_health_last_run_deals"], 2.0);
    assert_eq!(after["crm_health_last_run_relationships"], 3.0);
    assert_eq!(after["crm_health_last_run_users"], 1.0);
    assert_eq!(after["crm_health_last_run_errors"], 0.0);
    assert_eq!(
        after["crm_health_runs_logged{\"state\": \"succeeded\"}"],
        1.0
    );
    assert_eq!(after["crm_health_stale_scores{\"kind\": \"deal\"}"], 2.0);
    assert_eq!(after["crm_health_stale_scores{\"kind\": \"contact\"}"], 0.0);
    assert!(after["crm_health_last_success_age_seconds"] >= 0.0);
    let scores = |kind: &str| -> f64 {
        let start = format!("crm_health_scores{{\"kind\": \"{kind}\"");
        let of_kind = after.iter().filter(|(name, _)| name.starts_with(&start));
        of_kind.map(|(_, value)| value).sum()
    };
    assert_eq!(["deal", "contact", "company"].map(scores), [2.0, 2.0, 1.0]);
}

#[test]
fn a_failed_run_shows_its_errors_and_no_success() {
    let mut db = Database::new();
    Crm(&mut db).user(0.0);
    db.run("ALTER TABLE public.profiles RENAME TO people");
    db.run("CALL crm_health.refresh_active_users()");
    let found = metrics(db.client());
    assert_eq!(found["crm_health_last_run_errors"], 1.0);
    assert_eq!(found["crm_health_runs_logged{\"state\": \"failed\"}"], 1.0);
    assert!(!found.contains_key("crm_health_last_success_timestamp_seconds"));
}

#[test]
fn an_installation_that_cannot_score_is_a_number_and_no_error() {
    for broken in [
        "ALTER TABLE deal_health_scores OWNER TO postgres",
        "DROP TABLE deal_health_scores CASCADE",
        "DROP SCHEMA IF EXISTS gone; UPDATE crm_health.settings SET value = 'gone' WHERE name = 'crm_schema'",
    ] {
        let mut db = Database::new();
        db.run(broken);
        let found = metrics(db.client());
        assert_eq!(found["crm_health_score_tables_usable"], 0.0, "{broken}");
        assert!(
            !found.keys().any(|name| name.contains("_scores{")),
            "{broken}"
        );
    }
}

#[test]
fn it_may_be_read_by_who_monitors_and_by_nobody_else() {
    let (watcher, stranger) = (Role::new("IN ROLE pg_monitor"), Role::new(""));
    let mut db = Database::new();
    let user = Crm(&mut db).user(0.0);
    Crm(&mut db).contact(user);
    db.run("CALL crm_health.refresh_active_users()");
    let all = metrics(db.client());
    let mut session = db.session();
    become_role(&mut session, &watcher.name, None);
    let same = metrics(&mut session);
    assert!(all.keys().eq(same.keys()), "{all:?}\n{same:?}");
    become_role(&mut session, &stranger.name, None);
    for what in [
        "SELECT * FROM crm_health.metrics",
        "SELECT * FROM crm_health.score_metrics()",
        "SELECT * FROM crm_health.daily_job()",
    ] {
        let error = session.query(what, &[]).expect_err(what);
        assert_eq!(
            error.code().map(|code| code.code()),
            Some("42501"),
            "{what}"
        );
    }
}

#[test]
fn without_pg_cron_there_is_no_daily_job() {
    let rows = Database::new().query("SELECT * FROM crm_health.daily_job()", &[]);
    assert!(rows.is_empty());
}
