//! How deals move: the history that a trigger keeps, and the pipeline learned from it.

use crm_health_tests::fits::known_hazards;
use crm_health_tests::{Crm, Database};
use uuid::Uuid;

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
