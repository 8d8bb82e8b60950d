//! How deals move: the history that a trigger keeps, and the pipeline learned from it.

use crm_health_tests::fits::{ending, no_two_at_once};
use crm_health_tests::session::{pid, wait_for_lock};
use crm_health_tests::{Crm, Database};
use uuid::Uuid;

/// 1,500 deals that leave each of three stages at a rate of 0.07 a day, five times of seven for the
/// next one and else lost: of those just begun (5/7)³ = 36 % are won, of those in the last 71 %.
fn known_hazards(db: &mut Database) {
    db.run(
        "SELECT setseed(0.25);
         CREATE TEMPORARY TABLE walk AS
           SELECT d, s, began, -ln(1 - random()) / 0.07 AS stay, random() < 5.0 / 7 AS goes_on
           FROM (SELECT d, 20 + 900 * random() AS began FROM generate_series(1, 1500) d) deals,
                generate_series(1, 3) s;
         CREATE TEMPORARY TABLE step AS
           SELECT *, began - coalesce(sum(stay) OVER before, 0) AS entered, coalesce(bool_and(goes_on) OVER before, true) AS there,
                  began - sum(stay) OVER (PARTITION BY d ORDER BY s) AS \"left\"
           FROM walk
           WINDOW before AS (PARTITION BY d ORDER BY s ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING);
         INSERT INTO deal_stage_history (deal_id, owner_id, stage_id, status, entered_at, recorded_at)
         SELECT md5('deal ' || d)::uuid, md5('owner')::uuid, g.id, 'active', at, at
         FROM (SELECT *, now() - entered * interval '1 day' AS at FROM step WHERE there AND entered > 0) x
         JOIN deal_stages g ON g.order_position = x.s
         UNION ALL
         SELECT md5('deal ' || d)::uuid, md5('owner')::uuid, g.id, CASE WHEN goes_on THEN 'won' ELSE 'lost' END, at, at
         FROM (SELECT *, now() - \"left\" * interval '1 day' AS at FROM step
               WHERE there AND \"left\" > 0 AND (s = 3 OR NOT goes_on)) x
         JOIN deal_stages g ON g.order_position = CASE WHEN x.goes_on THEN 4 ELSE 5 END;",
    );
}

/// (probability to close, days to close) as stored.
fn predicted(db: &mut Database, deal: Uuid) -> (Option<i32>, Option<i32>) {
    let row = &db.query(
        "SELECT predicted_close_probability::int, predicted_days_to_close::int FROM deal_health_scores WHERE deal_id = $1",
        &[&deal],
    )[0];
    (row.get(0), row.get(1))
}

fn refresh(db: &mut Database, user: Uuid) {
    db.query("SELECT * FROM refresh_deal_health_scores($1, 0)", &[&user]);
}

#[test]
fn every_change_of_stage_or_status_is_kept() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, "SQL", 10.0);
    db.query("UPDATE deals SET value = 5 WHERE id = $1", &[&deal]);
    for change in [
        "stage_id = (SELECT id FROM deal_stages WHERE name = 'Verbal')",
        "status = 'won', stage_id = (SELECT id FROM deal_stages WHERE name = 'Signed')",
    ] {
        db.query(
            &format!("UPDATE deals SET {change} WHERE id = $1"),
            &[&deal],
        );
    }
    let rows = db.query(
        "SELECT g.name, h.status, h.entered_at < h.recorded_at - interval '9 days'
         FROM deal_stage_history h JOIN deal_stages g ON g.id = h.stage_id WHERE h.deal_id = $1 ORDER BY h.entered_at",
        &[&deal],
    );
    let kept: Vec<(String, String, bool)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    let expected = [
        ("SQL", "active", true),
        ("Verbal", "active", false),
        ("Signed", "won", false),
    ];
    assert_eq!(
        kept,
        expected.map(|(stage, status, before)| (stage.into(), status.into(), before))
    );
}

#[test]
fn the_known_hazards_of_a_pipeline_are_recovered() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let deals = ["SQL", "Opportunity", "Verbal"].map(|stage| crm.deal(user, stage, 1.0));
    known_hazards(&mut db);
    refresh(&mut db, user);
    assert!(
        deals
            .iter()
            .all(|deal| predicted(&mut db, *deal).1.is_none()),
        "nothing fitted yet"
    );
    let fit = &db.query(
        "SELECT * FROM crm_health.fit_deal_model(p_name => 'ours')",
        &[],
    )[0];
    assert!(
        fit.get::<_, bool>("activated"),
        "{}",
        fit.get::<_, String>("decision")
    );
    refresh(&mut db, user);
    for (deal, (percent, days)) in deals.iter().zip([(36, 43), (51, 29), (71, 14)]) {
        let (found, found_days) = predicted(&mut db, *deal);
        let (found, found_days) = (found.expect("a chance"), found_days.expect("a date"));
        assert!(
            (found - percent).abs() <= 6,
            "{found} % instead of {percent}"
        );
        assert!(
            (found_days - days).abs() <= 6,
            "{found_days} days instead of {days}"
        );
    }
    let sentence: String = db.value(
        "SELECT reason FROM crm_health.explain_deal($1) WHERE signal = 'close_probability'",
        &[&deals[0]],
    );
    assert!(
        sentence.contains("slower than") && sentence.contains("likely to be won"),
        "{sentence}"
    );
    let reasons: Vec<String> = db.value(
        "SELECT reasons FROM crm_health.needs_attention(ARRAY[$1::uuid]) WHERE id = $2",
        &[&user, &deals[0]],
    );
    assert_eq!(reasons.last(), Some(&sentence), "{reasons:?}");
    assert!(reasons.len() <= 3, "{reasons:?}");
    let report = &db.query("SELECT * FROM crm_health.deal_model_report()", &[])[0];
    assert!(report.get::<_, i64>("judged_deals") > 20);
    assert!(report.get::<_, f64>("auc") > 0.5);
    db.run("SELECT crm_health.use_deal_model(NULL)");
    refresh(&mut db, user);
    assert_eq!(predicted(&mut db, deals[0]).1, None, "none in use");
}

#[test]
fn the_past_is_judged_by_what_was_known_then() {
    let mut db = Database::new();
    known_hazards(&mut db);
    let rows = db.query(
        "SELECT * FROM crm_health.backtest_deals(now() - interval '400 days', now() - interval '100 days', 90)",
        &[],
    );
    assert_eq!(rows.len(), 12, "eleven cut-offs and all of them");
    let all = rows.last().expect("a row");
    assert!(
        all.get::<_, f64>("auc") > 0.6,
        "{}",
        all.get::<_, f64>("auc")
    );
    assert!(all.get::<_, f64>("calibration_error") < 0.1);
}

#[test]
fn too_few_changes_make_no_model() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, "SQL", 10.0);
    let fit = &db.query("SELECT * FROM crm_health.fit_deal_model()", &[])[0];
    assert!(!fit.get::<_, bool>("activated"));
    assert_eq!(fit.get::<_, Option<String>>("name"), None);
    refresh(&mut db, user);
    let (percent, days) = predicted(&mut db, deal);
    assert!(percent.is_some_and(|percent| (5..=95).contains(&percent)));
    assert_eq!(days, None);
}

#[test]
fn a_history_begins_with_where_the_deals_stand() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, "SQL", 30.0);
    let script = crm_health_tests::cluster::repository().join("sql/crm/install.sql");
    db.run(
        "DROP TABLE deal_stage_history; DROP TRIGGER crm_keep_new_deal ON deals; DROP TRIGGER crm_keep_deal_stages ON deals",
    );
    let bin = crm_health_tests::environment("CRM_HEALTH_PG_BIN");
    let ran = std::process::Command::new(format!("{bin}/psql"))
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"])
        .arg(script)
        .arg(db.url())
        .output()
        .expect("psql");
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let seeded: bool = db.value(
        "SELECT entered_at < now() - interval '29 days' AND recorded_at > now() - interval '1 hour'
         FROM deal_stage_history WHERE deal_id = $1",
        &[&deal],
    );
    assert!(seeded);
}

#[test]
fn clocks_that_jump_and_deals_that_flicker_do_not_spoil_a_fit() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, "SQL", 1.0);
    known_hazards(&mut db);
    db.run(
        "INSERT INTO deal_stage_history (deal_id, owner_id, stage_id, status, entered_at, recorded_at)
           SELECT md5('jumping ' || at)::uuid, md5('owner')::uuid, g.id, 'active', at::timestamptz, at::timestamptz
           FROM unnest('{-infinity,infinity,4713-01-01 00:00+00 BC,294276-12-31,1970-01-01,2100-01-01}'::text[]) at, deal_stages g;
         INSERT INTO deal_stage_history (deal_id, owner_id, stage_id, status, entered_at, recorded_at)
           SELECT md5('flickering')::uuid, md5('owner')::uuid, g.id, 'active', at, at
           FROM (SELECT n, now() - interval '100 days' + n * interval '1 second' AS at FROM generate_series(1, 1000) n) f
           JOIN deal_stages g ON g.order_position = 1 + f.n % 3;",
    );
    let fit = &db.query(
        "SELECT * FROM crm_health.fit_deal_model(p_name => 'ours')",
        &[],
    )[0];
    assert!(
        fit.get::<_, bool>("activated"),
        "{}",
        fit.get::<_, String>("decision")
    );
    refresh(&mut db, user);
    let (percent, days) = predicted(&mut db, deal);
    assert!(
        percent.is_some_and(|percent| (30..=42).contains(&percent))
            && days.is_some_and(|days| days > 0),
        "{percent:?} % in {days:?} days"
    );
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
