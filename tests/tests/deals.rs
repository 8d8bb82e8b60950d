//! What the score of a deal is made of, which deals are scored, and which meetings are theirs.

use crm_health_tests::{Crm, Database};
use serde_json::json;
use uuid::Uuid;

#[test]
fn a_deal_in_good_hands_scores_what_the_formulas_say() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, "SQL", 10.0);
    for (days_ago, sentiment) in [(2.0, 0.6), (10.0, 0.2), (20.0, 0.0)] {
        let meeting = crm.deal_meeting(user, deal, days_ago);
        crm.set(
            "meetings",
            meeting,
            &format!("sentiment_score = {sentiment}"),
        );
    }
    let answer = crm.deal_mail(user, deal, "inbound", 1.0);
    crm.set(
        "communication_events",
        answer,
        "sentiment_score = 0.3, response_time_hours = 6",
    );
    let mail = crm.deal_mail(user, deal, "outbound", 4.0);
    crm.set("communication_events", mail, "sentiment_score = 0.4");
    crm.activity(user, deal, 5.0);
    crm.activity(user, deal, 12.0);
    crm.refresh(user);
    assert_eq!(
        crm.deal_score(deal),
        json!({
            "deal_id": deal.to_string(), "user_id": user.to_string(),
            // 100 - 40 * (10 - 7) / (14 - 7) = 82.86
            "stage_velocity_score": 83, "days_in_current_stage": 10,
            // 50 * (1 + 0.3) + 10
            "sentiment_score": 75, "avg_sentiment_last_3_meetings": 0.3, "sentiment_trend": "improving",
            // 50 + 30 + 20 + 30
            "engagement_score": 100, "meeting_count_last_30_days": 3, "days_since_last_meeting": 2,
            // 50 + 20 + 20: two activities and two e-mails
            "activity_score": 90, "activity_count_last_30_days": 4, "days_since_last_activity": 1,
            "response_time_score": 80, "avg_response_time_hours": 6,
            // 24.9 + 18.75 + 20 + 13.5 + 8 = 85.15
            "overall_health_score": 85, "health_status": "healthy",
            "risk_factors": [], "risk_level": "low",
            "predicted_close_probability": 85, "predicted_days_to_close": null,
        })
    );
}

#[test]
fn a_neglected_deal_scores_what_the_formulas_say() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, "Verbal", 40.0);
    for (days_ago, sentiment) in [(35.0, -0.8), (50.0, -0.2), (60.0, -0.2)] {
        let meeting = crm.deal_meeting(user, deal, days_ago);
        crm.set(
            "meetings",
            meeting,
            &format!("sentiment_score = {sentiment}"),
        );
    }
    crm.deal_mail(user, deal, "outbound", 40.0);
    crm.refresh(user);
    assert_eq!(
        crm.deal_score(deal),
        json!({
            "deal_id": deal.to_string(), "user_id": user.to_string(),
            // 20 - (40 - 21) / 5 = 16.2
            "stage_velocity_score": 16, "days_in_current_stage": 40,
            // 50 * (1 - 0.4) - 15
            "sentiment_score": 15, "avg_sentiment_last_3_meetings": -0.4, "sentiment_trend": "declining",
            // 50 - 30
            "engagement_score": 20, "meeting_count_last_30_days": 0, "days_since_last_meeting": 35,
            // 50 - 30 - 40
            "activity_score": 0, "activity_count_last_30_days": 0, "days_since_last_activity": 40,
            "response_time_score": 70, "avg_response_time_hours": null,
            // 4.8 + 3.75 + 4 + 0 + 7 = 19.55
            "overall_health_score": 20, "health_status": "stalled",
            "risk_factors": [
                "stage_stalled_critical", "sentiment_declining", "negative_sentiment", "no_recent_meeting",
                "no_meetings_30_days", "no_recent_activity", "low_activity"
            ],
            "risk_level": "critical",
            "predicted_close_probability": 20, "predicted_days_to_close": null,
        })
    );
}

#[test]
fn a_deal_of_which_nothing_is_known_scores_what_the_formulas_say() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, "no such stage", 0.0);
    crm.set("deals", deal, "stage_changed_at = NULL, created_at = now() - interval '5 days', value = NULL, name = NULL");
    crm.refresh(user);
    assert_eq!(
        crm.deal_score(deal),
        json!({
            "deal_id": deal.to_string(), "user_id": user.to_string(),
            "stage_velocity_score": 100, "days_in_current_stage": 5,
            "sentiment_score": 50, "avg_sentiment_last_3_meetings": null, "sentiment_trend": "unknown",
            "engagement_score": 50, "meeting_count_last_30_days": 0, "days_since_last_meeting": null,
            // 50 - 30
            "activity_score": 20, "activity_count_last_30_days": 0, "days_since_last_activity": null,
            "response_time_score": 70, "avg_response_time_hours": null,
            // 30 + 12.5 + 10 + 3 + 7 = 62.5
            "overall_health_score": 63, "health_status": "warning",
            "risk_factors": ["no_meetings_30_days", "low_activity"], "risk_level": "medium",
            "predicted_close_probability": 63, "predicted_days_to_close": null,
        })
    );
}

#[test]
fn a_deal_with_a_booked_meeting_and_slow_answers_scores_what_the_formulas_say() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, "Opportunity", 30.0);
    crm.deal_meeting(user, deal, -5.0);
    for (days_ago, sentiment, hours) in [(3.0, 0.1, 30), (10.0, 0.5, 90)] {
        let mail = crm.deal_mail(user, deal, "inbound", days_ago);
        crm.set(
            "communication_events",
            mail,
            &format!("sentiment_score = {sentiment}, response_time_hours = {hours}"),
        );
    }
    crm.refresh(user);
    assert_eq!(
        crm.deal_score(deal),
        json!({
            "deal_id": deal.to_string(), "user_id": user.to_string(),
            // 60 - 40 * (30 - 21) / (45 - 21)
            "stage_velocity_score": 45, "days_in_current_stage": 30,
            // Two e-mails, but no meeting to set them beside: no trend.
            "sentiment_score": 65, "avg_sentiment_last_3_meetings": 0.3, "sentiment_trend": "unknown",
            // 50 + 15 + 10 + 30
            "engagement_score": 100, "meeting_count_last_30_days": 1, "days_since_last_meeting": -5,
            "activity_score": 90, "activity_count_last_30_days": 2, "days_since_last_activity": 3,
            // 30 - 60 / 10
            "response_time_score": 24, "avg_response_time_hours": 60,
            // 13.5 + 16.25 + 20 + 13.5 + 2.4 = 65.65
            "overall_health_score": 66, "health_status": "warning",
            "risk_factors": ["stage_stalled_critical", "slow_response_time"], "risk_level": "medium",
            "predicted_close_probability": 66, "predicted_days_to_close": null,
        })
    );
}

#[test]
fn only_active_deals_in_stages_that_are_not_final_are_scored() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    crm.0.run(
        "INSERT INTO deal_stages (name, is_final) VALUES ('Won elsewhere', true), ('Legal', false);
         UPDATE deal_stages SET is_final = false WHERE name IN ('Signed', 'Lost')",
    );
    let user = crm.user(0.0);
    let scored = ["SQL", "Legal"].map(|stage| crm.deal(user, stage, 5.0));
    for stage in ["Signed", "Lost", "Won elsewhere"] {
        crm.deal(user, stage, 5.0);
    }
    for status in ["won", "lost", "archived", "Active", ""] {
        let deal = crm.deal(user, "SQL", 5.0);
        crm.set("deals", deal, &format!("status = '{status}'"));
    }
    let mut rows: Vec<Uuid> = db
        .query(
            "SELECT deal_id FROM refresh_deal_health_scores($1, 0)",
            &[&user],
        )
        .iter()
        .map(|row| row.get(0))
        .collect();
    rows.sort();
    let mut expected = scored.to_vec();
    expected.sort();
    assert_eq!(rows, expected);
    assert_eq!(
        db.value::<i64>("SELECT count(*) FROM deal_health_scores", &[]),
        2
    );
}

#[test]
fn a_meeting_that_names_its_deal_twice_counts_once() {
    let mut db = Database::new();
    db.run("ALTER TABLE meetings ADD COLUMN deal_id uuid");
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, "SQL", 5.0);
    let both_ways = crm.deal_meeting(user, deal, 3.0);
    crm.set("meetings", both_ways, &format!("deal_id = '{deal}'"));
    let contact = crm.contact(user);
    let by_column = crm.meeting(user, contact, 4.0);
    crm.set("meetings", by_column, &format!("deal_id = '{deal}'"));
    crm.refresh(user);
    assert_eq!(crm.deal_score(deal)["meeting_count_last_30_days"], 2);
}

#[test]
fn without_a_link_a_deal_has_the_meetings_with_its_contact_since_it_began() {
    let mut db = Database::new();
    db.run("DROP TABLE deal_meetings");
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let colleague = crm.user(0.0);
    let contact = crm.contact(user);
    let other = crm.contact(user);
    let deal = crm.deal(user, "SQL", 5.0);
    crm.set(
        "deals",
        deal,
        &format!("primary_contact_id = '{contact}', created_at = now() - interval '20 days'"),
    );
    crm.meeting(user, contact, 4.0);
    crm.meeting(user, contact, 25.0); // before the deal
    crm.meeting(user, other, 1.0);
    crm.meeting(colleague, contact, 2.0);
    let guest = crm.meeting(user, other, 6.0);
    let twice = crm.meeting(user, contact, 8.0);
    for meeting in [guest, twice] {
        crm.0.query(
            "INSERT INTO meeting_contacts VALUES ($1, $2)",
            &[&meeting, &contact],
        );
    }
    crm.refresh(user);
    let score = crm.deal_score(deal);
    assert_eq!(score["meeting_count_last_30_days"], 3);
    assert_eq!(score["days_since_last_meeting"], 4);
}

#[test]
fn mail_of_a_deal_counts_once_and_not_before_it_came() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let colleague = crm.user(0.0);
    let deal = crm.deal(user, "SQL", 5.0);
    for _ in 0..2 {
        let mail = crm.deal_mail(user, deal, "inbound", 6.0);
        crm.set(
            "communication_events",
            mail,
            "external_source = 'gmail', external_id = 'one'",
        );
    }
    crm.deal_mail(user, deal, "outbound", -1.0);
    crm.deal_mail(colleague, deal, "inbound", 2.0);
    crm.activity(user, deal, -1.0);
    crm.activity(colleague, deal, 2.0);
    let call = crm.deal_mail(user, deal, "outbound", 3.0);
    crm.set("communication_events", call, "event_type = 'call_made'");
    crm.refresh(user);
    let score = crm.deal_score(deal);
    assert_eq!(
        json!([
            score["activity_count_last_30_days"],
            score["days_since_last_activity"]
        ]),
        json!([1, 6])
    );
}
