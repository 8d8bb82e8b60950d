//! What a trigger of the score tables leaves behind for later does not run with the rights of a superuser.

use super::*;

/// A database with a user, where whoever runs `seen()` is written down. It and the triggers are the score owner's.
fn watched(trigger: &str, body: &str) -> (Database, Uuid) {
    let mut db = Database::new();
    let somebody = user(&mut db);
    db.run(&format!(
        "CREATE SCHEMA planted AUTHORIZATION crm_health_owner;
         SET ROLE crm_health_owner;
         CREATE TABLE planted.runs (by_role name);
         GRANT USAGE ON SCHEMA planted TO PUBLIC;
         GRANT INSERT ON planted.runs TO PUBLIC;
         CREATE FUNCTION planted.seen() RETURNS integer LANGUAGE plpgsql AS
           'BEGIN INSERT INTO planted.runs VALUES (current_user); RETURN 1; END';
         CREATE FUNCTION planted.plant() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body}; RETURN NULL; END$$;
         {trigger} EXECUTE FUNCTION planted.plant();
         RESET ROLE"
    ));
    (db, somebody)
}

fn ran_as(db: &mut Database) -> Vec<String> {
    db.query("SELECT DISTINCT by_role::text FROM planted.runs", &[])
        .iter()
        .map(|row| row.get(0))
        .collect()
}

const AT_ONCE: &str = "CREATE TRIGGER plant AFTER INSERT ON deal_health_scores FOR EACH ROW";
const LATE: &str = "CREATE CONSTRAINT TRIGGER plant AFTER INSERT ON deal_health_scores DEFERRABLE INITIALLY DEFERRED FOR EACH ROW";

#[test]
fn a_deferred_trigger_fires_as_the_owner_of_the_scores() {
    let (mut db, somebody) = watched(LATE, "PERFORM planted.seen()");
    refresh(db.client(), somebody);
    assert_eq!(ran_as(&mut db), ["crm_health_owner"]);
}

#[test]
fn so_does_one_that_is_made_during_the_refresh() {
    let (mut db, somebody) = watched(
        AT_ONCE,
        "CREATE TABLE planted.made (n integer);
         CREATE FUNCTION planted.late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM planted.seen(); RETURN NULL; END';
         CREATE CONSTRAINT TRIGGER late AFTER INSERT ON planted.made DEFERRABLE INITIALLY DEFERRED
           FOR EACH ROW EXECUTE FUNCTION planted.late();
         INSERT INTO planted.made VALUES (1)",
    );
    refresh(db.client(), somebody);
    assert_eq!(ran_as(&mut db), ["crm_health_owner"]);
}

#[test]
fn it_does_so_for_a_superuser_who_has_become_another_role() {
    let (mut db, somebody) = watched(LATE, "PERFORM planted.seen()");
    let mut session = db.session();
    session
        .batch_execute("BEGIN; SET ROLE service_role")
        .expect("a role");
    refresh(&mut session, somebody);
    session
        .batch_execute("RESET ROLE; COMMIT")
        .expect("the end");
    assert_eq!(ran_as(&mut db), ["crm_health_owner"]);
}

#[test]
fn a_cursor_that_would_outlive_the_transaction_is_refused() {
    let (mut db, somebody) = watched(
        AT_ONCE,
        "EXECUTE 'DECLARE later CURSOR WITH HOLD FOR SELECT planted.seen()'",
    );
    let (code, message, _) = db.error(&format!(
        "SELECT refresh_deal_health_scores('{somebody}', 0)"
    ));
    assert_eq!(code, "55000", "{message}");
    assert!(message.contains("cursor \"later\""), "{message}");
    assert!(ran_as(&mut db).is_empty());
}

#[test]
fn ones_own_cursor_is_no_trouble() {
    let (mut db, somebody) = watched(AT_ONCE, "PERFORM planted.seen()");
    db.run("BEGIN; DECLARE mine CURSOR WITH HOLD FOR SELECT 1");
    assert_eq!(refresh(db.client(), somebody), 2);
    db.run("COMMIT");
}

#[test]
fn settings_that_a_trigger_changes_are_as_they_were_afterwards() {
    let (mut db, somebody) = watched(
        AT_ONCE,
        "PERFORM set_config('search_path', 'planted, pg_catalog', false)",
    );
    let before: String = db.value("SHOW search_path", &[]);
    refresh(db.client(), somebody);
    let after: String = db.value("SHOW search_path", &[]);
    assert_eq!(after, before);
}
