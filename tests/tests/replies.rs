//! Which mails were answered, and how fast: link_replies fills what is missing.

use crm_health_tests::{Crm, Database};
use uuid::Uuid;

/// A user with one contact.
fn pair(db: &mut Database) -> (Uuid, Uuid) {
    let mut crm = Crm(db);
    let user = crm.user(0.0);
    (user, crm.contact(user))
}

/// Mail of 2024-06-01 00:00 UTC plus so many hours, in a thread or none.
fn mail(
    db: &mut Database,
    user: Uuid,
    contact: Uuid,
    direction: &str,
    hours: f64,
    thread: Option<&str>,
) -> Uuid {
    let event_type = if direction == "inbound" {
        "email_received"
    } else {
        "email_sent"
    };
    Crm(db).add(
        "INSERT INTO communication_events (id, user_id, contact_id, event_type, direction, thread_id, event_timestamp)
         VALUES ($1, $2, $3, $4, $5, $6, '2024-06-01 00:00:00+00'::timestamptz + $7 * interval '1 hour')",
        &[&user, &contact, &event_type, &direction, &thread, &hours],
    )
}

fn link(db: &mut Database, user: Uuid) -> i64 {
    db.value("SELECT crm_health.link_replies($1)", &[&user])
}

/// Was it answered, and after how many hours did it answer.
fn linked(db: &mut Database, mail: Uuid) -> (bool, Option<f64>) {
    let row = &db.query(
        "SELECT coalesce(was_replied, false), response_time_hours::float8 FROM communication_events WHERE id = $1",
        &[&mail],
    )[0];
    (row.get(0), row.get(1))
}

#[test]
fn in_a_thread_the_first_inbound_mail_answers_those_sent_before_it() {
    let mut db = Database::new();
    let (user, contact) = pair(&mut db);
    let thread = Some("t");
    let asked = mail(&mut db, user, contact, "outbound", 0.0, thread);
    let reminded = mail(&mut db, user, contact, "outbound", 24.0, thread);
    let answer = mail(&mut db, user, contact, "inbound", 30.0, thread);
    let addition = mail(&mut db, user, contact, "inbound", 31.0, thread);
    let thanks = mail(&mut db, user, contact, "outbound", 40.0, thread);
    assert_eq!(link(&mut db, user), 3);
    assert_eq!(linked(&mut db, asked), (true, None));
    assert_eq!(linked(&mut db, reminded), (true, None));
    assert_eq!(
        linked(&mut db, answer),
        (false, Some(6.0)),
        "hours since the newest mail sent"
    );
    assert_eq!(
        linked(&mut db, addition),
        (false, None),
        "an addition answers nothing"
    );
    assert_eq!(linked(&mut db, thanks), (false, None));
}

#[test]
fn threads_are_kept_apart_and_have_no_time_limit() {
    let mut db = Database::new();
    let (user, contact) = pair(&mut db);
    let old = mail(&mut db, user, contact, "outbound", 0.0, Some("old"));
    let other = mail(&mut db, user, contact, "outbound", 1.0, Some("other"));
    let loose = mail(&mut db, user, contact, "outbound", 2.0, None);
    let answer = mail(&mut db, user, contact, "inbound", 24.0 * 40.0, Some("old"));
    link(&mut db, user);
    assert_eq!(linked(&mut db, old), (true, None));
    assert_eq!(linked(&mut db, other), (false, None));
    assert_eq!(linked(&mut db, loose), (false, None));
    assert_eq!(linked(&mut db, answer), (false, Some(960.0)));
}

#[test]
fn without_a_thread_an_answer_comes_within_14_days() {
    let mut db = Database::new();
    let (user, in_time) = pair(&mut db);
    let late = Crm(&mut db).contact(user);
    let fortnight = 14.0 * 24.0;
    let answered = mail(&mut db, user, in_time, "outbound", 0.0, None);
    let answer = mail(&mut db, user, in_time, "inbound", fortnight, None);
    let unanswered = mail(&mut db, user, late, "outbound", 0.0, None);
    let no_answer = mail(&mut db, user, late, "inbound", fortnight + 0.01, None);
    assert_eq!(link(&mut db, user), 2);
    assert_eq!(linked(&mut db, answered), (true, None));
    assert_eq!(linked(&mut db, answer), (false, Some(fortnight)));
    assert_eq!(linked(&mut db, unanswered), (false, None));
    assert_eq!(linked(&mut db, no_answer), (false, None));
}

#[test]
fn without_a_thread_contacts_are_kept_apart() {
    let mut db = Database::new();
    let (user, contact) = pair(&mut db);
    let other = Crm(&mut db).contact(user);
    let sent = mail(&mut db, user, contact, "outbound", 0.0, None);
    let received = mail(&mut db, user, other, "inbound", 1.0, None);
    assert_eq!(link(&mut db, user), 0);
    assert_eq!(linked(&mut db, sent), (false, None));
    assert_eq!(linked(&mut db, received), (false, None));
}

#[test]
fn a_mail_to_several_contacts_is_answered_when_one_of_them_answers_in_the_thread() {
    let mut db = Database::new();
    let (user, first) = pair(&mut db);
    let second = Crm(&mut db).contact(user);
    let rows =
        [first, second].map(|contact| mail(&mut db, user, contact, "outbound", 0.0, Some("t")));
    let answer = mail(&mut db, user, second, "inbound", 5.0, Some("t"));
    assert_eq!(link(&mut db, user), 3);
    for row in rows {
        assert_eq!(linked(&mut db, row), (true, None));
    }
    assert_eq!(linked(&mut db, answer), (false, Some(5.0)));
}

#[test]
fn an_answer_to_several_contacts_has_one_response_time() {
    let mut db = Database::new();
    let (user, first) = pair(&mut db);
    let second = Crm(&mut db).contact(user);
    mail(&mut db, user, first, "outbound", 0.0, Some("t"));
    let answers =
        [first, second].map(|contact| mail(&mut db, user, contact, "inbound", 5.0, Some("t")));
    assert_eq!(link(&mut db, user), 3);
    for answer in answers {
        assert_eq!(linked(&mut db, answer), (false, Some(5.0)));
    }
}

#[test]
fn mails_of_one_moment_answer_at_once() {
    let mut db = Database::new();
    let (user, contact) = pair(&mut db);
    let sent = mail(&mut db, user, contact, "outbound", 1.0, Some("t"));
    let received = mail(&mut db, user, contact, "inbound", 1.0, Some("t"));
    assert_eq!(link(&mut db, user), 2);
    assert_eq!(linked(&mut db, sent), (true, None));
    assert_eq!(linked(&mut db, received), (false, Some(0.0)));
}

#[test]
fn automated_mail_answers_nobody_and_is_not_answered() {
    let mut db = Database::new();
    let (user, contact) = pair(&mut db);
    let sent = mail(&mut db, user, contact, "outbound", 0.0, Some("t"));
    let away = mail(&mut db, user, contact, "inbound", 0.1, Some("t"));
    let answer = mail(&mut db, user, contact, "inbound", 8.0, Some("t"));
    let invitation = mail(&mut db, user, contact, "outbound", 9.0, Some("t"));
    let reply = mail(&mut db, user, contact, "inbound", 10.0, Some("t"));
    for automated in [away, invitation] {
        Crm(&mut db).set(
            "communication_events",
            automated,
            "metadata = '{\"automated\": true}'",
        );
    }
    assert_eq!(link(&mut db, user), 2);
    assert_eq!(linked(&mut db, sent), (true, None));
    assert_eq!(linked(&mut db, away), (false, None));
    assert_eq!(linked(&mut db, answer), (false, Some(8.0)));
    assert_eq!(linked(&mut db, invitation), (false, None));
    assert_eq!(linked(&mut db, reply), (false, None));
}

#[test]
fn a_second_call_changes_nothing() {
    let mut db = Database::new();
    let (user, contact) = pair(&mut db);
    for hour in 0..10 {
        let direction = if hour % 2 == 0 { "outbound" } else { "inbound" };
        mail(
            &mut db,
            user,
            contact,
            direction,
            f64::from(hour),
            Some("t"),
        );
    }
    assert_eq!(link(&mut db, user), 10);
    let before: String = db.value(
        "SELECT string_agg(e.xmin || ':' || e.id, ',' ORDER BY id) FROM communication_events e",
        &[],
    );
    assert_eq!(link(&mut db, user), 0);
    let after: String = db.value(
        "SELECT string_agg(e.xmin || ':' || e.id, ',' ORDER BY id) FROM communication_events e",
        &[],
    );
    assert_eq!(after, before);
}

#[test]
fn what_the_source_knows_better_is_kept() {
    let mut db = Database::new();
    let (user, contact) = pair(&mut db);
    let sent = mail(&mut db, user, contact, "outbound", 0.0, Some("t"));
    let answer = mail(&mut db, user, contact, "inbound", 5.0, Some("t"));
    let by_phone = mail(&mut db, user, contact, "outbound", 9.0, Some("t"));
    let mut crm = Crm(&mut db);
    crm.set("communication_events", sent, "was_replied = NULL");
    crm.set("communication_events", answer, "response_time_hours = 1.5");
    crm.set("communication_events", by_phone, "was_replied = true");
    assert_eq!(link(&mut db, user), 1);
    assert_eq!(linked(&mut db, sent), (true, None));
    assert_eq!(linked(&mut db, answer), (false, Some(1.5)));
    assert_eq!(linked(&mut db, by_phone), (true, None));
}

#[test]
fn only_mail_of_this_user_counts() {
    let mut db = Database::new();
    let (user, contact) = pair(&mut db);
    let colleague = Crm(&mut db).user(0.0);
    let sent = mail(&mut db, user, contact, "outbound", 0.0, Some("t"));
    let theirs = mail(&mut db, colleague, contact, "inbound", 1.0, Some("t"));
    let call = mail(&mut db, user, contact, "inbound", 2.0, Some("t"));
    Crm(&mut db).set("communication_events", call, "event_type = 'call_received'");
    assert_eq!(link(&mut db, user), 0);
    assert_eq!(linked(&mut db, sent), (false, None));
    assert_eq!(link(&mut db, colleague), 0);
    assert_eq!(linked(&mut db, theirs), (false, None));
}

#[test]
fn nobody_has_no_replies() {
    let mut db = Database::new();
    let none: i64 = db.value("SELECT crm_health.link_replies(NULL)", &[]);
    let unknown: i64 = db.value("SELECT crm_health.link_replies(gen_random_uuid())", &[]);
    assert_eq!((none, unknown), (0, 0));
}

#[test]
fn rows_without_a_contact_a_thread_or_metadata_are_no_trouble() {
    let mut db = Database::new();
    let (user, contact) = pair(&mut db);
    for direction in ["outbound", "inbound"] {
        let loose = mail(&mut db, user, contact, direction, 1.0, None);
        Crm(&mut db).set(
            "communication_events",
            loose,
            "contact_id = NULL, metadata = NULL",
        );
    }
    let threaded = mail(&mut db, user, contact, "outbound", 1.0, Some("t"));
    let answer = mail(&mut db, user, contact, "inbound", 2.0, Some("t"));
    for row in [threaded, answer] {
        Crm(&mut db).set(
            "communication_events",
            row,
            "contact_id = NULL, metadata = '[1]'",
        );
    }
    assert_eq!(link(&mut db, user), 2, "the thread alone tells");
    assert_eq!(linked(&mut db, answer), (false, Some(1.0)));
}

#[test]
fn a_mail_before_or_after_all_time_is_left_out() {
    let mut db = Database::new();
    let (user, contact) = pair(&mut db);
    for edge in ["-infinity", "infinity"] {
        let event = mail(&mut db, user, contact, "outbound", 1.0, None);
        Crm(&mut db).set(
            "communication_events",
            event,
            &format!("event_timestamp = '{edge}'"),
        );
    }
    mail(&mut db, user, contact, "outbound", 2.0, None);
    let answer = mail(&mut db, user, contact, "inbound", 3.0, None);
    assert_eq!(link(&mut db, user), 2);
    assert_eq!(linked(&mut db, answer), (false, Some(1.0)));
}

#[test]
fn a_hundred_thousand_mails_are_linked_at_once() {
    let mut db = Database::new();
    let (user, contact) = pair(&mut db);
    // Half in one endless thread, half loose; the constraints and indexes of other purposes only cost time here.
    db.query(
        "INSERT INTO communication_events (user_id, contact_id, event_type, direction, thread_id, event_timestamp)
         SELECT $1, $2, CASE WHEN n % 2 = 0 THEN 'email_sent' ELSE 'email_received' END,
                CASE WHEN n % 2 = 0 THEN 'outbound' ELSE 'inbound' END, CASE WHEN n < 50000 THEN 'endless' END,
                '2020-01-01'::timestamptz + n * interval '10 minutes'
         FROM generate_series(0, 99999) n",
        &[&user, &contact],
    );
    // Not a measure of speed: what grows with the square would take hours, and is not waited for.
    db.run("SET statement_timeout = '5min'");
    assert_eq!(link(&mut db, user), 100_000);
    assert_eq!(link(&mut db, user), 0);
}
