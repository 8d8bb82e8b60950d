//! What becomes of an alert: unchanged, worsened, resolved, acknowledged, dismissed.

use super::*;

#[test]
fn an_unchanged_alert_is_not_rewritten_and_one_whose_figures_changed_is_without_a_word() {
    let (mut db, user, deal) = scored();
    set_stage_days(&mut db, deal, 15.2);
    refresh(&mut db, user, 0);
    let version = "SELECT concat(xmin, ' ', ctid, ' ', message) FROM deal_health_alerts";
    let before: String = db.value(version, &[]);
    refresh(&mut db, user, 0);
    assert_eq!(db.value::<String>(version, &[]), before);
    refresh(&mut db, user, 2);
    let after: String = db.value(
        "SELECT message FROM deal_health_alerts WHERE alert_type = 'stage_stall'",
        &[],
    );
    assert!(after.contains("for 17 days"), "{after}");
    assert_eq!(told(&mut db).len(), 1);
}

#[test]
fn an_alert_worsens_and_resolves_by_itself() {
    let (mut db, user, deal) = scored();
    set_stage_days(&mut db, deal, 15.0);
    refresh(&mut db, user, 0);
    let id = alert_id(&mut db);
    set_stage_days(&mut db, deal, 31.0);
    refresh(&mut db, user, 0);
    assert_eq!(alerts(&mut db), json!(["stage_stall critical active"]));
    assert_eq!(alert_id(&mut db), id, "the same alert");
    assert_eq!(told(&mut db).len(), 2, "told of again");
    set_stage_days(&mut db, deal, 20.0);
    refresh(&mut db, user, 0);
    assert_eq!(alerts(&mut db), json!(["stage_stall warning active"]));
    assert_eq!(told(&mut db).len(), 2, "better is no news");
    set_stage_days(&mut db, deal, 1.0);
    refresh(&mut db, user, 0);
    assert_eq!(alerts(&mut db), json!(["stage_stall warning resolved"]));
    let times: bool = db.value(
        "SELECT resolved_at = updated_at AND resolved_at >= created_at FROM deal_health_alerts",
        &[],
    );
    assert!(times);
    set_stage_days(&mut db, deal, 15.0);
    refresh(&mut db, user, 1);
    assert_eq!(
        alerts(&mut db),
        json!(["stage_stall warning resolved", "stage_stall warning active"]),
        "a new one, for a new stall"
    );
    assert_eq!(told(&mut db).len(), 3);
}

#[test]
fn an_acknowledged_alert_stays_so_until_it_worsens() {
    let (mut db, user, deal) = scored();
    set_stage_days(&mut db, deal, 15.0);
    refresh(&mut db, user, 0);
    let id = alert_id(&mut db);
    let acknowledge = "SELECT crm_health.acknowledge_alert($1)";
    for _ in 0..2 {
        assert_eq!(db.value::<String>(acknowledge, &[&id]), "acknowledged");
    }
    refresh(&mut db, user, 1);
    assert_eq!(alerts(&mut db)[0], "stage_stall warning acknowledged");
    assert_eq!(told(&mut db).len(), 1);
    set_stage_days(&mut db, deal, 31.0);
    refresh(&mut db, user, 1);
    let alert: Value = db.value(
        "SELECT to_jsonb(a) FROM deal_health_alerts a WHERE id = $1",
        &[&id],
    );
    assert_eq!(
        (&alert["status"], &alert["severity"]),
        (&json!("active"), &json!("critical"))
    );
    assert_eq!(alert["acknowledged_at"], Value::Null);
    assert_eq!(told(&mut db).len(), 2);
}

#[test]
fn a_dismissed_alert_is_quiet_until_it_worsens_or_the_time_has_passed() {
    let (mut db, user, deal) = scored();
    // Time goes by without anything else becoming true.
    db.run("UPDATE deal_health_rules SET is_active = rule_type = 'days_in_current_stage'");
    set_stage_days(&mut db, deal, 15.0);
    refresh(&mut db, user, 0);
    let id = alert_id(&mut db);
    let dismiss = "SELECT crm_health.dismiss_alert($1)";
    for _ in 0..2 {
        assert_eq!(db.value::<String>(dismiss, &[&id]), "dismissed");
    }
    db.run("UPDATE deal_health_alerts SET dismissed_at = now() - interval '1 second'");
    for days in [1, 5, 13] {
        refresh(&mut db, user, days);
        assert_eq!(
            alerts(&mut db),
            json!(["stage_stall warning dismissed"]),
            "day {days}"
        );
    }
    refresh(&mut db, user, 14);
    assert_eq!(
        alerts(&mut db),
        json!([
            "stage_stall warning dismissed",
            "stage_stall warning active"
        ])
    );
    assert_eq!(told(&mut db).len(), 2);
    // The new one dismissed; then worse.
    let second = alert_id(&mut db);
    assert_eq!(db.value::<String>(dismiss, &[&second]), "dismissed");
    set_stage_days(&mut db, deal, 16.1);
    refresh(&mut db, user, 14);
    assert_eq!(
        alerts(&mut db),
        json!([
            "stage_stall warning dismissed",
            "stage_stall warning dismissed",
            "stage_stall critical active"
        ])
        .as_array()
        .map(|expected| json!(expected))
        .expect("a list")
    );
    assert_eq!(told(&mut db).len(), 3);
}

#[test]
fn a_dismissal_ends_with_the_cause() {
    let (mut db, user, deal) = scored();
    set_stage_days(&mut db, deal, 15.0);
    refresh(&mut db, user, 0);
    let id = alert_id(&mut db);
    db.query("SELECT crm_health.dismiss_alert($1)", &[&id]);
    set_stage_days(&mut db, deal, 1.0);
    refresh(&mut db, user, 0);
    assert_eq!(alerts(&mut db), json!(["stage_stall warning dismissed"]));
    let over: bool = db.value(
        "SELECT resolved_at IS NOT NULL FROM deal_health_alerts",
        &[],
    );
    assert!(over);
    set_stage_days(&mut db, deal, 15.0);
    refresh(&mut db, user, 1);
    assert_eq!(
        alerts(&mut db),
        json!([
            "stage_stall warning dismissed",
            "stage_stall warning active"
        ])
    );
}

#[test]
fn the_time_of_quiet_is_a_setting() {
    let (mut db, user, deal) = scored();
    db.run(
        "UPDATE deal_health_rules SET is_active = rule_type = 'days_in_current_stage';
         UPDATE crm_health.settings SET value = '2' WHERE name = 'alert_quiet_days'",
    );
    set_stage_days(&mut db, deal, 15.0);
    refresh(&mut db, user, 0);
    let id = alert_id(&mut db);
    db.query("SELECT crm_health.dismiss_alert($1)", &[&id]);
    db.run("UPDATE deal_health_alerts SET dismissed_at = now() - interval '1 second'");
    refresh(&mut db, user, 1);
    assert_eq!(told(&mut db).len(), 1);
    refresh(&mut db, user, 2);
    assert_eq!(told(&mut db).len(), 2);
    for days in ["-1", "3651", "x"] {
        let set = format!(
            "UPDATE crm_health.settings SET value = '{days}' WHERE name = 'alert_quiet_days'"
        );
        assert_eq!(db.error(&set).0, "23514", "{days}");
    }
}
