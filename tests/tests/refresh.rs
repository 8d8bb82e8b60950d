//! What the functions that refresh scores take and return.

use crm_health_tests::scores::{SAMPLE, all_scores};
use crm_health_tests::{Crm, Database};
use uuid::Uuid;

#[test]
fn a_deal_is_scored_and_the_second_call_finds_it_fresh() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, "SQL", 40.0);
    let first = db.query("SELECT * FROM refresh_deal_health_scores($1)", &[&user]);
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].get::<_, Uuid>("deal_id"), deal);
    assert!(first[0].get::<_, bool>("updated"));
    let second = db.query("SELECT * FROM refresh_deal_health_scores($1)", &[&user]);
    assert!(!second[0].get::<_, bool>("updated"));
    assert_eq!(
        first[0].get::<_, i32>("health_score"),
        second[0].get::<_, i32>("health_score")
    );
}

#[test]
fn both_functions_have_the_signature_that_the_app_calls() {
    let mut db = Database::new();
    let signatures: Vec<String> = db
        .query(
            "SELECT p.proname || '(' || pg_get_function_arguments(p.oid) || ') ' || pg_get_function_result(p.oid)
             FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE '%health%' ORDER BY 1",
            &[],
        )
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(
        signatures,
        [
            "refresh_deal_health_scores(p_user_id uuid, p_max_age_hours integer DEFAULT 24) \
             TABLE(deal_id uuid, health_score integer, health_status text, updated boolean)",
            "refresh_relationship_health_scores(p_user_id uuid, p_max_age_hours integer DEFAULT 24) \
             TABLE(contact_id uuid, health_score integer, health_status text, updated boolean)",
        ]
    );
}

#[test]
fn the_rows_returned_are_the_scores_stored() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    for stage in ["SQL", "Opportunity", "Verbal"] {
        crm.deal(user, stage, 25.0);
    }
    let (_, contact) = crm.company_contact(user);
    crm.received(user, contact, 3.0);
    let other = crm.contact(user);
    let deals = db.query(
        "SELECT d.* FROM refresh_deal_health_scores($1) d JOIN deal_health_scores s USING (deal_id)
         WHERE (d.health_score, d.health_status, d.updated) = (s.overall_health_score, s.health_status, true)
           AND s.user_id = $1 AND s.last_calculated_at = now()",
        &[&user],
    );
    // In one statement the scores are not yet seen: they are read by the next.
    assert!(deals.is_empty());
    let stored = "SELECT count(*) FROM deal_health_scores s JOIN refresh_deal_health_scores($1) d USING (deal_id)
                  WHERE (d.health_score, d.health_status) = (s.overall_health_score, s.health_status) AND NOT d.updated";
    assert_eq!(db.value::<i64>(stored, &[&user]), 3);
    let rows = db.query(
        "SELECT contact_id, updated FROM refresh_relationship_health_scores($1)",
        &[&user],
    );
    let mut contacts: Vec<Uuid> = rows.iter().map(|row| row.get(0)).collect();
    contacts.sort();
    let mut expected = vec![contact, other];
    expected.sort();
    assert_eq!(
        contacts, expected,
        "one row a contact, none for the company"
    );
    assert!(rows.iter().all(|row| row.get::<_, bool>(1)));
}

#[test]
fn nobody_and_a_stranger_get_no_rows_and_no_error() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    crm.deal(user, "SQL", 5.0);
    crm.contact(user);
    let idle = crm.user(0.0);
    for name in [
        "refresh_deal_health_scores",
        "refresh_relationship_health_scores",
    ] {
        for who in [None, Some(Uuid::from_u128(7)), Some(idle)] {
            let rows = db.query(&format!("SELECT * FROM {name}($1)"), &[&who]);
            assert!(rows.is_empty(), "{name} of {who:?}");
        }
    }
    let stored: i64 = db.value(
        "SELECT (SELECT count(*) FROM deal_health_scores) + (SELECT count(*) FROM relationship_health_scores)",
        &[],
    );
    assert_eq!(stored, 0, "nobody's call scores anybody");
}

#[test]
fn an_age_that_makes_no_sense_is_refused() {
    let mut db = Database::new();
    let user = Crm(&mut db).user(0.0);
    for name in [
        "refresh_deal_health_scores",
        "refresh_relationship_health_scores",
    ] {
        for age in ["NULL", "-1", "-2147483648", "876601", "2147483647"] {
            let (state, message, hint) =
                db.error(&format!("SELECT * FROM {name}('{user}', {age})"));
            assert_eq!(state, "22023", "{name} {age}");
            assert!(message.starts_with("p_max_age_hours must "), "{message}");
            assert!(age == "NULL" || message.contains(age), "{message}");
            assert!(!hint.is_empty());
        }
        db.run(&format!("SELECT * FROM {name}('{user}', 876600)"));
        // Wrong for nobody too: a mistake must not hide behind an empty result.
        assert_eq!(
            db.error(&format!("SELECT * FROM {name}(NULL, -1)")).0,
            "22023"
        );
    }
}

#[test]
fn many_users_at_once_score_as_each_alone() {
    let mut db = Database::new();
    db.run(SAMPLE);
    let at = "'2024-06-15 12:00:00+00'";
    let users: Vec<Uuid> = db
        .query("SELECT id FROM profiles ORDER BY id", &[])
        .iter()
        .map(|row| row.get(0))
        .collect();
    for user in &users {
        db.query(
            &format!("SELECT crm_health.refresh_deals(ARRAY[$1::uuid], 0, {at})"),
            &[user],
        );
    }
    for user in &users {
        db.query(
            &format!("SELECT crm_health.refresh_relationships(ARRAY[$1::uuid], 0, {at})"),
            &[user],
        );
    }
    let alone = all_scores(&mut db);
    assert_eq!(alone["deals"].as_array().unwrap().len(), 30);
    db.run("TRUNCATE deal_health_scores, relationship_health_scores CASCADE");
    let listed: Vec<Option<Uuid>> = users
        .iter()
        .rev()
        .map(|user| Some(*user))
        .chain([None, Some(users[0])])
        .collect();
    for kind in ["deals", "relationships"] {
        let rows: i64 = db.value(
            &format!("SELECT count(*) FROM crm_health.refresh_{kind}($1, 0, {at})"),
            &[&listed],
        );
        assert_eq!(
            rows as usize,
            alone[kind].as_array().unwrap().len(),
            "a user named twice counts once"
        );
    }
    assert_eq!(all_scores(&mut db), alone);
}

/// Every score, computed as of an instant.
fn scores_as_of(db: &mut Database, at: &str) -> serde_json::Value {
    for kind in ["deals", "relationships"] {
        db.query(
            &format!(
                "SELECT crm_health.refresh_{kind}((SELECT array_agg(id) FROM profiles), 0, '{at}')"
            ),
            &[],
        );
    }
    all_scores(db)
}

#[test]
fn the_same_data_and_instant_give_the_same_scores() {
    let mut db = Database::new();
    db.run(SAMPLE);
    let first = scores_as_of(&mut db, "2024-06-15 12:00:00+00");
    let later = scores_as_of(&mut db, "2024-07-01 12:00:00+00");
    assert_ne!(first, later, "the sample changes in a fortnight");
    assert_eq!(scores_as_of(&mut db, "2024-06-15 12:00:00+00"), first);
}

#[test]
fn what_happens_after_the_instant_is_not_known_at_it() {
    let mut db = Database::new();
    db.run(SAMPLE);
    let at = "2024-05-20 12:00:00+00";
    let before = scores_as_of(&mut db, at);
    db.run(&format!(
        "DELETE FROM communication_events WHERE event_timestamp > '{at}';
         DELETE FROM activities WHERE created_at > '{at}'"
    ));
    assert_eq!(scores_as_of(&mut db, at), before);
}
