//! A status that turns bad is told of once, when it does.

use crm_health_tests::{Crm, Database};
use serde_json::{Value, json};
use uuid::Uuid;

fn told(db: &mut Database, kind: &str) -> Vec<Value> {
    db.query(
        "SELECT to_jsonb(n) FROM crm_health.notifications n WHERE kind = $1 ORDER BY id",
        &[&kind],
    )
    .iter()
    .map(|row| row.get(0))
    .collect()
}

/// What the refresh made of the deal: `status told`.
fn refresh_deals(db: &mut Database, user: Uuid) -> String {
    db.query("SELECT refresh_deal_health_scores($1, 0)", &[&user]);
    db.value("SELECT health_status FROM deal_health_scores", &[])
}

/// A deal in the best of health, scored.
fn healthy_deal(db: &mut Database) -> (Uuid, Uuid) {
    let mut crm = Crm(db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, "Opportunity", 1.0);
    for days in [1.0, 2.0, 3.0, 4.0] {
        crm.activity(user, deal, days);
        crm.deal_meeting(user, deal, days);
    }
    crm.set("deals", deal, "name = 'Renewal'");
    assert_eq!(refresh_deals(db, user), "healthy");
    (user, deal)
}

#[test]
fn a_deal_that_turns_critical_and_stalls_is_told_of_each_time_with_the_reasons() {
    let mut db = Database::new();
    let (user, deal) = healthy_deal(&mut db);
    assert!(told(&mut db, "deal_status").is_empty());
    db.run(
        "DELETE FROM deal_meetings; DELETE FROM activities;
         UPDATE deals SET stage_changed_at = now() - interval '25 days'",
    );
    assert_eq!(refresh_deals(&mut db, user), "critical");
    let notices = told(&mut db, "deal_status");
    assert_eq!(notices.len(), 1);
    let notice = &notices[0];
    assert_eq!(notice["title"], "Renewal: turned critical");
    assert_eq!(notice["severity"], "warning");
    assert_eq!(notice["user_id"], user.to_string());
    assert_eq!(
        (&notice["subject_type"], &notice["subject_id"]),
        (&json!("deal"), &json!(deal.to_string()))
    );
    assert_eq!(notice["data"]["status"], "critical");
    assert_eq!(notice["data"]["previous"], "healthy");
    let detail = notice["detail"].as_str().expect("a detail");
    let score = &notice["data"]["health_score"];
    assert!(
        detail.starts_with(&format!("Score {score}. ")) && detail.contains("25 days"),
        "{detail}"
    );
    assert!(!notice["next_step"].as_str().expect("a step").is_empty());

    assert_eq!(refresh_deals(&mut db, user), "critical");
    assert_eq!(told(&mut db, "deal_status").len(), 1, "once");

    db.run("UPDATE deals SET stage_changed_at = now() - interval '200 days'");
    Crm(&mut db).deal_mail(user, deal, "inbound", 1.0);
    db.run("UPDATE communication_events SET sentiment_score = -1, response_time_hours = 900");
    assert_eq!(refresh_deals(&mut db, user), "stalled");
    let notices = told(&mut db, "deal_status");
    assert_eq!(notices.len(), 2);
    assert_eq!(notices[1]["title"], "Renewal: the deal has stalled");
    assert_eq!(notices[1]["severity"], "critical");
    assert_eq!(notices[1]["data"]["previous"], "critical");

    db.run("DELETE FROM communication_events; UPDATE deals SET stage_changed_at = now() - interval '25 days'");
    assert_eq!(refresh_deals(&mut db, user), "critical");
    assert_eq!(told(&mut db, "deal_status").len(), 2, "better is no news");
}

#[test]
fn what_is_rolled_back_is_not_told() {
    let mut db = Database::new();
    let (user, _) = healthy_deal(&mut db);
    db.run("DELETE FROM deal_meetings; DELETE FROM activities; UPDATE deals SET stage_changed_at = now() - interval '25 days'");
    db.run("BEGIN");
    assert_eq!(refresh_deals(&mut db, user), "critical");
    db.run("ROLLBACK");
    assert!(told(&mut db, "deal_status").is_empty());
    assert_eq!(refresh_deals(&mut db, user), "critical");
    assert_eq!(told(&mut db, "deal_status").len(), 1);
}

#[test]
fn a_first_score_is_no_news_however_bad() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    crm.deal(user, "SQL", 300.0);
    crm.company_contact(user);
    crm.refresh(user);
    let bad: i64 = db.value(
        "SELECT count(*) FROM deal_health_scores WHERE health_status IN ('critical', 'stalled')",
        &[],
    );
    assert_eq!(bad, 1);
    let told: i64 = db.value("SELECT count(*) FROM crm_health.notifications", &[]);
    assert_eq!(told, 0);
}

#[test]
fn a_contact_that_goes_silent_is_told_of_as_a_ghost() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    crm.ghost_by_rules();
    let user = crm.user(0.0);
    let (company, contact) = crm.company_contact(user);
    crm.set("contacts", contact, "full_name = 'Ada <Park>'");
    for days in [1.0, 2.0, 3.0, 5.0, 8.0, 9.0, 11.0, 12.0] {
        crm.received(user, contact, days);
    }
    crm.refresh(user);
    let before = crm.contact_score(contact)["health_status"].clone();
    assert_ne!(before, "ghost");
    db.run(
        "UPDATE communication_events SET event_timestamp = event_timestamp - interval '20 days'",
    );
    Crm(&mut db).refresh(user);
    assert_eq!(
        Crm(&mut db).contact_score(contact)["health_status"],
        "ghost"
    );
    let notices = told(&mut db, "relationship_status");
    let of = |kind: &str| -> Vec<&Value> {
        notices
            .iter()
            .filter(|notice| notice["subject_type"] == kind)
            .collect()
    };
    assert_eq!(of("contact").len(), 1, "{notices:?}");
    let notice = of("contact")[0];
    assert_eq!(
        notice["title"],
        "Ada <Park>: likely to send nothing any more"
    );
    assert_eq!(notice["severity"], "critical");
    assert_eq!(notice["subject_id"], contact.to_string());
    assert_eq!(notice["data"]["previous"], before);
    assert_eq!(
        of("company").len(),
        1,
        "and the company that nobody else is at"
    );
    assert_eq!(of("company")[0]["subject_id"], company.to_string());
    assert_eq!(
        of("company")[0]["title"],
        "Company: likely to send nothing any more"
    );
    Crm(&mut db).refresh(user);
    assert_eq!(told(&mut db, "relationship_status").len(), 2, "once");
}

#[test]
fn an_unnamed_contact_is_told_of_by_address_and_an_unnamed_deal_as_that() {
    let mut db = Database::new();
    let (user, _) = healthy_deal(&mut db);
    db.run("UPDATE deals SET name = '  ', stage_changed_at = now() - interval '25 days'; DELETE FROM deal_meetings; DELETE FROM activities");
    assert_eq!(refresh_deals(&mut db, user), "critical");
    assert_eq!(
        told(&mut db, "deal_status")[0]["title"],
        "Unnamed deal: turned critical"
    );
}

#[test]
fn a_score_as_of_an_earlier_instant_tells_nothing() {
    let mut db = Database::new();
    let (user, _) = healthy_deal(&mut db);
    // Nothing had happened yet by then.
    db.query(
        "SELECT crm_health.refresh_deals(ARRAY[$1::uuid], 0, now() - interval '10 days')",
        &[&user],
    );
    let status: String = db.value("SELECT health_status FROM deal_health_scores", &[]);
    assert_ne!(status, "healthy");
    assert!(told(&mut db, "deal_status").is_empty());
}
