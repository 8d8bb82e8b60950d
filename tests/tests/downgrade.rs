//! The way down, as docs/install.md tells it: there is no script for it, so drop the extension and create the version
//! before, which is in the catalog then while the library may still be the new one.

use std::collections::BTreeSet;

use crm_health_tests::Database;
use crm_health_tests::kept::{configuration, configure_and_score, scores};

const BEFORE: &str = "0.1.0";
/// What that version does not know.
const NEW_SETTING: &str = "setting alert_quiet_days 3 t";

/// An installation of this version in use, with a setting that the version before does not know.
fn in_use() -> Database {
    let mut db = Database::new();
    configure_and_score(&mut db);
    db.run("UPDATE crm_health.settings SET value = '3' WHERE name = 'alert_quiet_days'");
    db
}

fn go_down(db: &mut Database) {
    db.run(&format!(
        "DROP EXTENSION crm_health; CREATE EXTENSION crm_health VERSION '{BEFORE}'"
    ));
}

/// What was configured, without what is as it ships, and without when.
fn changed(db: &mut Database) -> BTreeSet<String> {
    configuration(db.client())
        .lines()
        .filter(|line| line.ends_with("+00"))
        .filter_map(|line| Some(line.rsplitn(3, ' ').nth(2)?.to_owned()))
        .collect()
}

#[test]
fn scores_stay_and_the_configuration_is_read_back_but_for_what_the_old_version_does_not_know() {
    let mut db = in_use();
    let (configured, scored) = (changed(&mut db), scores(db.client()));
    assert!(configured.len() > 5, "{configured:#?}");
    go_down(&mut db);
    assert_eq!(scores(db.client()), scored);
    let kept = changed(&mut db);
    let lost: Vec<_> = configured.difference(&kept).collect();
    assert_eq!(lost, [NEW_SETTING]);
    let runs: i64 = db.value("SELECT count(*) FROM crm_health.runs", &[]);
    assert_eq!(runs, 0, "the run log begins anew");
}

#[test]
fn the_old_version_works_on_the_tables_that_the_new_one_completed() {
    let mut db = in_use();
    go_down(&mut db);
    // Open sessions go on with what they know of the version they met first.
    let mut session = db.session();
    let call = "CALL crm_health.refresh_active_users('below', p_max_age_hours => 0)";
    session.batch_execute(call).expect("a run");
    let run: String = db.value(
        "SELECT state || ' ' || errors FROM crm_health.last_run",
        &[],
    );
    assert_eq!(run, "succeeded []");
    db.run("UPDATE deal_health_rules SET is_active = NOT is_active");
}

#[test]
fn and_up_again_with_what_both_versions_know() {
    let mut db = in_use();
    let (configured, scored) = (changed(&mut db), scores(db.client()));
    go_down(&mut db);
    db.run("ALTER EXTENSION crm_health UPDATE");
    assert_eq!(scores(db.client()), scored);
    let now = changed(&mut db);
    let lost: Vec<_> = configured.difference(&now).collect();
    assert_eq!(lost, [NEW_SETTING]);
    let noted: i64 = db.value(
        "SELECT count(*) FROM crm_health.config_changes WHERE row_data ->> 'name' = 'alert_quiet_days' AND row_data ->> 'value' = '3'",
        &[],
    );
    assert_eq!(noted, 1, "what it was is still written down");
}
