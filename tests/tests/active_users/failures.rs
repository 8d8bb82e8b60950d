//! What fails, and what a run that meets it leaves behind.

use super::*;

/// Has a deferred trigger of the application fail for one user.
fn fail_at_commit(db: &mut Database, user: Uuid) {
    db.run(&format!(
        "CREATE FUNCTION fail_late() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN RAISE EXCEPTION ''not this one'' USING ERRCODE = ''23514''; END';
         CREATE CONSTRAINT TRIGGER fail_late AFTER INSERT ON deal_health_scores DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
           WHEN (NEW.user_id = '{user}') EXECUTE FUNCTION fail_late()"
    ));
}

#[test]
fn a_user_who_would_fail_at_commit_fails_alone_whoever_runs_the_job() {
    for role in ["postgres", "crm_health_owner"] {
        let mut db = Database::new();
        let users = users(&mut db, 4);
        fail_at_commit(&mut db, users[1]);
        let mut session = db.session();
        session
            .batch_execute("GRANT EXECUTE ON ALL ROUTINES IN SCHEMA crm_health TO crm_health_owner")
            .expect("what the job calls");
        session
            .batch_execute(&format!("SET SESSION AUTHORIZATION {role}"))
            .expect("a role");
        let result = call(&mut session).expect("the job");
        let errors = json!([{"userId": users[1].to_string(), "reason": "not this one", "sqlState": "23514"}]);
        assert_eq!(result["errors"], errors, "{role}");
        assert_eq!(result["usersProcessed"], 3, "{role}");
        assert_eq!(
            last_run(&mut db),
            ("failed".to_owned(), 4, 4, errors),
            "{role}"
        );
        assert_eq!(
            scored(&mut db),
            [users[0], users[2], users[3]],
            "{role}: all of the others, and nothing of this one"
        );
        assert_lock_is_free(&mut db);
    }
}

#[test]
fn a_run_whose_log_cannot_be_written_gives_the_lock_back() {
    let mut db = Database::new();
    users(&mut db, 2);
    for (event, is_started) in [
        ("INSERT", "true"),
        ("UPDATE", "NEW.state = 'running'"),
        ("UPDATE", "NEW.state = 'succeeded'"),
    ] {
        db.run(&format!(
            "CREATE OR REPLACE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
               'BEGIN RAISE EXCEPTION ''no room'' USING ERRCODE = ''53100''; END';
             CREATE TRIGGER no_room BEFORE {event} ON crm_health.runs FOR EACH ROW
               WHEN ({is_started}) EXECUTE FUNCTION no_room()"
        ));
        let mut session = db.session();
        let error = call(&mut session).expect_err("no log, no run");
        assert_eq!(error.code().map(|code| code.code()), Some("53100"));
        assert_lock_is_free(&mut db);
        db.run("DROP TRIGGER no_room ON crm_health.runs");
        drop(session);
        assert_eq!(call(db.client()).expect("the next run")["success"], true);
    }
}

#[test]
fn the_log_of_a_run_in_which_everyone_fails_does_not_grow_by_the_square() {
    let mut db = Database::new();
    let users = users(&mut db, 400);
    one_user_a_batch(&mut db);
    db.run("ALTER TABLE deal_health_scores ADD CONSTRAINT nobody CHECK (false) NOT VALID");
    let mut session = db.session();
    session
        .batch_execute("SET client_min_messages = error")
        .expect("no word of each");
    let result = call(&mut session).expect("the job");
    assert_eq!(
        result["errors"].as_array().map(Vec::len),
        Some(users.len()),
        "each is named"
    );
    let (state, done, total, errors) = last_run(&mut db);
    assert_eq!((state.as_str(), done, total), ("failed", 400, 400));
    assert_eq!(errors, result["errors"]);
    let bytes: i64 = db.value("SELECT pg_total_relation_size('crm_health.runs')", &[]);
    assert!(bytes < 1_000_000, "{bytes} bytes of log");
}

#[test]
fn a_failing_user_is_reported_and_the_others_go_on() {
    let mut db = Database::new();
    let users = users(&mut db, 5);
    db.run(&format!(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN RAISE EXCEPTION ''no room for this one'' USING ERRCODE = ''53100''; END';
         CREATE TRIGGER fail BEFORE INSERT ON relationship_health_scores FOR EACH ROW
           WHEN (NEW.user_id = '{}') EXECUTE FUNCTION fail()",
        users[1]
    ));
    let (mut session, notices) = listen(&db.url());
    let result = call(&mut session).expect("the job");
    assert_eq!(result["success"], false);
    assert_eq!(result["usersProcessed"], 4);
    assert_eq!(
        result["dealsRefreshed"], 4,
        "a user's scores are written together or not at all"
    );
    assert_eq!(result["relationshipsRefreshed"], 4);
    let errors = json!([{"userId": users[1].to_string(), "reason": "no room for this one", "sqlState": "53100"}]);
    assert_eq!(result["errors"], errors);
    let warnings = notices.of("WARNING");
    assert_eq!(
        warnings,
        [format!(
            "scores of user {} were not refreshed: no room for this one",
            users[1]
        )]
    );
    assert_eq!(last_run(&mut db), ("failed".to_owned(), 5, 5, errors));
    let others: Vec<Uuid> = users
        .iter()
        .copied()
        .filter(|user| *user != users[1])
        .collect();
    assert_eq!(scored(&mut db), others);
    let failures = db.query(
        "SELECT user_id, reason, sql_state FROM crm_health.run_failures",
        &[],
    );
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].get::<_, Uuid>(0), users[1]);
}

#[test]
fn trouble_that_is_no_users_is_told_once_and_logged() {
    let mut db = Database::new();
    users(&mut db, 2);
    db.run("ALTER TABLE profiles RENAME TO people");
    let result = call(db.client()).expect("the job");
    assert_eq!(result["success"], false);
    assert_eq!(result["errors"].as_array().map(Vec::len), Some(1));
    assert_eq!(result["errors"][0]["userId"], Value::Null);
    assert_eq!(result["errors"][0]["sqlState"], "42P01");
    assert_eq!(last_run(&mut db).0, "failed");
    assert_lock_is_free(&mut db);
}
