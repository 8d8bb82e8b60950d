//! What is kept between refreshes, and what is not known yet, change no score: the same rows and the same instant
//! give the same scores.

use crm_health_tests::{Crm, Database};
use serde_json::Value;
use uuid::Uuid;

/// What a contact's score, and its company's, say after a refresh as of so many days ago.
fn said(db: &mut Database, user: Uuid, days_ago: f64) -> Value {
    db.query(
        "SELECT crm_health.refresh_relationships(ARRAY[$1::uuid], 0, now() - $2 * interval '1 day')",
        &[&user, &days_ago],
    );
    db.value(
        "SELECT jsonb_agg(to_jsonb(s) - '{id,created_at,updated_at,last_calculated_at}'::text[] ORDER BY s.contact_id)
         FROM relationship_health_scores s WHERE s.user_id = $1",
        &[&user],
    )
}

#[test]
fn an_earlier_instant_counts_what_a_later_state_knows_once() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let (company, contact) = crm.company_contact(user);
    crm.received(user, contact, 35.0);
    said(&mut db, user, 0.0);
    // The state of the company serves no more, that of the contact does.
    let other = Crm(&mut db).contact(user);
    db.query(
        "UPDATE contacts SET company_id = $2 WHERE id = $1",
        &[&other, &company],
    );
    let first = said(&mut db, user, 20.0);
    for score in first.as_array().expect("scores") {
        if score["contact_id"] != Value::String(other.to_string()) {
            assert_eq!(score["total_interactions_30_days"], 1, "{score}");
        }
    }
    assert_eq!(first, said(&mut db, user, 20.0));
}

/// An id that a calendar uses again: the newest row tells what became of it.
#[test]
fn a_row_that_another_stands_for_does_not_hide_what_is_older() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = crm.contact(user);
    let scheduled = crm.event(user, contact, "meeting_scheduled", "system", 5.0);
    let asked = crm.event(user, contact, "email_received", "inbound", 6.0);
    crm.received(user, contact, 200.0);
    // The CRM of sql/crm has a key that forbids it.
    db.run("DROP INDEX communication_events_mail_key");
    db.query(
        "UPDATE communication_events SET external_id = 'event 1', external_source = 'calendar' WHERE id = ANY ($1)",
        &[&vec![scheduled, asked]],
    );
    let first = said(&mut db, user, 0.0);
    assert_eq!(first[0]["days_since_last_response"], 200);
    assert_eq!(first, said(&mut db, user, 0.0), "with a kept state");
    db.run("DELETE FROM contact_streams");
    assert_eq!(first, said(&mut db, user, 0.0), "without one");
    let told: bool = db.value(
        "SELECT bool_or(e.reason LIKE '%200 days%') FROM crm_health.explain_contact($1) e",
        &[&contact],
    );
    assert!(told, "explained by the same");
}

/// A company with many contacts who have been silent for long, of each of whom two old events are looked up.
#[test]
fn a_company_of_silent_contacts_is_told_of_each_event_once() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let company = crm.add(
        "INSERT INTO companies (id, name) VALUES ($1, 'Company')",
        &[],
    );
    db.query(
        "INSERT INTO contacts (id, owner_id, email, company_id)
         SELECT gen_random_uuid(), $1, c || '@example.com', $2 FROM generate_series(1, 300) c",
        &[&user, &company],
    );
    db.run(
        "INSERT INTO communication_events (user_id, contact_id, event_type, direction, event_timestamp, was_replied)
         SELECT owner_id, id, 'email_received', 'inbound', now() - interval '200 days', false FROM contacts
         UNION ALL
         SELECT owner_id, id, 'email_sent', 'outbound', now() - interval '150 days', true FROM contacts",
    );
    let first = said(&mut db, user, 0.0);
    assert_eq!(first.as_array().map(Vec::len), Some(301));
    for score in first.as_array().expect("scores") {
        assert_eq!(score["days_since_last_contact"], 150);
        assert_eq!(score["days_since_last_response"], 200);
        assert_eq!(score["last_meaningful_interaction"]["type"], "email_sent");
    }
    assert_eq!(first, said(&mut db, user, 0.0), "with kept states");
}

/// A session that has refreshed before sees that nobody marks what changes any more.
#[test]
fn what_is_kept_serves_no_more_without_the_triggers_that_watch_it() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = crm.contact(user);
    crm.sent(user, contact, 200.0);
    said(&mut db, user, 0.0);
    assert!(said(&mut db, user, 0.0)[0]["days_since_last_response"].is_null());
    db.run("ALTER TABLE communication_events DISABLE TRIGGER USER");
    Crm(&mut db).received(user, contact, 150.0);
    assert_eq!(said(&mut db, user, 0.0)[0]["days_since_last_response"], 150);
}
