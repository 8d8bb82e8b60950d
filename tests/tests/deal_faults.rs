//! Fits of deals on histories that are wrong or say little, and fits that are ended or not alone.

use std::sync::mpsc::channel;

use crm_health_tests::database::{connect, error_of};
use crm_health_tests::fits::{ending, known_hazards, no_two_at_once};
use crm_health_tests::session::{pid, wait_for_lock};
use crm_health_tests::{Crm, Database};
use postgres::NoTls;

/// Fits, and scores a deal of the first stage by it: the chance in percent, and the days to close.
fn fit_and_predict(db: &mut Database) -> (i32, Option<i32>) {
    let mut crm = Crm(db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, "SQL", 1.0);
    let fit = &db.query(
        "SELECT * FROM crm_health.fit_deal_model(p_name => 'ours')",
        &[],
    )[0];
    let decision: String = fit.get("decision");
    assert!(fit.get::<_, bool>("activated"), "{decision}");
    for metric in ["log_loss", "log_loss_in_use"] {
        let metric: Option<f64> = fit.get(metric);
        assert!(metric.is_none_or(f64::is_finite), "{metric:?}");
    }
    db.query("SELECT * FROM refresh_deal_health_scores($1, 0)", &[&user]);
    let row = &db.query(
        "SELECT predicted_close_probability::int, predicted_days_to_close::int FROM deal_health_scores WHERE deal_id = $1",
        &[&deal],
    )[0];
    (row.get(0), row.get(1))
}

#[test]
fn clocks_that_jump_do_not_spoil_a_fit() {
    let mut db = Database::new();
    known_hazards(&mut db);
    db.run(
        "INSERT INTO deal_stage_history (deal_id, owner_id, stage_id, status, entered_at, recorded_at)
           SELECT md5('jumping ' || at)::uuid, md5('owner')::uuid, g.id, 'active', at::timestamptz, at::timestamptz
           FROM unnest('{-infinity,infinity,4713-01-01 00:00+00 BC,294276-12-31,1970-01-01,2100-01-01}'::text[]) at, deal_stages g",
    );
    let (percent, days) = fit_and_predict(&mut db);
    assert!((30..=42).contains(&percent), "{percent} %");
    assert!(days.is_some_and(|days| days > 0), "{days:?}");
}

#[test]
fn a_deal_that_flickers_does_not_spoil_a_fit() {
    let mut db = Database::new();
    known_hazards(&mut db);
    db.run(
        "INSERT INTO deal_stage_history (deal_id, owner_id, stage_id, status, entered_at, recorded_at)
           SELECT md5('flickering')::uuid, md5('owner')::uuid, g.id, 'active', at, at
           FROM (SELECT n, now() - interval '100 days' + n * interval '1 second' AS at FROM generate_series(1, 1000) n) f
           JOIN deal_stages g ON g.order_position = 1 + f.n % 3",
    );
    let (percent, days) = fit_and_predict(&mut db);
    assert!((30..=42).contains(&percent), "{percent} %");
    assert!(days.is_some_and(|days| days > 0), "{days:?}");
}

#[test]
fn a_deal_with_a_hundred_thousand_changes_leaves_a_fit_in_its_range() {
    let mut db = Database::new();
    known_hazards(&mut db);
    db.run(
        "INSERT INTO deal_stage_history (deal_id, owner_id, stage_id, status, entered_at, recorded_at)
           SELECT md5('restless')::uuid, md5('owner')::uuid, g.id, 'active', at, at
           FROM (SELECT n, now() - n * interval '7 minutes' AS at FROM generate_series(1, 100000) n) f
           JOIN deal_stages g ON g.order_position = 1 + f.n % 3",
    );
    let (percent, days) = fit_and_predict(&mut db);
    assert!((0..=100).contains(&percent), "{percent} %");
    assert!(
        days.is_none_or(|days| (1..=365).contains(&days)),
        "{days:?}"
    );
}

#[test]
fn where_all_deals_end_alike_the_chances_say_so_and_stay_in_range() {
    for (end, chances) in [("won", 90..=100), ("lost", 0..=2)] {
        let mut db = Database::new();
        known_hazards(&mut db);
        db.query(
            "UPDATE deal_stage_history SET status = $1 WHERE status <> 'active'",
            &[&end],
        );
        db.run(
            "UPDATE deal_stage_history h SET stage_id = g.id FROM deal_stages g
             WHERE h.status <> 'active' AND g.order_position = 1",
        );
        let (percent, _) = fit_and_predict(&mut db);
        assert!(chances.contains(&percent), "{end}: {percent} %");
        let auc: Option<f64> = db.value("SELECT auc FROM crm_health.deal_model_report()", &[]);
        assert!(auc.is_none_or(|auc| (0.0..=1.0).contains(&auc)), "{auc:?}");
    }
}

#[test]
fn a_name_or_an_instant_that_makes_no_sense_is_refused() {
    let mut db = Database::new();
    known_hazards(&mut db);
    db.run("SELECT * FROM crm_health.fit_deal_model(p_name => 'ours')");
    for (call, expected) in [
        ("fit_deal_model(p_name => 'ours')", "42710"),
        ("fit_deal_model(p_name => '')", "22023"),
        ("fit_deal_model('infinity')", "22023"),
        ("fit_deal_model(now() + interval '1 day')", "22023"),
        ("use_deal_model('theirs')", "42704"),
        (
            "backtest_deals(now(), now() - interval '1 day', 30)",
            "22023",
        ),
        (
            "backtest_deals(now() - interval '90 days', now(), 0)",
            "22023",
        ),
    ] {
        let (state, message, _) = db.error(&format!("SELECT * FROM crm_health.{call}"));
        assert_eq!(state, expected, "{call}: {message}");
    }
}

#[test]
fn a_fit_tells_how_far_it_is() {
    let mut db = Database::new();
    known_hazards(&mut db);
    let (tell, told) = channel();
    let mut config: postgres::Config = db.url().parse().expect("an address");
    config.notice_callback(move |notice| tell.send(notice.message().to_owned()).unwrap_or(()));
    let mut session = config.connect(NoTls).expect("a session");
    let spells: i64 = session
        .query_one("SELECT spells_used FROM crm_health.fit_deal_model()", &[])
        .expect("a fit")
        .get(0);
    let told: Vec<String> = told.try_iter().collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with(&format!("learning from {spells} stays of ")),
        "{told:?}"
    );
    assert!(told[1].starts_with("judging on "), "{told:?}");
}

#[test]
fn only_a_trusted_role_may_fit_or_look_back() {
    let mut db = Database::new();
    Crm(&mut db).user(0.0);
    db.run("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA crm_health TO authenticated");
    let mut app = connect(&db.url());
    app.batch_execute("SET ROLE authenticated; SET request.jwt.claim.sub = '00000000-0000-0000-0000-000000000001'")
        .expect("a role");
    for call in [
        "SELECT * FROM crm_health.fit_deal_model()",
        "SELECT * FROM crm_health.backtest_deals(now() - interval '90 days', now(), 30)",
        "SELECT crm_health.use_deal_model(NULL)",
    ] {
        assert_eq!(error_of(&mut app, call).0, "42501", "{call}");
    }
    let (state, _, _) = error_of(&mut app, "SELECT * FROM crm_health.deal_owners");
    assert_eq!(state, "42501");
}

fn in_use(db: &mut Database) -> Option<String> {
    let rows = db.query(
        "SELECT name FROM crm_health.deal_models WHERE is_active",
        &[],
    );
    rows.first().map(|row| row.get(0))
}

#[test]
fn two_fits_at_once_do_not_run() {
    let mut db = Database::new();
    known_hazards(&mut db);
    no_two_at_once(&mut db, "crm_health.fit_deal_model");
    assert_eq!(in_use(&mut db).as_deref(), Some("first"));
}

/// Ends a fit by `end` (of its backend $1) when it has learned and is about to store, and returns its SQLSTATE.
fn ended_before_storing(db: &mut Database, end: &str) -> String {
    let mut holder = db.session();
    let mut held = holder.transaction().expect("a transaction");
    held.batch_execute("LOCK TABLE crm_health.deal_models IN SHARE MODE")
        .expect("a lock");
    let mut fitting = db.session();
    let backend = pid(&mut fitting);
    let fit = ending(fitting, "crm_health.fit_deal_model");
    wait_for_lock(db.client(), backend);
    db.query(end, &[&backend]);
    fit.join().expect("no panic")
}

#[test]
fn a_fit_that_is_cancelled_or_killed_leaves_the_old_model_in_use() {
    let mut db = Database::new();
    known_hazards(&mut db);
    db.run("SELECT * FROM crm_health.fit_deal_model(p_name => 'old')");
    assert_eq!(
        ended_before_storing(&mut db, "SELECT pg_cancel_backend($1)"),
        "57014"
    );
    // The connection may close before its last message is read.
    let killed = ended_before_storing(&mut db, "SELECT pg_terminate_backend($1)");
    assert!(["57P01", ""].contains(&killed.as_str()), "{killed}");
    let models: i64 = db.value("SELECT count(*) FROM crm_health.deal_models", &[]);
    assert_eq!((in_use(&mut db).as_deref(), models), (Some("old"), 1));
    // Nothing is left locked.
    db.run("SELECT * FROM crm_health.fit_deal_model(p_name => 'after')");
}
