//! What is kept of old days says the same as the whole history, whatever happens to the events.

use super::*;

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

/// What is told of the last interaction in which both sides took part.
fn last_meaningful(db: &mut Database, target: Uuid) -> Option<String> {
    db.value(
        "SELECT last_meaningful_interaction::text FROM relationship_health_scores WHERE $1 IN (contact_id, company_id)",
        &[&target],
    )
}

/// A contact of a company, last called 200 days ago and written to since, and a refresh that has kept all that.
fn called_long_ago(db: &mut Database) -> (Uuid, Uuid, Uuid) {
    let mut crm = Crm(db);
    let user = crm.user(0.0);
    let (company, contact) = crm.company_contact(user);
    weekly_events(&mut crm, user, contact, 400.0, 120.0);
    db.query(
        "INSERT INTO communication_events (user_id, contact_id, event_type, direction, event_timestamp, subject)
         SELECT $1, $2, 'call_made', 'outbound', now() - d * interval '1 day', 'Call of ' || d
         FROM unnest(ARRAY[200, 260]) d",
        &[&user, &contact],
    );
    refresh(db, user);
    assert_eq!((kept(db, contact), kept(db, company)), (1, 1));
    (user, company, contact)
}

#[test]
fn what_was_last_told_of_old_days_is_kept_and_follows_their_events() {
    let mut db = Database::new();
    let (user, company, contact) = called_long_ago(&mut db);
    let changes = [
        ("SELECT", "Call of 200"),
        (
            "UPDATE communication_events SET subject = 'Another word' WHERE subject = 'Call of 200'",
            "Another word",
        ),
        (
            "UPDATE communication_events SET was_replied = true, subject = 'An answered mail'
          WHERE event_type = 'email_sent' AND event_timestamp > now() - interval '125 days'",
            "An answered mail",
        ),
        (
            "UPDATE communication_events SET event_type = 'email_opened', was_replied = NULL
          WHERE subject = 'An answered mail'",
            "Another word",
        ),
        (
            "DELETE FROM communication_events WHERE subject = 'Another word'",
            "Call of 260",
        ),
    ];
    for (change, expected) in changes {
        db.run(change);
        // Once as it was changed, once from what is kept.
        for _ in 0..2 {
            refresh(&mut db, user);
            for target in [contact, company] {
                let told = last_meaningful(&mut db, target).expect("somebody was called");
                assert!(told.contains(expected), "{change}: {told}");
            }
        }
        assert_eq!(
            (kept(&mut db, contact), kept(&mut db, company)),
            (1, 1),
            "{change}"
        );
    }
}

#[test]
fn a_subject_that_was_told_is_told_no_longer_when_it_is_changed_or_gone() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = weekly(&mut crm, user, 3.0);
    let call = |db: &mut Database, subject: &str, days: i32| {
        db.query(
            "INSERT INTO communication_events (user_id, contact_id, event_type, direction, event_timestamp, subject)
             VALUES ($1, $2, 'call_made', 'outbound', date_trunc('day', now()) - $4::int * interval '1 day', $3)",
            &[&user, &contact, &subject, &days],
        );
    };
    call(&mut db, "Before", 9);
    call(&mut db, "A secret", 2);
    let steps = [
        ("SELECT", "A secret"),
        (
            "UPDATE communication_events SET subject = 'Redacted' WHERE subject = 'A secret'",
            "Redacted",
        ),
        (
            "DELETE FROM communication_events WHERE subject = 'Redacted'",
            "Before",
        ),
    ];
    for (change, expected) in steps {
        db.run(change);
        for _ in 0..2 {
            refresh(&mut db, user);
            let told = last_meaningful(&mut db, contact).expect("somebody was called");
            assert!(told.contains(expected), "{change}: {told}");
        }
    }
}

#[test]
fn triggers_of_an_earlier_version_keep_streams_alone() {
    let mut db = Database::new();
    // That version saw neither answers nor subjects.
    db.run(
        "DO $$BEGIN EXECUTE (SELECT regexp_replace(pg_get_functiondef(oid), 'e[.](subject|was_replied)', 'NULL::text AS \\1', 'g')
           FROM pg_proc WHERE proname = 'crm_forget_streams'); END$$",
    );
    let (user, _, contact) = called_long_ago(&mut db);
    let short = state(&mut db, contact).expect("a state").len();
    db.run(
        "UPDATE communication_events SET subject = 'Another word' WHERE subject = 'Call of 200'",
    );
    refresh(&mut db, user);
    let told = last_meaningful(&mut db, contact).expect("somebody was called");
    assert!(told.contains("Another word"), "{told}");
    // The next version of sql/crm mends the function, and a refresh the state.
    crm_health_tests::cluster::install_crm(&db.url());
    refresh(&mut db, user);
    let long = state(&mut db, contact).expect("a state").len();
    assert!(long > short + 20, "{short} and {long} bytes");
}
