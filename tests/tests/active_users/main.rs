//! The daily job: whom it refreshes, what it commits, logs and returns.

mod failures;

use std::thread;

use crm_health_tests::database::error_of;
use crm_health_tests::session::{listen, pid, wait_for_lock, wait_until};
use crm_health_tests::{Crm, Database};
use postgres::Client;
use serde_json::{Value, json};
use uuid::Uuid;

/// Users with a deal and a contact each, logged in today, in the order of their ids: the job's.
fn users(db: &mut Database, count: usize) -> Vec<Uuid> {
    let mut users: Vec<Uuid> = (0..count)
        .map(|_| {
            let mut crm = Crm(db);
            let user = crm.user(0.0);
            crm.deal(user, "SQL", 5.0);
            crm.contact(user);
            user
        })
        .collect();
    users.sort();
    users
}

fn one_user_a_batch(db: &mut Database) {
    db.run("UPDATE crm_health.settings SET value = '1' WHERE name = 'refresh_batch_users'");
}

fn call(client: &mut Client) -> Result<Value, postgres::Error> {
    client
        .query_one("CALL crm_health.refresh_active_users('test')", &[])
        .map(|row| row.get(0))
}

fn last_run(db: &mut Database) -> (String, i32, i32, Value) {
    let rows = db.query(
        "SELECT state, users_done, users_total, errors FROM crm_health.last_run",
        &[],
    );
    let run = rows.first().expect("a run");
    (run.get(0), run.get(1), run.get(2), run.get(3))
}

fn scored(db: &mut Database) -> Vec<Uuid> {
    db.query(
        "SELECT DISTINCT user_id FROM deal_health_scores ORDER BY 1",
        &[],
    )
    .iter()
    .map(|row| row.get(0))
    .collect()
}

/// Lets the job run in another session into a user whose refresh somebody else is at, and returns
/// that session's process, what the call gives, and the session to let go.
struct Stuck {
    pid: i32,
    call: thread::JoinHandle<(Client, Result<Value, postgres::Error>)>,
    holder: Client,
}

fn stuck_at(db: &mut Database, user: Uuid) -> Stuck {
    let mut holder = db.session();
    holder
        .batch_execute(&format!(
            "BEGIN; SELECT refresh_deal_health_scores('{user}')"
        ))
        .expect("a refresh under way");
    let mut session = db.session();
    let pid = pid(&mut session);
    let call = thread::spawn(move || {
        let result = call(&mut session);
        (session, result)
    });
    wait_for_lock(db.client(), pid);
    Stuck { pid, call, holder }
}

fn assert_lock_is_free(db: &mut Database) {
    let held: i64 = db.value(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        &[],
    );
    assert_eq!(held, 0, "advisory locks left");
}

#[test]
fn only_users_active_within_the_setting_are_refreshed() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let mut of_days = |days: f64| {
        let user = crm.user(days);
        crm.deal(user, "SQL", 5.0);
        user
    };
    let (today, week, fortnight) = (of_days(0.0), of_days(6.9), of_days(13.0));
    of_days(7.1);
    let never = Uuid::new_v4();
    db.query("INSERT INTO profiles (id) VALUES ($1)", &[&never]);
    call(db.client()).expect("the job");
    let mut expected = vec![today, week];
    expected.sort();
    assert_eq!(scored(&mut db), expected);
    db.run("UPDATE crm_health.settings SET value = '14' WHERE name = 'active_window_days'");
    call(db.client()).expect("the job");
    assert!(
        scored(&mut db).contains(&fortnight),
        "the setting counts at the next call"
    );
}

#[test]
fn the_result_has_the_agreed_shape() {
    let mut db = Database::new();
    users(&mut db, 3);
    let result = call(db.client()).expect("the job");
    let timestamp = result["timestamp"]
        .as_str()
        .expect("a timestamp")
        .to_owned();
    assert_eq!(
        result,
        json!({"success": true, "usersProcessed": 3, "dealsRefreshed": 3, "relationshipsRefreshed": 3,
               "errors": [], "triggeredBy": "test", "timestamp": timestamp})
    );
    let is_now: bool = db.value(
        "SELECT $1 ~ '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' AND $1::timestamptz BETWEEN now() - interval '1 minute' AND now()",
        &[&timestamp],
    );
    assert!(is_now, "{timestamp}");
    let again = call(db.client()).expect("the job");
    assert_eq!(
        (&again["usersProcessed"], &again["dealsRefreshed"]),
        (&json!(3), &json!(0))
    );
}

#[test]
fn nobody_active_is_a_success() {
    let mut db = Database::new();
    let result = call(db.client()).expect("the job");
    assert_eq!(
        (&result["success"], &result["usersProcessed"]),
        (&json!(true), &json!(0))
    );
    assert_eq!(last_run(&mut db), ("succeeded".to_owned(), 0, 0, json!([])));
}

#[test]
fn the_arguments_override_the_settings() {
    let mut db = Database::new();
    users(&mut db, 1);
    call(db.client()).expect("the job");
    let as_of_then = "CALL crm_health.refresh_active_users('test', 0, now() + interval '3 days')";
    let result: Value = db.value(as_of_then, &[]);
    assert_eq!(result["dealsRefreshed"], 1);
    let calculated: bool = db.value(
        "SELECT last_calculated_at > now() + interval '2 days' FROM deal_health_scores",
        &[],
    );
    assert!(calculated, "as of the instant given");
}

#[test]
fn a_run_without_a_name_is_refused() {
    let mut db = Database::new();
    for call in [
        "CALL crm_health.refresh_active_users('')",
        "CALL crm_health.refresh_active_users(NULL)",
    ] {
        assert_eq!(db.error(call).0, "22023");
    }
    assert_lock_is_free(&mut db);
}

#[test]
fn batches_are_committed_and_seen_as_they_are_done() {
    let mut db = Database::new();
    let users = users(&mut db, 4);
    one_user_a_batch(&mut db);
    let mut stuck = stuck_at(&mut db, users[2]);
    assert_eq!(last_run(&mut db), ("running".to_owned(), 2, 4, json!([])));
    assert_eq!(
        scored(&mut db),
        users[..2],
        "the first two are there for everyone"
    );
    stuck.holder.batch_execute("ROLLBACK").expect("to let go");
    let (_session, result) = stuck.call.join().expect("the job");
    assert_eq!(result.expect("the job")["usersProcessed"], 4);
    assert_eq!(last_run(&mut db), ("succeeded".to_owned(), 4, 4, json!([])));
    assert_lock_is_free(&mut db);
}

#[test]
fn a_second_run_at_the_same_time_says_so_and_leaves() {
    let mut db = Database::new();
    let users = users(&mut db, 2);
    one_user_a_batch(&mut db);
    let mut stuck = stuck_at(&mut db, users[1]);
    let (mut session, notices) = listen(&db.url());
    let result = call(&mut session).expect("the second call");
    assert_eq!(result["success"], false);
    assert_eq!(result["usersProcessed"], 0);
    assert_eq!(result["errors"][0]["sqlState"], "55P03");
    assert!(notices.of("NOTICE")[0].contains("running already"));
    let runs: i64 = db.value("SELECT count(*) FROM crm_health.runs", &[]);
    assert_eq!(runs, 1, "it is no run of its own");
    stuck.holder.batch_execute("ROLLBACK").expect("to let go");
    let (_session, first) = stuck.call.join().expect("the job");
    assert_eq!(
        first.expect("the job")["success"],
        true,
        "the first is not disturbed"
    );
}

#[test]
fn a_cancelled_run_is_logged_as_interrupted_and_gives_the_lock_back() {
    let mut db = Database::new();
    let users = users(&mut db, 3);
    one_user_a_batch(&mut db);
    let mut stuck = stuck_at(&mut db, users[1]);
    db.query("SELECT pg_cancel_backend($1)", &[&stuck.pid]);
    let (mut session, result) = stuck.call.join().expect("the job");
    let error = result.expect_err("the call ends with an error");
    assert_eq!(error.code().map(|code| code.code()), Some("57014"));
    let (state, done, total, errors) = last_run(&mut db);
    assert_eq!((state.as_str(), done, total), ("interrupted", 1, 3));
    assert_eq!(errors[0]["sqlState"], "57014");
    assert_lock_is_free_but_for(&mut db, &mut stuck.holder);
    assert_eq!(scored(&mut db), users[..1], "what was done is kept");
    let again = call(&mut session).expect("the session is of use");
    assert_eq!(again["dealsRefreshed"], 2, "and goes on with what is stale");
}

/// Lets go of the user, after which nothing is held.
fn assert_lock_is_free_but_for(db: &mut Database, holder: &mut Client) {
    holder.batch_execute("ROLLBACK").expect("to let go");
    assert_lock_is_free(db);
}

#[test]
fn the_run_of_a_session_that_died_is_marked_interrupted_by_the_next() {
    let mut db = Database::new();
    let users = users(&mut db, 2);
    one_user_a_batch(&mut db);
    let mut stuck = stuck_at(&mut db, users[1]);
    db.query("SELECT pg_terminate_backend($1)", &[&stuck.pid]);
    let (_session, result) = stuck.call.join().expect("the job");
    assert!(result.is_err());
    stuck.holder.batch_execute("ROLLBACK").expect("to let go");
    assert_eq!(
        last_run(&mut db).0,
        "running",
        "a dead session can log nothing"
    );
    wait_until("the session is gone", || {
        db.query("SELECT FROM pg_stat_activity WHERE pid = $1", &[&stuck.pid])
            .is_empty()
    });
    assert_eq!(call(db.client()).expect("the next run")["success"], true);
    let states: Vec<String> = db
        .query("SELECT state FROM crm_health.runs ORDER BY started_at", &[])
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(states, ["interrupted", "succeeded"]);
    let code: String = db.value("SELECT sql_state FROM crm_health.run_failures", &[]);
    assert_eq!(code, "57P01");
}

#[test]
fn within_a_transaction_block_it_is_refused_and_holds_no_lock_after() {
    let mut db = Database::new();
    users(&mut db, 1);
    let mut session = db.session();
    session.batch_execute("BEGIN").expect("a transaction");
    assert_eq!(
        error_of(&mut session, "CALL crm_health.refresh_active_users()").0,
        "2D000"
    );
    session.batch_execute("ROLLBACK").expect("the end of it");
    let result = call(db.client()).expect("another session's run");
    assert_eq!(result["success"], true, "{result}");
}

#[test]
fn the_views_tell_the_last_run_the_last_success_and_its_age() {
    let mut db = Database::new();
    let users = users(&mut db, 1);
    call(db.client()).expect("the job");
    db.run(&format!(
        "UPDATE crm_health.runs SET started_at = now() - interval '2 hours', finished_at = now() - interval '1 hour';
         ALTER TABLE deal_health_scores ADD CONSTRAINT no CHECK (user_id <> '{}') NOT VALID",
        users[0]
    ));
    let result: Value = db.value("CALL crm_health.refresh_active_users('test', 0)", &[]);
    assert_eq!(result["success"], false);
    let states: (String, bool, String) = {
        let rows = db.query(
            "SELECT s.state, s.age BETWEEN interval '1 hour' AND interval '61 minutes', r.state
             FROM crm_health.last_success s, crm_health.last_run r",
            &[],
        );
        (rows[0].get(0), rows[0].get(1), rows[0].get(2))
    };
    assert_eq!(states, ("succeeded".to_owned(), true, "failed".to_owned()));
    let version: bool = db.value(
        "SELECT r.version = e.extversion FROM crm_health.last_run r, pg_extension e WHERE e.extname = 'crm_health'",
        &[],
    );
    assert!(version);
}
