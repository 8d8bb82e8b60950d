//! Alerts on deals: each shipped rule on both sides, and what becomes of an alert as time goes on.

use crm_health_tests::database::error_of;
use crm_health_tests::scores::all_scores;
use crm_health_tests::session::{become_role, listen, pid, wait_for_lock};
use crm_health_tests::{Crm, Database};
use serde_json::{Value, json};
use uuid::Uuid;

/// A deal that no shipped rule has anything to say about.
fn quiet_deal(db: &mut Database, user: Uuid) -> Uuid {
    let mut crm = Crm(db);
    let deal = crm.deal(user, "Opportunity", 1.0);
    crm.activity(user, deal, 1.0);
    crm.deal_meeting(user, deal, 3.0);
    deal
}

/// A user with such a deal, scored once.
fn scored() -> (Database, Uuid, Uuid) {
    let mut db = Database::new();
    let user = Crm(&mut db).user(0.0);
    let deal = quiet_deal(&mut db, user);
    refresh(&mut db, user, 0);
    assert_eq!(alerts(&mut db), json!([]), "nothing to say of a quiet deal");
    (db, user, deal)
}

/// Scores all deals of the user as of so many days from now.
fn refresh(db: &mut Database, user: Uuid, days_ahead: i32) {
    db.query(
        "SELECT crm_health.refresh_deals(ARRAY[$1::uuid], 0, now() + $2::int4 * interval '1 day')",
        &[&user, &days_ahead],
    );
}

/// Type, severity and status of all alerts, the oldest first.
fn alerts(db: &mut Database) -> Value {
    db.value(
        "SELECT coalesce(jsonb_agg(concat_ws(' ', alert_type, severity, status) ORDER BY created_at, alert_type), '[]')
         FROM deal_health_alerts",
        &[],
    )
}

fn told(db: &mut Database) -> Vec<Value> {
    db.query(
        "SELECT to_jsonb(n) FROM crm_health.notifications n WHERE kind = 'alert_raised' ORDER BY id",
        &[],
    )
    .iter()
    .map(|row| row.get(0))
    .collect()
}

fn alert_id(db: &mut Database) -> Uuid {
    db.value(
        "SELECT id FROM deal_health_alerts ORDER BY created_at DESC LIMIT 1",
        &[],
    )
}

fn set_stage_days(db: &mut Database, deal: Uuid, days: f64) {
    Crm(db).set(
        "deals",
        deal,
        &format!("stage_changed_at = now() - {days} * interval '1 day'"),
    );
}

#[test]
fn each_shipped_rule_raises_at_its_threshold_and_not_before() {
    // (what is done to a quiet deal `$1` of a user `$2`, the alerts that follow)
    let cases: [(&str, &[&str]); 17] = [
        ("UPDATE deals SET stage_changed_at = now() - interval '13.9 days' WHERE id = $1", &[]),
        ("UPDATE deals SET stage_changed_at = now() - interval '14 days' WHERE id = $1", &["stage_stall warning active"]),
        ("UPDATE deals SET stage_changed_at = now() - interval '29.9 days' WHERE id = $1", &["stage_stall warning active"]),
        ("UPDATE deals SET stage_changed_at = now() - interval '30 days' WHERE id = $1", &["stage_stall critical active"]),
        ("UPDATE activities SET created_at = now() - interval '6.9 days' WHERE deal_id = $1", &[]),
        ("UPDATE activities SET created_at = now() - interval '7 days' WHERE deal_id = $1", &["no_activity warning active"]),
        ("UPDATE activities SET created_at = now() - interval '13.9 days' WHERE deal_id = $1", &["no_activity warning active"]),
        ("UPDATE activities SET created_at = now() - interval '14 days' WHERE deal_id = $1", &["no_activity critical active"]),
        ("DELETE FROM deal_meetings WHERE deal_id = $1", &["engagement_decline warning active"]),
        ("DELETE FROM activities WHERE deal_id = $1", &[]),
        ("INSERT INTO communication_events (user_id, deal_id, event_type, direction, event_timestamp, response_time_hours)
          SELECT d.owner_id, d.id, 'email_received', 'inbound', now() - interval '1 hour', 48 FROM deals d WHERE d.id = $1", &[]),
        ("INSERT INTO communication_events (user_id, deal_id, event_type, direction, event_timestamp, response_time_hours)
          SELECT d.owner_id, d.id, 'email_received', 'inbound', now() - interval '1 hour', 48.5 FROM deals d WHERE d.id = $1",
         &["missed_follow_up info active"]),
        ("UPDATE deals SET expected_close_date = (now() AT TIME ZONE 'UTC')::date + 8 WHERE id = $1", &[]),
        ("UPDATE deals SET expected_close_date = (now() AT TIME ZONE 'UTC')::date + 7 WHERE id = $1", &["close_date_approaching warning active"]),
        ("UPDATE deals SET expected_close_date = (now() AT TIME ZONE 'UTC')::date WHERE id = $1", &["close_date_approaching warning active"]),
        ("UPDATE deals SET expected_close_date = (now() AT TIME ZONE 'UTC')::date - 1 WHERE id = $1", &[]),
        ("UPDATE deals SET expected_close_date = 'infinity' WHERE id = $1", &[]),
    ];
    for (change, expected) in cases {
        let (mut db, user, deal) = scored();
        db.query(change, &[&deal]);
        refresh(&mut db, user, 0);
        assert_eq!(alerts(&mut db), json!(expected), "{change}");
    }
}

#[test]
fn falling_sentiment_is_an_alert() {
    let (mut db, user, deal) = scored();
    let mut crm = Crm(&mut db);
    crm.deal_meeting(user, deal, 4.0);
    crm.0.run("UPDATE meetings SET sentiment_score = 0.5");
    let newest = crm.deal_meeting(user, deal, 2.0);
    crm.set("meetings", newest, "sentiment_score = 0.45");
    refresh(&mut db, user, 0);
    assert_eq!(alerts(&mut db), json!([]), "0.05 less is steady");
    Crm(&mut db).set("meetings", newest, "sentiment_score = -0.2");
    refresh(&mut db, user, 0);
    assert_eq!(alerts(&mut db), json!(["sentiment_drop warning active"]));
    let message: String = db.value("SELECT message FROM deal_health_alerts", &[]);
    assert!(message.contains("sentiment is now +0.27"), "{message}");
}

#[test]
fn an_alert_says_what_where_and_what_to_do_and_is_told_once() {
    let (mut db, user, deal) = scored();
    Crm(&mut db).set("deals", deal, "name = 'Renewal', company = 'Acme'");
    set_stage_days(&mut db, deal, 30.2);
    refresh(&mut db, user, 0);
    let alert: Value = db.value("SELECT to_jsonb(a) FROM deal_health_alerts a", &[]);
    let score: Uuid = db.value("SELECT id FROM deal_health_scores", &[]);
    for (key, value) in [
        ("deal_id", json!(deal.to_string())),
        ("user_id", json!(user.to_string())),
        ("health_score_id", json!(score.to_string())),
        (
            "title",
            json!("Renewal: no progress in its stage (critical)"),
        ),
        (
            "message",
            json!("Renewal (Acme) has not left Opportunity for 30 days."),
        ),
        (
            "suggested_actions",
            json!([
                "Speak with whoever decides at Acme",
                "Close the deal, or move it back to where it is"
            ]),
        ),
        ("action_priority", json!("urgent")),
        (
            "metadata",
            json!({"rule_name": "Stage stall, critical", "said": alert["metadata"]["said"]}),
        ),
        ("resolved_at", Value::Null),
    ] {
        assert_eq!(alert[key], value, "{key}");
    }
    let notices = told(&mut db);
    assert_eq!(notices.len(), 1);
    let notice = &notices[0];
    assert_eq!(notice["subject_type"], "deal");
    assert_eq!(notice["subject_id"], deal.to_string());
    assert_eq!(notice["user_id"], user.to_string());
    assert_eq!(notice["severity"], "critical");
    assert_eq!(notice["title"], alert["title"]);
    assert_eq!(notice["detail"], alert["message"]);
    assert_eq!(
        notice["next_step"],
        "Speak with whoever decides at Acme\nClose the deal, or move it back to where it is"
    );
    assert_eq!(
        notice["data"],
        json!({"alert_id": alert["id"], "alert_type": "stage_stall", "rule_name": "Stage stall, critical"})
    );
    refresh(&mut db, user, 0);
    assert_eq!(told(&mut db).len(), 1, "and not again");
}

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

#[test]
fn a_deal_that_leaves_takes_its_alerts_along() {
    for leaving in [
        "UPDATE deals SET status = 'won' WHERE id = $1",
        "UPDATE deals SET stage_id = (SELECT id FROM deal_stages WHERE name = 'Signed') WHERE id = $1",
    ] {
        for last_of_user in [true, false] {
            let (mut db, user, deal) = scored();
            if !last_of_user {
                quiet_deal(&mut db, user);
            }
            set_stage_days(&mut db, deal, 31.0);
            refresh(&mut db, user, 0);
            assert_eq!(alerts(&mut db), json!(["stage_stall critical active"]));
            db.query(leaving, &[&deal]);
            if last_of_user {
                // Nothing is stale, and yet there is something to do.
                db.query("SELECT refresh_deal_health_scores($1)", &[&user]);
            } else {
                refresh(&mut db, user, 0);
            }
            assert_eq!(
                alerts(&mut db),
                json!(["stage_stall critical resolved"]),
                "{leaving}"
            );
            assert_eq!(told(&mut db).len(), 1);
        }
    }
    let (mut db, user, deal) = scored();
    set_stage_days(&mut db, deal, 31.0);
    refresh(&mut db, user, 0);
    db.query("DELETE FROM deals WHERE id = $1", &[&deal]);
    assert_eq!(alerts(&mut db), json!([]));
}

#[test]
fn a_deal_that_changes_hands_takes_its_alert_to_the_new_owner() {
    let (mut db, user, deal) = scored();
    set_stage_days(&mut db, deal, 31.0);
    refresh(&mut db, user, 0);
    let other = Crm(&mut db).user(0.0);
    Crm(&mut db).set("deals", deal, &format!("owner_id = '{other}'"));
    db.query("UPDATE activities SET user_id = $1", &[&other]);
    db.query("UPDATE meetings SET owner_user_id = $1", &[&other]);
    refresh(&mut db, other, 0);
    let owners: Vec<Uuid> = db
        .query(
            "SELECT user_id FROM deal_health_alerts WHERE status = 'active'",
            &[],
        )
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(owners, [other]);
    let notices = told(&mut db);
    assert_eq!(notices.len(), 2);
    assert_eq!(notices[1]["user_id"], other.to_string());
    refresh(&mut db, user, 0);
    assert_eq!(alerts(&mut db), json!(["stage_stall critical active"]));
}

#[test]
fn what_a_first_score_finds_is_raised_and_told_to_nobody() {
    let mut db = Database::new();
    let user = Crm(&mut db).user(0.0);
    for _ in 0..20 {
        Crm(&mut db).deal(user, "SQL", 100.0);
    }
    refresh(&mut db, user, 0);
    let raised: i64 = db.value(
        "SELECT count(*) FROM deal_health_alerts WHERE alert_type = 'stage_stall'",
        &[],
    );
    assert_eq!(raised, 20);
    let told: i64 = db.value("SELECT count(*) FROM crm_health.notifications", &[]);
    assert_eq!(told, 0);
}

#[test]
fn rules_that_come_to_deals_long_scored_raise_what_they_find_and_tell_of_what_comes_after() {
    let mut db = Database::new();
    let user = Crm(&mut db).user(0.0);
    let deals = [40.0, 40.0, 1.0].map(|days| Crm(&mut db).deal(user, "Opportunity", days));
    db.run("UPDATE deal_health_rules SET is_active = rule_type = 'days_in_current_stage', created_at = now() + interval '1 hour'");
    db.run("UPDATE deal_health_rules SET is_active = false");
    refresh(&mut db, user, 0);
    db.run("UPDATE deal_health_rules SET is_active = rule_type = 'days_in_current_stage'");
    refresh(&mut db, user, 0);
    assert_eq!(
        alerts(&mut db),
        json!(["stage_stall critical active", "stage_stall critical active"])
    );
    assert!(told(&mut db).is_empty());
    set_stage_days(&mut db, deals[2], 20.0);
    refresh(&mut db, user, 0);
    assert_eq!(told(&mut db).len(), 1);
}

#[test]
fn a_score_as_of_an_earlier_instant_raises_resolves_and_tells_nothing() {
    let (mut db, user, deal) = scored();
    set_stage_days(&mut db, deal, 15.0);
    refresh(&mut db, user, 0);
    assert_eq!(alerts(&mut db), json!(["stage_stall warning active"]));
    refresh(&mut db, user, -10);
    assert_eq!(
        alerts(&mut db),
        json!(["stage_stall warning active"]),
        "not resolved by the past"
    );
    set_stage_days(&mut db, deal, 45.0);
    refresh(&mut db, user, -11);
    assert_eq!(
        alerts(&mut db),
        json!(["stage_stall warning active"]),
        "not worsened by the past"
    );
    assert_eq!(told(&mut db).len(), 1);
    refresh(&mut db, user, 0);
    assert_eq!(alerts(&mut db), json!(["stage_stall critical active"]));
}

#[test]
fn what_was_as_of_a_past_instant_is_raised_where_no_score_is_newer() {
    let mut db = Database::new();
    let user = Crm(&mut db).user(0.0);
    Crm(&mut db).deal(user, "SQL", 100.0);
    refresh(&mut db, user, -60);
    let raised: String = db.value(
        "SELECT concat(severity, ' ', round(extract(epoch FROM now() - created_at) / 86400)) FROM deal_health_alerts
         WHERE alert_type = 'stage_stall'",
        &[],
    );
    assert_eq!(raised, "critical 60");
}

#[test]
fn ten_thousand_alerts_are_raised_in_one_refresh_and_again_changed_in_one() {
    let mut db = Database::new();
    let user = Crm(&mut db).user(0.0);
    db.query(
        "INSERT INTO deals (owner_id, name, value, status, stage_id, created_at, stage_changed_at)
         SELECT $1, 'Deal ' || n, n, 'active', (SELECT id FROM deal_stages WHERE name = 'SQL'), now(), now()
         FROM generate_series(1, 10000) n",
        &[&user],
    );
    db.run("UPDATE deal_health_rules SET is_active = rule_type = 'days_in_current_stage'");
    refresh(&mut db, user, 0);
    let count = "SELECT concat_ws(' ', count(*), count(DISTINCT deal_id), min(severity), min(status)) FROM deal_health_alerts";
    refresh(&mut db, user, 15);
    assert_eq!(db.value::<String>(count, &[]), "10000 10000 warning active");
    let told = "SELECT count(DISTINCT data ->> 'alert_id') FROM crm_health.notifications WHERE kind = 'alert_raised' AND severity = $1";
    assert_eq!(db.value::<i64>(told, &[&"warning"]), 10_000);
    refresh(&mut db, user, 40);
    assert_eq!(
        db.value::<String>(count, &[]),
        "10000 10000 critical active"
    );
    assert_eq!(db.value::<i64>(told, &[&"critical"]), 10_000);
    db.run("UPDATE deals SET stage_changed_at = now() + interval '39 days'");
    refresh(&mut db, user, 40);
    assert_eq!(
        db.value::<String>(count, &[]),
        "10000 10000 critical resolved"
    );
}

#[test]
fn names_are_kept_to_the_letter_whatever_is_in_them() {
    for name in [
        "{company} {deal_name} {{x}} }{",
        "<script>alert(1)</script>",
        "'; DROP TABLE deals; --",
        "\" \\ \u{1} \n 😀 %s $1",
    ] {
        let (mut db, user, deal) = scored();
        db.query(
            "UPDATE deals SET name = $2, company = '{deal_name}' WHERE id = $1",
            &[&deal, &name],
        );
        set_stage_days(&mut db, deal, 15.0);
        refresh(&mut db, user, 0);
        let message: String = db.value("SELECT message FROM deal_health_alerts", &[]);
        assert_eq!(
            message,
            format!("{name} ({{deal_name}}) has been in Opportunity for 15 days.")
        );
        let title: String = db.value("SELECT title FROM crm_health.notifications", &[]);
        assert_eq!(title, format!("{name}: no progress in its stage"));
    }
}

#[test]
fn two_refreshes_at_once_raise_one_alert() {
    let (mut db, user, deal) = scored();
    set_stage_days(&mut db, deal, 15.0);
    let mut first = db.session();
    let mut work = first.transaction().expect("a transaction");
    let refresh = "SELECT crm_health.refresh_deals(ARRAY[$1::uuid], 0)";
    work.query(refresh, &[&user]).expect("the first");
    let mut second = db.session();
    let waiting = pid(&mut second);
    let other = std::thread::spawn(move || second.query(refresh, &[&user]).map(|_| ()));
    wait_for_lock(db.client(), waiting);
    work.commit().expect("the commit");
    other.join().expect("the thread").expect("the second");
    assert_eq!(alerts(&mut db), json!(["stage_stall warning active"]));
    assert_eq!(told(&mut db).len(), 1);
}

#[test]
fn one_is_acknowledged_and_dismissed_by_its_owner_and_trusted_roles_only() {
    let (mut db, user, deal) = scored();
    set_stage_days(&mut db, deal, 15.0);
    refresh(&mut db, user, 0);
    let id = alert_id(&mut db);
    let mut session = db.session();
    for function in ["acknowledge_alert", "dismiss_alert"] {
        let call = format!("SELECT crm_health.{function}('{id}')");
        for (role, subject) in [
            ("authenticated", Some(Uuid::new_v4().to_string())),
            ("authenticated", None),
            ("anon", Some(user.to_string())),
        ] {
            become_role(&mut session, role, subject.as_deref());
            assert_eq!(error_of(&mut session, &call).0, "42501", "{role}: {call}");
        }
    }
    assert_eq!(alerts(&mut db), json!(["stage_stall warning active"]));
    become_role(&mut session, "authenticated", Some(&user.to_string()));
    let call = "SELECT crm_health.acknowledge_alert($1)";
    let status: String = session.query_one(call, &[&id]).expect("one's own").get(0);
    assert_eq!(status, "acknowledged");
    let by: Uuid = db.value(
        "SELECT acknowledged_by FROM deal_health_alerts WHERE acknowledged_at IS NOT NULL",
        &[],
    );
    assert_eq!(by, user);
    become_role(&mut session, "service_role", None);
    let dismiss = "SELECT crm_health.dismiss_alert($1)";
    let status: String = session.query_one(dismiss, &[&id]).expect("anyone's").get(0);
    assert_eq!(status, "dismissed");
    // What is dismissed is not made louder, and what is over stays over.
    let status: String = session.query_one(call, &[&id]).expect("idempotent").get(0);
    assert_eq!(status, "dismissed");
    db.run("UPDATE deal_health_alerts SET status = 'resolved'");
    for call in [call, dismiss] {
        let status: String = session.query_one(call, &[&id]).expect("idempotent").get(0);
        assert_eq!(status, "resolved");
    }
    let (code, message, hint) = error_of(
        &mut session,
        "SELECT crm_health.dismiss_alert('00000000-0000-0000-0000-000000000001')",
    );
    assert_eq!(code, "P0002", "{message}");
    assert!(
        message.contains("00000000-0000-0000-0000-000000000001"),
        "{message}"
    );
    assert!(hint.contains("SELECT"), "{hint}");
    let none = session
        .query_one("SELECT crm_health.dismiss_alert(NULL)", &[])
        .expect("NULL");
    assert_eq!(none.get::<_, Option<String>>(0), None);
}

#[test]
fn without_the_tables_of_alerts_or_rules_scores_are_what_they_are() {
    let (mut db, user, deal) = scored();
    set_stage_days(&mut db, deal, 31.0);
    let expected = {
        refresh(&mut db, user, 0);
        all_scores(&mut db)
    };
    for damage in [
        "DROP TABLE deal_health_rules",
        "DROP TABLE deal_health_alerts",
        "ALTER TABLE deal_health_alerts DROP COLUMN message",
        "DROP TABLE deal_health_alerts; CREATE VIEW deal_health_alerts AS SELECT 1 AS id",
        "ALTER TABLE deal_health_rules DROP COLUMN rule_type",
    ] {
        db.run(&format!("BEGIN; {damage}"));
        refresh(&mut db, user, 0);
        assert_eq!(all_scores(&mut db), expected, "{damage}");
        db.run("ROLLBACK");
    }
}

#[test]
fn a_table_of_alerts_that_cannot_be_written_is_warned_of() {
    let (mut db, user, _) = scored();
    db.run("ALTER TABLE deal_health_alerts DROP COLUMN message");
    let (mut session, notices) = listen(&db.url());
    session
        .query(
            "SELECT crm_health.refresh_deals(ARRAY[$1::uuid], 0)",
            &[&user],
        )
        .expect("a refresh");
    let warnings = notices.of("WARNING");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].starts_with(
            "no alerts are raised: table \"public.deal_health_alerts\" has no column \"message\""
        ),
        "{warnings:?}"
    );
}
