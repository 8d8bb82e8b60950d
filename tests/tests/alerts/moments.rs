//! Deals that come and go, and scores as of other instants than now.

use super::*;

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

/// A user's deals, in Opportunity for so many days each, that were scored before there were rules; after one look of these.
fn scored_before_there_were_rules<const N: usize>(days: [f64; N]) -> (Database, Uuid, [Uuid; N]) {
    let mut db = Database::new();
    let user = Crm(&mut db).user(0.0);
    let deals = days.map(|days| Crm(&mut db).deal(user, "Opportunity", days));
    db.run("UPDATE deal_health_rules SET is_active = false");
    refresh(&mut db, user, 0);
    db.run("UPDATE deal_health_rules SET is_active = rule_type = 'days_in_current_stage', created_at = now()");
    refresh(&mut db, user, 0);
    (db, user, deals)
}

#[test]
fn rules_that_come_to_deals_long_scored_raise_what_they_find_and_tell_of_what_comes_after() {
    let (mut db, user, deals) = scored_before_there_were_rules([40.0, 40.0, 1.0]);
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
fn what_comes_after_a_first_look_that_found_nothing_is_told_of() {
    let (mut db, user, [deal]) = scored_before_there_were_rules([1.0]);
    assert_eq!(alerts(&mut db), json!([]));
    set_stage_days(&mut db, deal, 40.0);
    refresh(&mut db, user, 0);
    assert_eq!(alerts(&mut db), json!(["stage_stall critical active"]));
    assert_eq!(told(&mut db).len(), 1);
}

#[test]
fn what_comes_after_a_score_as_of_the_past_is_told_of() {
    let mut db = Database::new();
    let user = Crm(&mut db).user(0.0);
    let deal = Crm(&mut db).deal(user, "Opportunity", 1.0);
    db.run("UPDATE deal_health_rules SET is_active = rule_type = 'days_in_current_stage'");
    // The rules are there since today.
    refresh(&mut db, user, -10);
    set_stage_days(&mut db, deal, 40.0);
    refresh(&mut db, user, 0);
    assert_eq!(alerts(&mut db), json!(["stage_stall critical active"]));
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
