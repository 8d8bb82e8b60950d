//! The outbox: who may write it, what it holds, and the bell that tells of it.

use std::time::Duration;

use crm_health_tests::database::error_of;
use crm_health_tests::session::{become_role, pid, wait_for_lock};
use crm_health_tests::{Crm, Database};
use postgres::Client;
use postgres::fallible_iterator::FallibleIterator;
use serde_json::{Value, json};
use uuid::Uuid;

const POST: &str =
    "SELECT crm_health.post_notification('run_failed', NULL, 'run', 'r', 'warning', $1, $2, $3)";

/// A session that listens to the bell.
fn listener(db: &Database) -> Client {
    let mut session = db.session();
    session
        .batch_execute("LISTEN crm_health")
        .expect("to listen");
    session
}

/// What the bell told a session since it was last asked. Notifications of what was committed before
/// arrive with the answer to the next statement.
fn heard(session: &mut Client) -> Vec<(String, Value)> {
    session.batch_execute("SELECT").expect("a live session");
    let mut told = session.notifications();
    let mut heard = Vec::new();
    let mut pending = told.timeout_iter(Duration::from_millis(20));
    while let Some(notice) = pending.next().expect("notifications") {
        let payload = notice.payload().to_owned();
        heard.push((
            payload.clone(),
            serde_json::from_str(&payload).expect("JSON"),
        ));
    }
    heard
}

fn rows(db: &mut Database) -> Vec<Value> {
    db.query(
        "SELECT to_jsonb(n) FROM crm_health.notifications n ORDER BY n.id",
        &[],
    )
    .iter()
    .map(|row| row.get(0))
    .collect()
}

#[test]
fn a_listener_hears_of_each_once_when_it_is_committed_and_of_nothing_rolled_back() {
    let mut db = Database::new();
    let mut ear = listener(&db);
    let mut writer = db.session();
    let mut work = writer.transaction().expect("a transaction");
    for title in ["one", "two", "two"] {
        work.query(POST, &[&title, &None::<&str>, &None::<&str>])
            .expect("posted");
    }
    assert!(heard(&mut ear).is_empty(), "nothing before the commit");
    work.commit().expect("the commit");
    let told = heard(&mut ear);
    let titles: Vec<&Value> = told.iter().map(|(_, told)| &told["title"]).collect();
    assert_eq!(titles, ["one", "two", "two"]);
    assert_ne!(told[1].1["id"], told[2].1["id"], "two rows, two bells");
    assert!(heard(&mut ear).is_empty(), "and not again");
    let mut work = writer.transaction().expect("a transaction");
    work.query(POST, &[&"never", &None::<&str>, &None::<&str>])
        .expect("posted");
    work.rollback().expect("the rollback");
    assert!(heard(&mut ear).is_empty());
    assert_eq!(rows(&mut db).len(), 3);
}

#[test]
fn the_bell_says_what_and_whom_and_the_row_the_rest() {
    let mut db = Database::new();
    let mut ear = listener(&db);
    let user = Uuid::new_v4();
    let id: i64 = db.value(
        "SELECT crm_health.post_notification('mailbox_reconnect', $1, 'mailbox', '7f', 'critical', 'Title <b>&',
                p_detail => 'Detail', p_next_step => 'Step', p_data => '{\"a\": 1}')",
        &[&user],
    );
    assert_eq!(
        heard(&mut ear)[0].1,
        json!({"id": id, "kind": "mailbox_reconnect", "user_id": user.to_string(), "subject_type": "mailbox",
               "subject_id": "7f", "severity": "critical", "title": "Title <b>&"})
    );
    let row = &rows(&mut db)[0];
    assert_eq!(row["detail"], "Detail");
    assert_eq!(row["next_step"], "Step");
    assert_eq!(row["data"], json!({"a": 1}));
    let newest: i64 = db.value("SELECT id FROM crm_health.recent_notifications", &[]);
    assert_eq!(newest, id);
}

#[test]
fn the_payload_stays_under_the_limit_whatever_the_characters() {
    let mut db = Database::new();
    let mut ear = listener(&db);
    // Four bytes, six when escaped, two when escaped.
    for letter in ["😀", "\u{1}", "\"", "\\"] {
        let long = letter.repeat(20_000);
        let id = letter.repeat(200);
        db.query(
            "SELECT crm_health.post_notification('deal_status', gen_random_uuid(), 'contact', $1, 'critical', $2, $2, $2)",
            &[&id, &long],
        );
        let told = heard(&mut ear);
        assert_eq!(told.len(), 1, "{letter:?}");
        let (payload, value) = &told[0];
        assert!(payload.len() < 8000, "{letter:?}: {} bytes", payload.len());
        let title = value["title"].as_str().expect("a title");
        assert_eq!(title.chars().count(), 300);
        assert_eq!(title.strip_suffix('…'), Some(&*letter.repeat(299)));
    }
    let row = rows(&mut db).remove(0);
    let length = |key: &str| row[key].as_str().map_or(0, |text| text.chars().count());
    assert_eq!((length("detail"), length("next_step")), (2000, 1000));
}

#[test]
fn what_fits_is_kept_to_the_last_character() {
    let mut db = Database::new();
    let title = "é".repeat(300);
    db.query(POST, &[&title, &None::<&str>, &Some("")]);
    let row = &rows(&mut db)[0];
    assert_eq!(row["title"], title.as_str());
    assert_eq!(row["detail"], Value::Null);
    assert_eq!(row["next_step"], "");
}

#[test]
fn what_is_no_notification_is_refused_by_a_constraint_that_says_why() {
    let mut db = Database::new();
    let long = "x".repeat(201);
    let heavy = "x".repeat(16_384);
    for (arguments, constraint) in [
        ("'gossip', NULL, 'run', 'r', 'info', 't'", "kind_is_known"),
        (
            "'run_failed', NULL, 'ship', 'r', 'info', 't'",
            "subject_type_is_known",
        ),
        (
            "'run_failed', NULL, 'run', '', 'info', 't'",
            "subject_id_is_1_to_200_characters",
        ),
        (
            &format!("'run_failed', NULL, 'run', '{long}', 'info', 't'"),
            "subject_id_is_1_to_200_characters",
        ),
        (
            "'run_failed', NULL, 'run', 'r', 'fatal', 't'",
            "severity_is_known",
        ),
        (
            "'run_failed', NULL, 'run', 'r', 'info', ''",
            "title_is_1_to_300_characters",
        ),
        (
            "'run_failed', NULL, 'run', 'r', 'info', 't', p_data => '[]'",
            "data_is_an_object_of_at_most_16_kb",
        ),
        (
            &format!(
                "'run_failed', NULL, 'run', 'r', 'info', 't', p_data => '{{\"a\": \"{heavy}\"}}'"
            ),
            "data_is_an_object_of_at_most_16_kb",
        ),
    ] {
        let (code, message, _) =
            db.error(&format!("SELECT crm_health.post_notification({arguments})"));
        assert_eq!(code, "23514", "{message}");
        assert!(message.contains(constraint), "{message}");
    }
    let missing =
        db.error("SELECT crm_health.post_notification(NULL, NULL, 'run', 'r', 'info', 't')");
    assert_eq!(missing.0, "23502");
    let without_data = "SELECT crm_health.post_notification('run_failed', NULL, 'run', 'r', 'info', 't', NULL, NULL, NULL)";
    db.run(without_data);
    assert_eq!(rows(&mut db)[0]["data"], json!({}));
}

#[test]
fn trusted_roles_post_and_read_and_nobody_else_does() {
    let mut db = Database::new();
    let post = "SELECT crm_health.post_notification('run_failed', NULL, 'run', 'r', 'info', 't')";
    let mut session = db.session();
    become_role(&mut session, "service_role", None);
    session.batch_execute(post).expect("a trusted role");
    for relation in ["notifications", "recent_notifications"] {
        let read = format!("SELECT * FROM crm_health.{relation}");
        assert_eq!(session.query(&read, &[]).expect(relation).len(), 1);
    }
    for write in [
        "INSERT INTO crm_health.notifications (kind, subject_type, subject_id, severity, title) VALUES ('run_failed', 'run', 'r', 'info', 't')",
        "UPDATE crm_health.notifications SET title = 'other'",
        "DELETE FROM crm_health.notifications",
    ] {
        assert_eq!(error_of(&mut session, write).0, "42501", "{write}");
    }
    become_role(&mut session, "crm_health_owner", None);
    session
        .batch_execute(post)
        .expect("the owner of the scores");
    let somebody = Uuid::new_v4().to_string();
    for role in ["authenticated", "anon", "pg_monitor"] {
        become_role(&mut session, role, Some(&somebody));
        for sql in [
            post,
            "SELECT * FROM crm_health.notifications",
            "SELECT * FROM crm_health.recent_notifications",
        ] {
            assert_eq!(error_of(&mut session, sql).0, "42501", "{role}: {sql}");
        }
    }
    // EXECUTE is the first gate, trust the second.
    db.run("GRANT EXECUTE ON FUNCTION crm_health.post_notification TO authenticated");
    become_role(&mut session, "authenticated", Some(&somebody));
    let (code, message, _) = error_of(&mut session, post);
    assert_eq!(code, "42501");
    assert!(message.contains("trusted role"), "{message}");
}

#[test]
fn a_run_that_fails_for_a_user_is_told_once_with_the_reason() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let (good, bad) = (crm.user(0.0), crm.user(0.0));
    crm.deal(good, "SQL", 5.0);
    crm.deal(bad, "SQL", 5.0);
    db.run(&format!(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN IF NEW.user_id = ''{bad}'' THEN RAISE EXCEPTION ''no <b>luck</b>''; END IF; RETURN NEW; END';
         CREATE TRIGGER fail BEFORE INSERT ON deal_health_scores FOR EACH ROW EXECUTE FUNCTION fail();"
    ));
    let mut ear = listener(&db);
    db.run("CALL crm_health.refresh_active_users('test')");
    let told = heard(&mut ear);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].1["kind"], "run_failed");
    let row = &rows(&mut db)[0];
    let run: Uuid = db.value("SELECT id FROM crm_health.last_run", &[]);
    assert_eq!(row["subject_id"], run.to_string());
    assert_eq!(row["user_id"], Value::Null);
    assert_eq!(row["severity"], "warning");
    assert_eq!(row["title"], "The refresh failed for 1 of 2 users");
    assert_eq!(row["detail"], "no <b>luck</b>");
    assert_eq!(
        row["data"],
        json!({"state": "failed", "triggered_by": "test", "errors": 1, "users_done": 2, "users_total": 2})
    );
    let step = row["next_step"].as_str().expect("a statement").to_owned();
    assert_eq!(db.query(&step, &[]).len(), 1, "{step}");
}

#[test]
fn a_run_that_could_not_begin_or_failed_for_all_is_critical() {
    let mut db = Database::new();
    Crm(&mut db).user(0.0);
    db.run("ALTER TABLE profiles RENAME TO people");
    db.run("CALL crm_health.refresh_active_users('test')");
    let row = rows(&mut db).remove(0);
    assert_eq!(
        (&row["severity"], &row["title"]),
        (&json!("critical"), &json!("The refresh failed"))
    );
    db.run("ALTER TABLE people RENAME TO profiles; ALTER TABLE deal_stages RENAME TO steps");
    db.run("CALL crm_health.refresh_active_users('test')");
    let row = rows(&mut db).remove(1);
    assert_eq!(
        (&row["severity"], &row["title"]),
        (
            &json!("critical"),
            &json!("The refresh failed for 1 of 1 users")
        )
    );
}

#[test]
fn a_run_that_succeeds_is_not_told_and_one_that_died_is_told_by_the_next() {
    let mut db = Database::new();
    db.run("CALL crm_health.refresh_active_users('test')");
    assert!(rows(&mut db).is_empty());
    db.run(
        "INSERT INTO crm_health.runs (triggered_by, version, users_total, users_done) VALUES ('died', '0', 9, 4)",
    );
    db.run("CALL crm_health.refresh_active_users('test')");
    let rows = rows(&mut db);
    assert_eq!(rows.len(), 1);
    assert_eq!(
        rows[0]["title"],
        "The refresh was interrupted after 4 of 9 users"
    );
    assert_eq!(rows[0]["severity"], "warning");
}

#[test]
fn a_cancelled_run_is_told() {
    let mut db = Database::new();
    let user = Crm(&mut db).user(0.0);
    Crm(&mut db).deal(user, "SQL", 5.0);
    let mut blocker = db.session();
    blocker
        .batch_execute("BEGIN; LOCK TABLE deals")
        .expect("a lock");
    let mut session = db.session();
    let runner = pid(&mut session);
    let run = std::thread::spawn(move || {
        session.batch_execute("CALL crm_health.refresh_active_users('test')")
    });
    wait_for_lock(db.client(), runner);
    db.query("SELECT pg_cancel_backend($1)", &[&runner]);
    assert!(run.join().expect("the thread").is_err());
    let row = rows(&mut db).remove(0);
    assert_eq!(row["data"]["state"], "interrupted");
    assert_eq!(row["detail"], "the run was cancelled");
}

#[test]
fn old_notifications_leave_with_the_purge() {
    let mut db = Database::new();
    db.run(
        "UPDATE crm_health.settings SET value = '10' WHERE name = 'notification_retention_days';
         INSERT INTO crm_health.notifications (created_at, kind, subject_type, subject_id, severity, title) VALUES
           ('2026-06-20 12:01Z', 'run_failed', 'run', 'r', 'info', 'young'),
           ('2026-06-20 11:59Z', 'run_failed', 'run', 'r', 'info', 'old')",
    );
    let told: Value = db.value("SELECT crm_health.purge('2026-06-30 12:00Z')", &[]);
    assert_eq!(told["notificationsDeleted"], 1, "{told}");
    assert_eq!(rows(&mut db)[0]["title"], "young");
    for days in ["0", "36501", "-1", "1.5", ""] {
        let set = format!(
            "UPDATE crm_health.settings SET value = '{days}' WHERE name = 'notification_retention_days'"
        );
        assert_eq!(db.error(&set).0, "23514", "{days}");
    }
}
