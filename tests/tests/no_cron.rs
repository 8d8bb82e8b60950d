//! A database without pg_cron: everything works but the schedule, which says what to do.

use crm_health_tests::{Crm, Database};

#[test]
fn the_schedule_says_what_is_missing() {
    let mut db = Database::new();
    let (state, message, hint) = db.error("SELECT crm_health.schedule()");
    assert_eq!(state, "55000");
    // Beside 15 no server of the tests has it; 15's keeps its jobs in a database of its own.
    let missing = [
        "pg_cron is not installed on this server",
        "pg_cron keeps its jobs in database \"postgres\", not in this one",
    ];
    assert!(missing.contains(&message.as_str()), "{message}");
    assert!(!hint.is_empty(), "{message}");
}

#[test]
fn a_run_called_by_any_other_scheduler_does_the_same() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(1.0);
    crm.deal(user, "SQL", 50.0);
    db.run("CALL crm_health.refresh_active_users('systemd')");
    let run: String = db.value(
        "SELECT concat_ws(' ', triggered_by, state, deals_refreshed) FROM crm_health.last_run",
        &[],
    );
    assert_eq!(run, "systemd succeeded 1");
    let findings =
        "SELECT count(*) FROM crm_health.check_install() WHERE problem LIKE '%daily refresh%'";
    assert_eq!(db.value::<i64>(findings, &[]), 0, "and all is well by it");
    db.run("UPDATE crm_health.runs SET started_at = now() - interval '28 hours', finished_at = now() - interval '27 hours'");
    assert_eq!(db.value::<i64>(findings, &[]), 1, "until it stops");
}
