//! What survives pg_dump and a restore, and DROP EXTENSION and CREATE EXTENSION.

use crm_health_tests::cluster::{dump, restore};
use crm_health_tests::database::connect;
use crm_health_tests::kept::{configuration, configure_and_score, scores, text};
use crm_health_tests::{Cluster, Database};

fn configured() -> Database {
    let mut db = Database::new();
    configure_and_score(&mut db);
    db.run("SELECT crm_health.post_notification('run_failed', NULL, 'run', 'r', 'info', 'before')");
    db
}

#[test]
fn a_restore_into_a_new_cluster_has_every_score_history_run_and_setting() {
    let mut db = configured();
    let before = (configuration(db.client()), scores(db.client()));
    assert!(
        before.0.contains("setting active_window_days 31 t"),
        "{}",
        before.0
    );
    let dump = dump(&db.url(), &[]);

    let other = Cluster::start("postgres", &["fsync = off"]);
    connect(&format!("{}postgres", other.server()))
        .batch_execute(
            "CREATE ROLE crm_health_owner BYPASSRLS; CREATE ROLE anon; CREATE ROLE authenticated; CREATE ROLE service_role",
        )
        .expect("what is not in the dump of a database");
    connect(&format!("{}postgres", other.server()))
        .batch_execute("CREATE DATABASE restored TEMPLATE template0")
        .expect("a database");
    let url = format!("{}restored", other.server());
    restore(&url, &dump);

    let mut client = connect(&url);
    assert_eq!(configuration(&mut client), before.0);
    assert_eq!(scores(&mut client), before.1);
    assert_eq!(
        text(
            &mut client,
            "SELECT triggered_by || ' ' || state FROM crm_health.last_success"
        ),
        "before succeeded"
    );
    let changes =
        "SELECT string_agg(DISTINCT row_data ->> 'value', ', ' ORDER BY row_data ->> 'value')
                   FROM crm_health.config_changes WHERE table_name = 'settings'";
    assert_eq!(
        text(&mut client, changes),
        "30, 31",
        "the log of changes came along"
    );
    client
        .batch_execute("CALL crm_health.refresh_active_users('after')")
        .expect("a refresh there");
    assert_eq!(
        text(
            &mut client,
            "SELECT n.title || ' ' || (crm_health.post_notification('run_failed', NULL, 'run', 'r', 'info', 'after') > n.id)
             FROM crm_health.notifications n",
        ),
        "before true",
        "the outbox came along, and its ids go on"
    );
    client
        .batch_execute("DROP EXTENSION crm_health; CREATE EXTENSION crm_health")
        .expect("made anew there");
    assert_eq!(
        strip_times(&configuration(&mut client)),
        strip_times(&before.0)
    );
}

#[test]
fn a_dump_of_inserts_brings_the_cutoffs_back_row_by_row() {
    let mut db = configured();
    let before = configuration(db.client());
    assert!(before.contains("cutoff deal healthy 22 t"), "{before}");
    let dump = dump(&db.url(), &["--inserts"]);
    let mut other = Database::empty();
    restore(&other.url(), &dump);
    assert_eq!(configuration(other.client()), before);
}

#[test]
fn a_row_that_was_renamed_comes_back_under_its_new_name_alone() {
    let mut db = Database::new();
    db.run(
        "INSERT INTO crm_health.stage_thresholds (stage, optimal_days, warning_days, critical_days) VALUES ('Demo', 1, 2, 3);
         UPDATE crm_health.stage_thresholds SET stage = 'Trial' WHERE stage = 'Demo';
         DROP EXTENSION crm_health; CREATE EXTENSION crm_health",
    );
    let stages: String = db.value(
        "SELECT string_agg(stage, ', ') FROM crm_health.stage_thresholds WHERE changed_at IS NOT NULL",
        &[],
    );
    assert_eq!(stages, "Trial");
}

#[test]
fn a_setting_that_was_changed_keeps_its_description() {
    let mut db = configured();
    let described = "SELECT string_agg(name || ': ' || description, E'\\n' ORDER BY name) FROM crm_health.settings";
    let before: String = db.value(described, &[]);
    db.run("DROP EXTENSION crm_health; CREATE EXTENSION crm_health");
    assert_eq!(db.value::<String>(described, &[]), before);
}

#[test]
fn cutoffs_that_no_longer_descend_are_not_read_back() {
    let mut db = Database::new();
    db.run(
        "UPDATE crm_health.status_cutoffs SET min_score = 60 WHERE model = 'deal' AND status = 'warning';
         UPDATE crm_health.config_changes SET row_data = row_data || '{\"min_score\": 80}';
         DROP EXTENSION crm_health; CREATE EXTENSION crm_health",
    );
    let kept: i32 = db.value(
        "SELECT min_score FROM crm_health.status_cutoffs WHERE model = 'deal' AND status = 'warning'",
        &[],
    );
    assert_eq!(kept, 50);
}

/// Without the time of each change.
fn strip_times(configuration: &str) -> String {
    configuration
        .lines()
        .map(|line| line.split(" 20").next().unwrap_or(line).to_owned() + "\n")
        .collect()
}

#[test]
fn dropping_and_creating_the_extension_loses_nothing_but_the_run_log() {
    let mut db = configured();
    let before = (configuration(db.client()), scores(db.client()));
    db.run("DROP EXTENSION crm_health");
    assert_eq!(scores(db.client()), before.1, "scores are plain tables");
    db.run("CREATE EXTENSION crm_health");
    assert_eq!(
        strip_times(&configuration(db.client())),
        strip_times(&before.0)
    );
    assert_eq!(scores(db.client()), before.1);
    let changed: i64 = db.value(
        "SELECT count(*) FROM crm_health.settings WHERE changed_at IS NOT NULL",
        &[],
    );
    assert_eq!(
        changed, 1,
        "and what was changed is still told from what ships"
    );
    db.run("DROP EXTENSION crm_health; CREATE EXTENSION crm_health");
    assert_eq!(
        strip_times(&configuration(db.client())),
        strip_times(&before.0),
        "any number of times"
    );
}

#[test]
fn the_run_log_that_went_with_the_extension_starts_anew() {
    let mut db = configured();
    db.run("DROP EXTENSION crm_health; CREATE EXTENSION crm_health");
    db.run("CALL crm_health.refresh_active_users('again')");
    let runs: i64 = db.value("SELECT count(*) FROM crm_health.runs", &[]);
    assert_eq!(runs, 1);
}

#[test]
fn changes_are_logged_with_who_made_them() {
    let mut db = configured();
    let log: String = db.value(
        "SELECT string_agg(format('%s %s %s', table_name, row_data ->> 'stage', deleted), '; ' ORDER BY changed_at)
         FROM crm_health.config_changes WHERE table_name = 'stage_thresholds'",
        &[],
    );
    assert_eq!(
        log,
        "stage_thresholds SQL f; stage_thresholds Demo, it's \"new\" f; stage_thresholds Gone f; stage_thresholds Gone t"
    );
    let by: String = db.value(
        "SELECT DISTINCT changed_by FROM crm_health.config_changes",
        &[],
    );
    assert_eq!(by, "postgres");
}

#[test]
fn a_database_without_changes_is_restored_without_any() {
    let mut db = Database::new();
    let dump = dump(&db.url(), &[]);
    let copied = dump
        .lines()
        .filter(|line| line.starts_with("COPY crm_health."))
        .count();
    assert_eq!(
        copied, 9,
        "the config tables, the run log, the outbox, the fitted models and the owners of deals"
    );
    assert!(
        !dump.contains("active_window_days"),
        "what ships is not dumped"
    );
    let log: bool = db.value(
        "SELECT to_regclass('crm_health.config_changes') IS NULL",
        &[],
    );
    assert!(log, "nothing was changed");
}

#[test]
fn what_is_no_longer_valid_is_not_read_back_and_does_not_stop_the_rest() {
    let mut db = configured();
    db.run(
        "INSERT INTO crm_health.config_changes VALUES
           (clock_timestamp(), 'old version', 'settings', false, '{\"name\": \"a_setting_of_old\", \"value\": \"1\"}');
         DROP EXTENSION crm_health; CREATE EXTENSION crm_health",
    );
    let stages: i64 = db.value(
        "SELECT count(*) FROM crm_health.stage_thresholds WHERE changed_at IS NOT NULL",
        &[],
    );
    assert_eq!(stages, 2);
    let window: String = db.value(
        "SELECT value FROM crm_health.settings WHERE name = 'active_window_days'",
        &[],
    );
    assert_eq!(
        window, "31",
        "one row that is not valid does not take the others along"
    );
}
