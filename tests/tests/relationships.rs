//! What the score of a contact or a company is made of, and which events count for it.

use crm_health_tests::{Crm, Database};
use serde_json::json;

#[test]
fn an_engaged_contact_scores_what_the_formulas_say() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    crm.ghost_by_rules();
    let user = crm.user(0.0);
    let contact = crm.contact(user);
    let answered = crm.sent(user, contact, 2.0);
    crm.set(
        "communication_events",
        answered,
        "was_replied = true, was_opened = true, sentiment_score = 0.2, subject = 'Offer'",
    );
    let opened = crm.sent(user, contact, 12.0);
    crm.set("communication_events", opened, "was_opened = true");
    crm.sent(user, contact, 22.0);
    for (days_ago, change) in [
        (1.0, "response_time_hours = 12, sentiment_score = 0.4"),
        (11.0, "response_time_hours = 12"),
        (41.0, "response_time_hours = 6"),
    ] {
        let mail = crm.received(user, contact, days_ago);
        crm.set("communication_events", mail, change);
    }
    for (days_ago, sentiment) in [(9.0, 0.5), (33.0, 0.1)] {
        let meeting = crm.meeting(user, contact, days_ago);
        crm.set(
            "meetings",
            meeting,
            &format!("sentiment_score = {sentiment}"),
        );
    }
    let deal = crm.deal(user, "SQL", 5.0);
    crm.set("deals", deal, &format!("primary_contact_id = '{contact}'"));
    crm.refresh(user);
    let mut score = crm.contact_score(contact);
    let last = score["last_meaningful_interaction"].take();
    assert_eq!(
        (&last["type"], &last["direction"], &last["subject"]),
        (&json!("email_sent"), &json!("outbound"), &json!("Offer"))
    );
    let same_instant: bool = crm.0.value(
        "SELECT ($1::jsonb ->> 'date')::timestamptz = event_timestamp FROM communication_events WHERE id = $2",
        &[&last, &answered],
    );
    assert!(same_instant, "{last}");
    assert_eq!(
        score,
        json!({
            "user_id": user.to_string(), "relationship_type": "contact", "contact_id": contact.to_string(), "company_id": null,
            // 5 in 30 days against one every (41 - 1) / 5 = 8 days
            "communication_frequency_score": 100, "baseline_contact_frequency_days": 8,
            "total_interactions_30_days": 5, "email_count_30_days": 5,
            "days_since_last_contact": 1, "days_since_last_response": 1,
            // 50 + 10 + 30: 1 of 3 answered; 12 hours against (12 + 12 + 6) / 3
            "response_behavior_score": 90, "response_rate_percent": 33,
            "avg_response_time_hours": 12, "baseline_response_time_hours": 10,
            // 50 + 20 + 10 + 15
            "engagement_quality_score": 95, "email_open_rate_percent": 67, "meeting_count_30_days": 1,
            // 50 * 1.3: the newest, 0.4, against the mean of 0.2 and 0.5
            "sentiment_score": 65, "avg_sentiment_last_3_interactions": 0.3, "sentiment_trend": "stable",
            // 1 in 30 days against one every 24 days: 0.8
            "meeting_pattern_score": 75, "baseline_meeting_frequency_days": 24,
            // 25 + 27 + 19 + 9.75 + 7.5 = 88.25
            "overall_health_score": 88, "health_status": "healthy",
            "risk_factors": [], "risk_level": "low",
            "is_ghost_risk": false, "ghost_signals": [], "ghost_probability_percent": null,
            "days_until_predicted_ghost": null, "last_meaningful_interaction": null,
            "related_deals_count": 1, "total_deal_value": 1000.0, "at_risk_deal_value": 0,
        })
    );
}

#[test]
fn a_contact_who_went_silent_scores_what_the_formulas_say() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    crm.ghost_by_rules();
    let user = crm.user(0.0);
    let contact = crm.contact(user);
    let other = crm.contact(user);
    let tracked = crm.sent(user, other, 20.0);
    crm.set("communication_events", tracked, "was_opened = true");
    let answer = crm.received(user, contact, 50.0);
    crm.set("communication_events", answer, "response_time_hours = 2");
    for days_ago in [45.0, 10.0, 5.0] {
        crm.sent(user, contact, days_ago);
    }
    let newest = crm.sent(user, contact, 2.0);
    crm.set("communication_events", newest, "subject = 'Still there?'");
    for (stage, days, value) in [("SQL", 300.0, 3000), ("SQL", 5.0, 1000)] {
        let deal = crm.deal(user, stage, days);
        crm.set(
            "deals",
            deal,
            &format!("primary_contact_id = '{contact}', value = {value}"),
        );
        if days > 100.0 {
            crm.deal_mail(user, deal, "outbound", 100.0);
        }
    }
    crm.refresh(user);
    assert_eq!(
        crm.contact_score(contact),
        json!({
            "user_id": user.to_string(), "relationship_type": "contact", "contact_id": contact.to_string(), "company_id": null,
            // 3 in 30 days against one every (50 - 2) / 4 = 12 days
            "communication_frequency_score": 100, "baseline_contact_frequency_days": 12,
            "total_interactions_30_days": 3, "email_count_30_days": 3,
            "days_since_last_contact": 2, "days_since_last_response": 50,
            "response_behavior_score": 50, "response_rate_percent": 0,
            "avg_response_time_hours": null, "baseline_response_time_hours": 2,
            "engagement_quality_score": 50, "email_open_rate_percent": 0, "meeting_count_30_days": 0,
            "sentiment_score": 50, "avg_sentiment_last_3_interactions": null, "sentiment_trend": "unknown",
            "meeting_pattern_score": 25, "baseline_meeting_frequency_days": null,
            // 25 + 15 + 10 + 7.5 + 2.5
            "overall_health_score": 60, "health_status": "ghost",
            "risk_factors": ["low_response_rate", "no_response_14_days", "email_opens_stopped", "majority_deals_at_risk"],
            "risk_level": "critical",
            "is_ghost_risk": true, "ghost_probability_percent": 60, "days_until_predicted_ghost": null,
            "ghost_signals": [{
                "signal_type": "email_no_response", "severity": "critical",
                "signal_context": "3 e-mails of the last 14 days without a reply, the newest 2 days ago.",
                "signal_data": {"unreplied_count": 3, "days_since_last_email": 2, "last_email_subject": "Still there?"},
            }],
            "last_meaningful_interaction": null,
            "related_deals_count": 2, "total_deal_value": 4000.0, "at_risk_deal_value": 3000.0,
        })
    );
}

#[test]
fn a_contact_never_spoken_to_scores_what_the_formulas_say() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    crm.ghost_by_rules();
    let user = crm.user(0.0);
    let contact = crm.contact(user);
    crm.refresh(user);
    assert_eq!(
        crm.contact_score(contact),
        json!({
            "user_id": user.to_string(), "relationship_type": "contact", "contact_id": contact.to_string(), "company_id": null,
            "communication_frequency_score": 0, "baseline_contact_frequency_days": null,
            "total_interactions_30_days": 0, "email_count_30_days": 0,
            "days_since_last_contact": null, "days_since_last_response": null,
            "response_behavior_score": 50, "response_rate_percent": null,
            "avg_response_time_hours": null, "baseline_response_time_hours": null,
            "engagement_quality_score": 50, "email_open_rate_percent": null, "meeting_count_30_days": 0,
            "sentiment_score": 50, "avg_sentiment_last_3_interactions": null, "sentiment_trend": "unknown",
            "meeting_pattern_score": 25, "baseline_meeting_frequency_days": null,
            // 0 + 15 + 10 + 7.5 + 2.5
            "overall_health_score": 35, "health_status": "critical",
            "risk_factors": ["low_communication_frequency"], "risk_level": "high",
            "is_ghost_risk": false, "ghost_probability_percent": null, "days_until_predicted_ghost": null,
            "ghost_signals": [], "last_meaningful_interaction": null,
            "related_deals_count": 0, "total_deal_value": 0, "at_risk_deal_value": 0,
        })
    );
}

#[test]
fn a_company_has_the_events_of_its_contacts_and_its_own_each_once() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let (company, first) = crm.company_contact(user);
    let second = crm.contact(user);
    crm.set("contacts", second, &format!("company_id = '{company}'"));
    crm.received(user, first, 3.0);
    crm.sent(user, second, 6.0);
    let its_own = crm.received(user, first, 9.0);
    crm.set(
        "communication_events",
        its_own,
        &format!("contact_id = NULL, company_id = '{company}'"),
    );
    let both = crm.sent(user, first, 12.0);
    crm.set(
        "communication_events",
        both,
        &format!("company_id = '{company}'"),
    );
    for contact in [first, second] {
        let mail = crm.sent(user, contact, 15.0);
        crm.set(
            "communication_events",
            mail,
            "external_source = 'gmail', external_id = 'to-both'",
        );
    }
    let outsider = crm.contact(user);
    crm.received(user, outsider, 1.0);
    let colleague = crm.user(0.0);
    crm.received(colleague, first, 1.0);
    crm.refresh(user);
    let score = crm.company_score(user, company);
    assert_eq!(
        json!([
            score["relationship_type"],
            score["contact_id"],
            score["total_interactions_30_days"],
            score["email_count_30_days"],
            score["days_since_last_contact"],
            score["response_rate_percent"]
        ]),
        json!(["company", null, 5, 5, 3, 0])
    );
    // 3, 6, 9, 12, 15 days ago
    assert_eq!(score["baseline_contact_frequency_days"], 3);
    assert_eq!(crm.contact_score(first)["total_interactions_30_days"], 3);
    assert_eq!(crm.contact_score(second)["total_interactions_30_days"], 2);
}

#[test]
fn a_company_has_its_meetings_and_deals() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let (company, contact) = crm.company_contact(user);
    for days_ago in [4.0, 14.0] {
        let meeting = crm.meeting(user, contact, days_ago);
        crm.set("meetings", meeting, &format!("company_id = '{company}'"));
    }
    let deal = crm.deal(user, "SQL", 5.0);
    crm.set("deals", deal, &format!("company_id = '{company}'"));
    crm.refresh(user);
    let score = crm.company_score(user, company);
    assert_eq!(
        json!([
            score["meeting_count_30_days"],
            score["baseline_meeting_frequency_days"],
            score["related_deals_count"],
            score["total_deal_value"]
        ]),
        json!([2, 10, 1, 1000.0])
    );
}

#[test]
fn a_company_is_scored_once_for_each_user_who_knows_someone_there() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let colleague = crm.user(0.0);
    let (company, contact) = crm.company_contact(user);
    for owner in [user, colleague] {
        let another = crm.contact(owner);
        crm.set("contacts", another, &format!("company_id = '{company}'"));
    }
    crm.received(user, contact, 2.0);
    crm.refresh(user);
    crm.refresh(colleague);
    assert_eq!(
        crm.company_score(user, company)["total_interactions_30_days"],
        1
    );
    assert_eq!(
        crm.company_score(colleague, company)["total_interactions_30_days"],
        0
    );
}

#[test]
fn rows_of_one_external_id_count_once_and_share_what_they_know() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = crm.contact(user);
    db.run("DROP INDEX IF EXISTS communication_events_mail_key");
    let mut crm = Crm(&mut db);
    for (source, flags) in [
        ("gmail", "was_replied = true"),
        ("gmail", "was_opened = true"),
        ("crm", "was_opened = false"),
    ] {
        let mail = crm.sent(user, contact, 2.0);
        crm.set(
            "communication_events",
            mail,
            &format!("external_source = '{source}', external_id = 'one', {flags}"),
        );
    }
    crm.refresh(user);
    let score = crm.contact_score(contact);
    assert_eq!(
        json!([
            score["total_interactions_30_days"],
            score["response_rate_percent"],
            score["email_open_rate_percent"]
        ]),
        json!([2, 50, 50]),
        "one mail of gmail, answered and opened; one of the other source"
    );
}

#[test]
fn events_of_the_future_do_not_count() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = crm.contact(user);
    crm.received(user, contact, 40.0);
    crm.received(user, contact, -1.0);
    let far = crm.received(user, contact, 0.0);
    crm.set(
        "communication_events",
        far,
        "event_timestamp = '9999-12-31 00:00+00'",
    );
    crm.refresh(user);
    let score = crm.contact_score(contact);
    assert_eq!(
        json!([
            score["total_interactions_30_days"],
            score["days_since_last_contact"],
            score["days_since_last_response"]
        ]),
        json!([0, 40, 40])
    );
}

#[test]
fn what_is_older_than_the_baseline_still_tells_of_the_last_contact() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = crm.contact(user);
    crm.sent(user, contact, 100.0);
    crm.received(user, contact, 200.0);
    crm.event(user, contact, "call_made", "outbound", 300.0);
    crm.refresh(user);
    let score = crm.contact_score(contact);
    assert_eq!(
        json!([
            score["days_since_last_contact"],
            score["days_since_last_response"],
            score["last_meaningful_interaction"]["type"],
            score["baseline_contact_frequency_days"]
        ]),
        json!([100, 200, "call_made", null])
    );
    assert_eq!(
        score["risk_factors"],
        json!([
            "no_contact_21_days",
            "low_communication_frequency",
            "no_response_14_days"
        ])
    );
}

#[test]
fn meetings_of_guests_and_of_the_primary_contact_count_once() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let colleague = crm.user(0.0);
    let (contact, host) = (crm.contact(user), crm.contact(user));
    let both = crm.meeting(user, contact, 3.0);
    let guest = crm.meeting(user, host, 5.0);
    let colleagues = crm.meeting(colleague, host, 1.0);
    for meeting in [both, guest, colleagues] {
        crm.0.query(
            "INSERT INTO meeting_contacts VALUES ($1, $2)",
            &[&meeting, &contact],
        );
    }
    crm.refresh(user);
    assert_eq!(crm.contact_score(contact)["meeting_count_30_days"], 2);
    assert_eq!(crm.contact_score(host)["meeting_count_30_days"], 1);
}

#[test]
fn mail_that_nobody_tracks_has_no_open_rate() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = crm.contact(user);
    let colleague = crm.user(0.0);
    let theirs = crm.contact(colleague);
    let opened = crm.sent(colleague, theirs, 1.0);
    crm.set("communication_events", opened, "was_opened = true");
    crm.sent(user, contact, 1.0);
    crm.refresh(user);
    crm.refresh(colleague);
    assert_eq!(
        crm.contact_score(contact)["email_open_rate_percent"],
        json!(null)
    );
    assert_eq!(
        crm.contact_score(theirs)["email_open_rate_percent"],
        json!(100)
    );
}
