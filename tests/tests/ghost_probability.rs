//! The calibrated silence model in the refresh: what it says, and that what is kept of old days
//! never changes what it says.

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
        sentence.contains("usually writes every") && sentence.contains("likely to stay silent"),
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
fn what_is_kept_says_the_same_as_the_whole_history() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let (company, colleague) = crm.company_contact(user);
    weekly_events(&mut crm, user, colleague, 390.0, 40.0);
    let contact = weekly(&mut crm, user, 33.0);
    refresh(&mut db, user);
    let first = (said(&mut db, contact), said(&mut db, company));
    assert_eq!((kept(&mut db, contact), kept(&mut db, company)), (1, 1));
    refresh(&mut db, user);
    assert_eq!(
        (said(&mut db, contact), said(&mut db, company)),
        first,
        "from what was kept"
    );
    // A year on, a refresh a month: states are used, outlived, and made anew.
    for month in 1..=12 {
        db.run(&format!(
            "INSERT INTO communication_events (user_id, contact_id, event_type, direction, event_timestamp)
             VALUES ('{user}', '{contact}', 'email_received', 'inbound', now() + {month} * interval '29 days')"
        ));
        let at = format!("now() + {month} * interval '30 days'");
        let again = |db: &mut Database| {
            db.run(&format!(
                "SELECT count(*) FROM crm_health.refresh_relationships(ARRAY['{user}'::uuid], 0, {at})"
            ));
            (said(db, contact), said(db, company))
        };
        let incremental = again(&mut db);
        db.run(
            "CREATE TEMPORARY TABLE aside AS TABLE contact_streams; DELETE FROM contact_streams",
        );
        assert_eq!(again(&mut db), incremental, "month {month}");
        db.run("DELETE FROM contact_streams; INSERT INTO contact_streams TABLE aside; DROP TABLE aside");
    }
}

#[test]
fn a_late_changed_or_deleted_old_event_counts_at_the_next_refresh() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let (company, contact) = crm.company_contact(user);
    weekly_events(&mut crm, user, contact, 400.0, 200.0);
    refresh(&mut db, user);
    let mut before = state(&mut db, contact);
    let changes = [
        // Late arrivals, as a first sync brings them.
        "INSERT INTO communication_events (user_id, contact_id, event_type, direction, event_timestamp)
         SELECT 'USER', 'CONTACT', 'email_received', 'inbound', now() - d * interval '1 day'
         FROM generate_series(100, 180, 2) d",
        "UPDATE communication_events SET event_timestamp = event_timestamp - interval '45 days'
         WHERE event_timestamp > now() - interval '150 days'",
        "UPDATE communication_events SET direction = 'outbound' WHERE event_timestamp > now() - interval '200 days'",
        "UPDATE communication_events SET metadata = '{\"automated\": \"true\"}'
         WHERE event_timestamp > now() - interval '170 days'",
        "DELETE FROM communication_events WHERE event_timestamp < now() - interval '300 days'",
        "TRUNCATE communication_events CASCADE",
    ];
    for change in changes {
        assert_eq!(kept(&mut db, company), 1);
        db.run(
            &change
                .replace("USER", &user.to_string())
                .replace("CONTACT", &contact.to_string()),
        );
        refresh(&mut db, user);
        let after = state(&mut db, contact);
        assert_ne!(after, before, "{change}");
        let now = (said(&mut db, contact), said(&mut db, company));
        let anew = (said_anew(&mut db, user, contact), said(&mut db, company));
        assert_eq!(now, anew, "{change}");
        before = after;
    }
}

#[test]
fn a_contact_who_changes_companies_takes_the_events_along() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let (first, contact) = crm.company_contact(user);
    let (second, other) = crm.company_contact(user);
    weekly_events(&mut crm, user, contact, 400.0, 60.0);
    crm.received(user, other, 200.0);
    refresh(&mut db, user);
    let before = said(&mut db, second).0;
    db.query(
        "UPDATE contacts SET company_id = $2 WHERE id = $1",
        &[&contact, &second],
    );
    refresh(&mut db, user);
    let after = said(&mut db, second);
    assert_ne!(after.0, before);
    assert_eq!(said_anew(&mut db, user, second), after);
    assert_ne!(first, second);
}

#[test]
fn nothing_is_kept_where_a_trigger_is_missing_or_switched_off() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = weekly(&mut crm, user, 90.0);
    db.run("ALTER TABLE communication_events DISABLE TRIGGER crm_forget_streams_delete");
    refresh(&mut db, user);
    assert_eq!(kept(&mut db, contact), 0);
    let unkept = said(&mut db, contact);
    db.run("ALTER TABLE communication_events ENABLE ALWAYS TRIGGER crm_forget_streams_delete");
    refresh(&mut db, user);
    assert_eq!(kept(&mut db, contact), 1);
    assert_eq!(said(&mut db, contact), unkept);
}

#[test]
fn an_event_that_arrives_while_a_refresh_runs_is_not_lost() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = weekly(&mut crm, user, 200.0);
    db.run("DELETE FROM contact_streams");
    // The refresh has read and kept, and is not yet committed when the mail arrives.
    let mut other = db.session();
    let mut refreshing = other.transaction().expect("a transaction");
    refreshing
        .query(
            "SELECT * FROM refresh_relationship_health_scores($1, 0)",
            &[&user],
        )
        .expect("a refresh");
    let mut arriving = db.session();
    let insert = format!(
        "INSERT INTO communication_events (user_id, contact_id, event_type, direction, event_timestamp)
         VALUES ('{user}', '{contact}', 'email_received', 'inbound', now() - interval '100 days')"
    );
    let arrival = std::thread::spawn(move || arriving.batch_execute(&insert).is_ok());
    refreshing.commit().expect("committed");
    assert!(arrival.join().expect("no panic"));
    refresh(&mut db, user);
    let incremental = said(&mut db, contact);
    assert_eq!(said_anew(&mut db, user, contact), incremental);
}

#[test]
fn an_event_committed_after_the_refresh_read_leaves_nothing_stale() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = weekly(&mut crm, user, 200.0);
    db.run("DELETE FROM contact_streams");
    // The mail is there but not committed: the refresh cannot see it, and has to wait to keep.
    let mut arriving = db.session();
    let mut transaction = arriving.transaction().expect("a transaction");
    transaction
        .execute(
            "INSERT INTO communication_events (user_id, contact_id, event_type, direction, event_timestamp)
             VALUES ($1, $2, 'email_received', 'inbound', now() - interval '100 days')",
            &[&user, &contact],
        )
        .expect("a mail");
    let mut refreshing = db.session();
    let refresh_it = std::thread::spawn(move || {
        refreshing
            .query(
                "SELECT * FROM refresh_relationship_health_scores($1, 0)",
                &[&user],
            )
            .is_ok()
    });
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while db.value::<i64>(waiting, &[]) == 0 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    transaction.commit().expect("committed");
    assert!(refresh_it.join().expect("no panic"));
    assert_eq!(
        kept(&mut db, contact),
        0,
        "what was read before the mail is not kept"
    );
    refresh(&mut db, user);
    let incremental = said(&mut db, contact);
    assert_eq!(said_anew(&mut db, user, contact), incremental);
}

#[test]
fn clocks_that_jump_and_days_of_a_thousand_events_do_no_harm() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let jumping = crm.contact(user);
    for at in [
        "'infinity'",
        "'-infinity'",
        "'0001-01-01'",
        "'4713-01-01 BC'",
        "'9999-12-31'",
        "now()",
    ] {
        crm.0.run(&format!(
            "INSERT INTO communication_events (user_id, contact_id, event_type, direction, event_timestamp)
             VALUES ('{user}', '{jumping}', 'email_received', 'inbound', {at})"
        ));
    }
    let busy = crm.contact(user);
    crm.0.run(&format!(
        "INSERT INTO communication_events (user_id, contact_id, event_type, direction, event_timestamp)
         SELECT '{user}', '{busy}', 'email_received', 'inbound', now() - interval '60 days' - i * interval '1 second'
         FROM generate_series(1, 1000) i"
    ));
    let once = crm.contact(user);
    crm.received(user, once, 60.0);
    refresh(&mut db, user);
    assert!(said(&mut db, jumping).0.is_some());
    assert_eq!(
        said(&mut db, busy).0,
        said(&mut db, once).0,
        "a day is a day"
    );
    assert_eq!(said(&mut db, jumping), said_anew(&mut db, user, jumping));
}

#[test]
fn a_contact_of_a_hundred_thousand_events_is_scored_from_what_was_kept() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = crm.contact(user);
    crm.0.run(&format!(
        "INSERT INTO communication_events (user_id, contact_id, event_type, direction, event_timestamp)
         SELECT '{user}', '{contact}', 'email_received', 'inbound', now() - interval '100 days' - i * interval '30 minutes'
         FROM generate_series(1, 100000) i"
    ));
    refresh(&mut db, user);
    let first = said(&mut db, contact);
    let size: i32 = db.value(
        "SELECT length(state) FROM contact_streams WHERE target_id = $1",
        &[&contact],
    );
    assert!(size < 100, "{size} bytes");
    refresh(&mut db, user);
    assert_eq!(said(&mut db, contact), first);
}
