//! Histories that are not as they should be.

use super::*;

/// A contact of the first user, events of whom are made by `events`: a query for direction and time.
fn fit_with(events: &str) -> (Database, postgres::Row) {
    let mut db = Database::new();
    people(&mut db);
    db.run(&format!(
        "INSERT INTO communication_events (user_id, contact_id, event_type, direction, event_timestamp)
         SELECT md5('user 1')::uuid, md5('contact 1 1')::uuid, 'email_sent', direction, at FROM ({events}) e (direction, at)"
    ));
    let fit = db
        .query(
            "SELECT * FROM crm_health.fit_ghost_model(p_name => 'first')",
            &[],
        )
        .remove(0);
    (db, fit)
}

/// The fit is in use, and what it says of every contact a refresh stores as a probability, or as unknown.
fn holds_what_it_promises(mut db: Database, fit: &postgres::Row, case: &str) {
    let decision: String = fit.get("decision");
    assert!(fit.get::<_, bool>("activated"), "{case}: {decision}");
    for key in ["log_loss", "log_loss_in_use"] {
        assert!(fit.get::<_, f64>(key).is_finite(), "{case}: {key}");
    }
    let (asked, known): (i64, i64) = {
        let row = &db.query(
            "SELECT count(*), count(*) FILTER (WHERE p BETWEEN 0 AND 1) FROM (
               SELECT crm_health.ghost_probability(id, 30) AS p FROM contacts) c",
            &[],
        )[0];
        (row.get(0), row.get(1))
    };
    assert_eq!((asked, known), (280, 280), "{case}");
    db.run("SELECT * FROM crm_health.refresh_relationships((SELECT array_agg(id) FROM profiles), 0, now())");
    let stored: i64 = db.value(
        "SELECT count(*) FROM relationship_health_scores WHERE ghost_probability_percent BETWEEN 0 AND 100",
        &[],
    );
    assert_eq!(stored, 280, "{case}");
}

#[test]
fn clocks_that_jump_do_not_spoil_a_fit() {
    let (db, fit) = fit_with(
        "SELECT 'inbound', at::timestamptz FROM unnest('{-infinity,infinity,4713-01-01 00:00+00 BC,294276-12-31,1970-01-01,2100-01-01}'::text[]) at",
    );
    holds_what_it_promises(db, &fit, "clocks");
}

#[test]
fn a_thousand_events_on_one_day_do_not_spoil_a_fit() {
    let (db, fit) = fit_with(
        "SELECT CASE n % 2 WHEN 0 THEN 'inbound' ELSE 'outbound' END, now() - interval '100 days' + n * interval '1 second'
         FROM generate_series(1, 1000) n",
    );
    holds_what_it_promises(db, &fit, "one day");
}

#[test]
fn a_contact_with_a_hundred_thousand_events_does_not_spoil_a_fit() {
    let (db, fit) = fit_with(
        "SELECT CASE n % 3 WHEN 0 THEN 'inbound' ELSE 'outbound' END, now() - n * interval '7 minutes'
         FROM generate_series(1, 100000) n",
    );
    holds_what_it_promises(db, &fit, "a hundred thousand");
}

#[test]
fn users_whom_nobody_answers_do_not_spoil_a_fit() {
    let mut db = Database::new();
    people(&mut db);
    db.run(
        "UPDATE communication_events SET direction = 'outbound'
         WHERE user_id IN (SELECT md5('user ' || u)::uuid FROM generate_series(1, 10) u)",
    );
    let fit = db
        .query(
            "SELECT * FROM crm_health.fit_ghost_model(p_name => 'first')",
            &[],
        )
        .remove(0);
    holds_what_it_promises(db, &fit, "no inbound");
}
