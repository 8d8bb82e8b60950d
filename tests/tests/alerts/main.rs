//! Alerts on deals: each shipped rule on both sides, and what becomes of an alert as time goes on.

mod harm;
mod life;
mod moments;

use crm_health_tests::database::error_of;
use crm_health_tests::scores::all_scores;
use crm_health_tests::session::{
    assert_refused_to_others, become_role, listen, refresh_twice_at_once,
};
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
fn numbers_stand_in_texts_that_read_right_for_any_number() {
    for days in [0, 1] {
        let (mut db, user, deal) = scored();
        let date = format!("expected_close_date = (now() AT TIME ZONE 'UTC')::date + {days}");
        Crm(&mut db).set(
            "deals",
            deal,
            &format!("{date}, name = 'Renewal', company = 'Acme'"),
        );
        db.query("DELETE FROM deal_meetings WHERE deal_id = $1", &[&deal]);
        refresh(&mut db, user, 0);
        let messages: Vec<String> = db.value(
            "SELECT array_agg(message ORDER BY alert_type) FROM deal_health_alerts",
            &[],
        );
        assert_eq!(
            messages,
            [
                format!(
                    "Renewal (Acme) is still in Opportunity. Days to the expected close date: {days}."
                ),
                "Meetings about Renewal with Acme in the last 30 days, booked ones included: 0."
                    .to_owned(),
            ]
        );
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
