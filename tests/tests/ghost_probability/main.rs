//! The calibrated silence model in the refresh: what it says, and that what is kept of old days
//! never changes what it says.

mod kept;

use crm_health_tests::{Crm, Database};
use uuid::Uuid;

/// A contact who wrote every week from day 400 until `until` days ago, and was answered.
fn weekly(crm: &mut Crm<'_>, user: Uuid, until: f64) -> Uuid {
    let contact = crm.contact(user);
    weekly_events(crm, user, contact, 400.0, until);
    contact
}

fn weekly_events(crm: &mut Crm<'_>, user: Uuid, contact: Uuid, from: f64, until: f64) {
    crm.0.query(
        "INSERT INTO communication_events (user_id, contact_id, event_type, direction, event_timestamp)
         SELECT $1, $2, v.event_type, v.direction, now() - (d + v.later) * interval '1 day'
         FROM generate_series($3::float8::numeric, $4::float8::numeric, -7) d,
              (VALUES ('email_received', 'inbound', 0), ('email_sent', 'outbound', -0.5)) v (event_type, direction, later)",
        &[&user, &contact, &from, &until],
    );
}

fn refresh(db: &mut Database, user: Uuid) {
    db.query(
        "SELECT * FROM refresh_relationship_health_scores($1, 0)",
        &[&user],
    );
}

/// (probability in percent, ghost risk, days until, status) of a contact.
type Said = (Option<i32>, bool, Option<i32>, String);

fn said(db: &mut Database, contact: Uuid) -> Said {
    let row = &db.query(
        "SELECT ghost_probability_percent, is_ghost_risk, days_until_predicted_ghost, health_status
         FROM relationship_health_scores WHERE $1 IN (contact_id, company_id)",
        &[&contact],
    )[0];
    (row.get(0), row.get(1), row.get(2), row.get(3))
}

/// What is said where nothing was kept.
fn said_anew(db: &mut Database, user: Uuid, contact: Uuid) -> Said {
    db.run("DELETE FROM contact_streams");
    refresh(db, user);
    said(db, contact)
}

fn kept(db: &mut Database, target: Uuid) -> i64 {
    db.value(
        "SELECT count(*) FROM contact_streams WHERE target_id = $1 AND state IS NOT NULL",
        &[&target],
    )
}

/// What is kept of a target.
fn state(db: &mut Database, target: Uuid) -> Option<Vec<u8>> {
    db.value(
        "SELECT state FROM contact_streams WHERE target_id = $1",
        &[&target],
    )
}

#[test]
fn a_contact_who_fell_silent_is_a_ghost_and_one_who_writes_is_not() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let silent = weekly(&mut crm, user, 90.0);
    let writing = weekly(&mut crm, user, 2.0);
    refresh(&mut db, user);
    let (percent, ghost, days, status) = said(&mut db, silent);
    assert!(percent > Some(50), "{percent:?}");
    assert_eq!((ghost, days, status.as_str()), (true, None, "ghost"));
    let (percent, ghost, days, _) = said(&mut db, writing);
    // Days are counted in UTC: at some hours an answer half a day later falls on the day itself.
    assert!(percent < Some(40), "{percent:?}");
    assert!(!ghost);
    assert!(days > Some(5), "{days:?}");
}

#[test]
fn a_contact_never_contacted_is_unknown_and_one_of_yesterday_is_no_ghost() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let stranger = crm.contact(user);
    let new = crm.contact(user);
    crm.sent(user, new, 1.0);
    refresh(&mut db, user);
    let (percent, ghost, days, _) = said(&mut db, stranger);
    assert_eq!((percent, ghost, days), (None, false, None));
    let (percent, ghost, _, _) = said(&mut db, new);
    assert!(percent.is_some());
    assert!(!ghost);
    let asked: Option<f64> = db.value("SELECT crm_health.ghost_probability($1, 30)", &[&stranger]);
    assert_eq!(asked, None);
}

#[test]
fn automated_mail_says_nothing_of_a_contact() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = weekly(&mut crm, user, 90.0);
    refresh(&mut db, user);
    let before = said(&mut db, contact).0;
    let mut crm = Crm(&mut db);
    crm.add(
        "INSERT INTO communication_events (id, user_id, contact_id, event_type, direction, event_timestamp, metadata)
         VALUES ($1, $2, $3, 'email_received', 'inbound', now() - interval '1 day', '{\"automated\": true}')",
        &[&user, &contact],
    );
    refresh(&mut db, user);
    assert_eq!(said(&mut db, contact).0, before);
    Crm(&mut db).received(user, contact, 1.0);
    refresh(&mut db, user);
    assert!(
        said(&mut db, contact).0 < before,
        "a word of her own counts"
    );
}

#[test]
fn the_probability_falls_with_the_horizon_and_grows_with_the_silence() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = weekly(&mut crm, user, 20.0);
    let by = |db: &mut Database, what: &str| -> Vec<f64> {
        let rows = db.query(
            &format!(
                "SELECT crm_health.ghost_probability($1, {what}) FROM generate_series(1, 60) i"
            ),
            &[&contact],
        );
        rows.iter().map(|row| row.get(0)).collect()
    };
    let horizons = by(&mut db, "i");
    assert!(horizons.is_sorted_by(|a, b| a > b), "{horizons:?}");
    let silences = by(&mut db, "30, now() + i * interval '1 day'");
    assert!(silences.is_sorted_by(|a, b| a < b), "{silences:?}");
}

#[test]
fn the_past_is_asked_as_it_was_known_then() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = weekly(&mut crm, user, 300.0);
    let ask = "SELECT crm_health.ghost_probability($1, 30, now() - interval '250 days')";
    let before: f64 = db.value(ask, &[&contact]);
    weekly_events(&mut Crm(&mut db), user, contact, 240.0, 1.0);
    assert_eq!(db.value::<f64>(ask, &[&contact]), before);
    let unborn: Option<f64> = db.value(
        "SELECT crm_health.ghost_probability($1, 30, now() - interval '500 days')",
        &[&contact],
    );
    assert_eq!(unborn, None);
}

#[test]
fn a_horizon_or_instant_that_makes_no_sense_is_refused() {
    let mut db = Database::new();
    let user = Crm(&mut db).user(0.0);
    let contact = Crm(&mut db).contact(user);
    for horizon in ["0", "-1", "3651", "NULL", "2147483647"] {
        let (state, message, _) = db.error(&format!(
            "SELECT crm_health.ghost_probability('{contact}', {horizon})"
        ));
        assert_eq!(state, "22023", "{horizon}");
        assert!(
            message.starts_with("p_horizon_days must be between 1 and 3650"),
            "{message}"
        );
    }
    for instant in ["'infinity'", "'-infinity'", "NULL", "'20000-01-01'"] {
        let (state, _, _) = db.error(&format!(
            "SELECT crm_health.ghost_probability('{contact}', 30, {instant})"
        ));
        assert_eq!(state, "22023", "{instant}");
    }
    let nobody: Option<f64> = db.value(
        "SELECT crm_health.ghost_probability(gen_random_uuid(), 30)",
        &[],
    );
    assert_eq!(nobody, None);
}

#[test]
fn another_users_contact_is_not_told_of() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = weekly(&mut crm, user, 20.0);
    let stranger = crm.user(0.0);
    let ask = |who: Uuid| {
        format!(
            "SET ROLE authenticated; SET request.jwt.claims = '{{\"sub\": \"{who}\"}}';
             SELECT crm_health.ghost_probability('{contact}', 30); RESET ROLE"
        )
    };
    db.run(&ask(user));
    let (state, _, _) = db.error(&ask(stranger));
    assert_eq!(state, "42501");
}

#[test]
fn the_rules_can_still_be_chosen() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = weekly(&mut crm, user, 20.0);
    db.run("UPDATE crm_health.settings SET value = 'rules' WHERE name = 'ghost_model'");
    refresh(&mut db, user);
    let (percent, ghost, _, _) = said(&mut db, contact);
    assert!(ghost, "nothing heard for more than 14 days");
    assert!(percent >= Some(60));
    assert_eq!(kept(&mut db, contact), 0, "rules need no streams");
}

#[test]
fn the_cut_off_decides_who_is_a_ghost() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = weekly(&mut crm, user, 25.0);
    refresh(&mut db, user);
    let (percent, ghost, days, _) = said(&mut db, contact);
    let percent = percent.expect("known");
    assert!(!ghost && percent > 10 && days.is_some(), "{percent}");
    db.run(&format!(
        "UPDATE crm_health.settings SET value = '0.{:02}' WHERE name = 'ghost_cutoff'",
        percent - 2
    ));
    refresh(&mut db, user);
    assert!(said(&mut db, contact).1);
    for wrong in ["1.1", "-0.1", "NaN", "", "half"] {
        let (state, _, _) = db.error(&format!(
            "UPDATE crm_health.settings SET value = '{wrong}' WHERE name = 'ghost_cutoff'"
        ));
        assert_eq!(state, "23514", "{wrong}");
    }
}

#[test]
fn metrics_alone_make_no_ghost_under_the_calibrated_model() {
    let mut db = Database::new();
    let said: serde_json::Value = db.value(
        "SELECT crm_health.score_relationship('{\"days_since_last_response\": 90}', 'calibrated')",
        &[],
    );
    assert_eq!(said["is_ghost_risk"], false);
    assert!(said["ghost_probability_percent"].is_null());
}

#[test]
fn the_explanation_says_it_in_a_sentence() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = weekly(&mut crm, user, 90.0);
    let rows = db.query(
        "SELECT signal, value, reason FROM crm_health.explain_contact($1)
         WHERE signal IN ('ghost_probability', 'overall') ORDER BY signal",
        &[&contact],
    );
    let (value, sentence): (String, String) = (rows[0].get(1), rows[0].get(2));
    assert!(value.ends_with(" %"), "{value}");
    assert!(
        sentence.starts_with("wrote every 7 days on average, silent for 92 days; longer than ")
            && sentence.contains("likely to stay silent"),
        "{sentence}"
    );
    let overall: String = rows[1].get(2);
    assert!(overall.starts_with(&sentence), "{overall}");
    refresh(&mut db, user);
    let reasons: Vec<String> = db.value(
        "SELECT reasons FROM crm_health.needs_attention(ARRAY[$1::uuid])",
        &[&user],
    );
    assert_eq!(reasons[0], sentence);
    assert!(reasons.len() <= 3);
}

#[test]
fn the_sentence_is_the_same_whatever_is_kept_and_in_the_notification() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = weekly(&mut crm, user, 40.0);
    let explained = |db: &mut Database| -> String {
        db.value(
            "SELECT reason FROM crm_health.explain_contact($1) WHERE signal = 'ghost_probability'",
            &[&contact],
        )
    };
    let unkept = explained(&mut db);
    assert!(
        unkept.starts_with(
            "usually writes every 7 days, silent for 43 days; all of their last 6 silences were shorter; "
        ),
        "{unkept}"
    );
    // While they still wrote, and now.
    db.query(
        "SELECT crm_health.refresh_relationships(ARRAY[$1::uuid], 0, now() - interval '41 days')",
        &[&user],
    );
    refresh(&mut db, user);
    assert_eq!(kept(&mut db, contact), 1);
    assert_eq!(explained(&mut db), unkept);
    let detail: String = db.value(
        "SELECT detail FROM crm_health.notifications WHERE kind = 'relationship_status'",
        &[],
    );
    assert!(detail.to_lowercase().contains(&unkept), "{detail}");
}
