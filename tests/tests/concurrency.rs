//! Refreshes at the same time: they wait for each other, and never double, lose or deadlock.

use std::thread;

use crm_health_tests::session::{become_role, pid, wait_for_lock};
use crm_health_tests::{Crm, Database};
use postgres::Client;
use uuid::Uuid;

const BOTH: [&str; 2] = [
    "SELECT updated FROM refresh_deal_health_scores($1)",
    "SELECT updated FROM refresh_relationship_health_scores($1)",
];

/// How many scores the calls computed, and how many they found fresh.
fn refresh(client: &mut Client, user: Uuid) -> (usize, usize) {
    let mut counts = (0, 0);
    for call in BOTH {
        for row in client.query(call, &[&user]).expect(call) {
            if row.get(0) {
                counts.0 += 1;
            } else {
                counts.1 += 1;
            }
        }
    }
    counts
}

fn user(db: &mut Database) -> Uuid {
    let mut crm = Crm(db);
    let user = crm.user(0.0);
    crm.deal(user, "SQL", 5.0);
    let (_, contact) = crm.company_contact(user);
    crm.sent(user, contact, 1.0);
    user
}

fn assert_one_row_each(db: &mut Database) {
    let doubled: i64 = db.value(
        "SELECT count(*) FROM (
           SELECT FROM deal_health_scores GROUP BY deal_id HAVING count(*) > 1
           UNION ALL
           SELECT FROM relationship_health_scores GROUP BY user_id, contact_id, company_id HAVING count(*) > 1) d",
        &[],
    );
    assert_eq!(doubled, 0, "doubled scores");
}

#[test]
fn the_second_of_two_sessions_waits_and_finds_the_scores_fresh() {
    let mut db = Database::new();
    let user = user(&mut db);
    let mut first = db.session();
    let mut second = db.session();
    let second_pid = pid(&mut second);
    first.batch_execute("BEGIN").expect("a transaction");
    assert_eq!(refresh(&mut first, user), (2, 0));
    let waiting = thread::spawn(move || refresh(&mut second, user));
    wait_for_lock(db.client(), second_pid);
    first.batch_execute("COMMIT").expect("the first to end");
    assert_eq!(
        waiting.join().expect("the second"),
        (0, 2),
        "computed again"
    );
    assert_one_row_each(&mut db);
    let snapshots: i64 = db.value("SELECT count(*) FROM deal_health_history", &[]);
    assert_eq!(snapshots, 1);
}

#[test]
fn the_second_computes_where_the_first_rolled_back() {
    let mut db = Database::new();
    let user = user(&mut db);
    let mut first = db.session();
    let mut second = db.session();
    let second_pid = pid(&mut second);
    first.batch_execute("BEGIN").expect("a transaction");
    refresh(&mut first, user);
    let waiting = thread::spawn(move || refresh(&mut second, user));
    wait_for_lock(db.client(), second_pid);
    first.batch_execute("ROLLBACK").expect("the first to end");
    assert_eq!(waiting.join().expect("the second"), (2, 0));
    assert_one_row_each(&mut db);
}

#[test]
fn users_do_not_wait_for_each_other() {
    let mut db = Database::new();
    let (one, other) = (user(&mut db), user(&mut db));
    let mut first = db.session();
    first.batch_execute("BEGIN").expect("a transaction");
    refresh(&mut first, one);
    let mut second = db.session();
    second
        .batch_execute("SET lock_timeout = '5s'")
        .expect("a timeout");
    assert_eq!(refresh(&mut second, other), (2, 0));
}

#[test]
fn a_call_that_finds_all_fresh_waits_for_nobody() {
    let mut db = Database::new();
    let user = user(&mut db);
    refresh(db.client(), user);
    let mut first = db.session();
    first
        .batch_execute(&format!(
            "BEGIN; SELECT refresh_deal_health_scores('{user}', 0)"
        ))
        .expect("a refresh under way");
    let mut second = db.session();
    second
        .batch_execute("SET lock_timeout = '5s'")
        .expect("a timeout");
    assert_eq!(refresh(&mut second, user), (0, 2));
}

#[test]
fn calls_for_many_users_in_opposite_orders_do_not_deadlock() {
    let mut db = Database::new();
    let users: Vec<Uuid> = (0..40).map(|_| user(&mut db)).collect();
    let backwards: Vec<Uuid> = users.iter().rev().copied().collect();
    let sessions: Vec<_> = [users.clone(), backwards.clone(), users, backwards]
        .into_iter()
        .map(|users| {
            let mut session = db.session();
            thread::spawn(move || {
                become_role(&mut session, "service_role", None);
                for _ in 0..10 {
                    for kind in ["deals", "relationships"] {
                        let call = format!("SELECT FROM crm_health.refresh_{kind}($1, 0)");
                        session
                            .query(&call, &[&users])
                            .unwrap_or_else(|error| panic!("{kind}: {error:?}"));
                    }
                }
            })
        })
        .collect();
    for session in sessions {
        session.join().expect("a session without a deadlock");
    }
    assert_one_row_each(&mut db);
    let scores: i64 = db.value("SELECT count(*) FROM deal_health_scores", &[]);
    assert_eq!(scores, 40);
}

#[test]
fn many_first_refreshes_of_one_user_at_once_store_each_score_once() {
    let mut db = Database::new();
    let user = user(&mut db);
    let sessions: Vec<_> = (0..8)
        .map(|_| {
            let mut session = db.session();
            thread::spawn(move || refresh(&mut session, user))
        })
        .collect();
    let computed: usize = sessions
        .into_iter()
        .map(|session| session.join().expect("a session").0)
        .sum();
    assert_eq!(computed, 2, "one session computes, the others find it done");
    assert_one_row_each(&mut db);
}

#[test]
fn a_deal_that_changes_hands_meanwhile_is_scored_once() {
    let mut db = Database::new();
    let (giver, taker) = (user(&mut db), user(&mut db));
    refresh(db.client(), giver);
    db.query(
        "UPDATE deals SET owner_id = $2 WHERE owner_id = $1",
        &[&giver, &taker],
    );
    let rows = db.query(
        "SELECT deal_id FROM refresh_deal_health_scores($1, 0)",
        &[&taker],
    );
    assert_eq!(rows.len(), 2);
    assert_one_row_each(&mut db);
    let owned: i64 = db.value(
        "SELECT count(*) FROM deal_health_scores WHERE user_id = $1",
        &[&taker],
    );
    assert_eq!(owned, 2, "the score goes over with the deal");
}

/// Starts a refresh that waits for a row which another session has changed without committing, ends that with
/// `end`.
fn refresh_beside(db: &mut Database, user: Uuid, change: &str, end: &str) {
    let mut other = db.session();
    other
        .batch_execute(&format!("BEGIN; {change}"))
        .expect("a change");
    let mut refreshing = db.session();
    let refreshing_pid = pid(&mut refreshing);
    let waiting = thread::spawn(move || {
        refreshing
            .query(
                "SELECT * FROM refresh_relationship_health_scores($1, 0)",
                &[&user],
            )
            .expect("a refresh")
            .len()
    });
    wait_for_lock(db.client(), refreshing_pid);
    other.batch_execute(end).expect("an end");
    assert_eq!(waiting.join().expect("the refresh"), 3);
}

/// A user whose three contacts have scores, the last of which says something wrong since.
fn three_scores(db: &mut Database) -> (Uuid, [Uuid; 3]) {
    let mut crm = Crm(db);
    let user = crm.user(0.0);
    let contacts = [(); 3].map(|()| crm.contact(user));
    for contact in contacts {
        crm.received(user, contact, 3.0);
    }
    db.query(
        "SELECT * FROM refresh_relationship_health_scores($1, 0)",
        &[&user],
    );
    db.query(
        "UPDATE relationship_health_scores SET overall_health_score = 1 WHERE contact_id = $1",
        &[&contacts[2]],
    );
    (user, contacts)
}

#[test]
fn a_score_that_is_changed_while_it_is_made_anew_is_made_anew_all_the_same() {
    let mut db = Database::new();
    let (user, contacts) = three_scores(&mut db);
    let change = format!(
        "UPDATE relationship_health_scores SET overall_health_score = 2, risk_level = 'low' WHERE contact_id = '{}'",
        contacts[0]
    );
    refresh_beside(&mut db, user, &change, "COMMIT");
    let scores: i64 = db.value(
        "SELECT count(DISTINCT overall_health_score) FROM relationship_health_scores WHERE overall_health_score > 2",
        &[],
    );
    assert_eq!(scores, 1, "three contacts alike have one score");
    let snapshots: i64 = db.value(
        "SELECT count(*) FROM relationship_health_history WHERE changes_from_previous IS NOT NULL",
        &[],
    );
    assert_eq!(snapshots, 1, "of the one that was wrong when it was read");
    assert_one_row_each(&mut db);
}

#[test]
fn a_score_that_is_deleted_while_it_is_made_anew_leaves_the_others_right() {
    let mut db = Database::new();
    let (user, contacts) = three_scores(&mut db);
    let change = format!(
        "DELETE FROM relationship_health_scores WHERE contact_id = '{}'",
        contacts[2]
    );
    refresh_beside(&mut db, user, &change, "COMMIT");
    let left: i64 = db.value(
        "SELECT count(*) FROM relationship_health_scores WHERE overall_health_score > 2 AND updated_at <= now()",
        &[],
    );
    assert_eq!(left, 2);
    // The next call makes the one anew that is missing, and no snapshot points nowhere.
    db.query(
        "SELECT * FROM refresh_relationship_health_scores($1, 24)",
        &[&user],
    );
    let all: i64 = db.value("SELECT count(*) FROM relationship_health_scores", &[]);
    assert_eq!(all, 3);
}

#[test]
fn a_change_that_is_taken_back_disturbs_no_refresh() {
    let mut db = Database::new();
    let (user, contacts) = three_scores(&mut db);
    let change = format!(
        "DELETE FROM relationship_health_scores WHERE contact_id = '{}'",
        contacts[2]
    );
    refresh_beside(&mut db, user, &change, "ROLLBACK");
    let right: i64 = db.value(
        "SELECT count(*) FROM relationship_health_scores WHERE overall_health_score > 2",
        &[],
    );
    assert_eq!(right, 3);
}

/// Each of two users hands a deal with alerts to the other, and both are refreshed at once: one closes what the
/// other takes over.
#[test]
fn deals_that_change_hands_both_ways_lead_to_no_deadlock() {
    let mut db = Database::new();
    let users: Vec<(Uuid, Uuid)> = (0..2)
        .map(|_| {
            let mut crm = Crm(&mut db);
            let user = crm.user(0.0);
            (user, crm.deal(user, "SQL", 40.0))
        })
        .collect();
    let refresh = "SELECT count(*) FROM refresh_deal_health_scores($1, 0)";
    for (user, _) in &users {
        db.query(refresh, &[user]);
    }
    // So slow that both are in the midst of it.
    db.run(
        "CREATE FUNCTION public.slowly() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN PERFORM pg_catalog.pg_sleep(0.3); RETURN NEW; END $$;
         CREATE TRIGGER slowly BEFORE UPDATE ON deal_health_alerts FOR EACH STATEMENT EXECUTE FUNCTION public.slowly()",
    );
    for (deal, heir) in [(users[0].1, users[1].0), (users[1].1, users[0].0)] {
        db.query(
            "UPDATE deals SET owner_id = $2 WHERE id = $1",
            &[&deal, &heir],
        );
    }
    let calls: Vec<_> = users
        .iter()
        .map(|(user, _)| {
            let (mut session, user) = (db.session(), *user);
            thread::spawn(move || session.query(refresh, &[&user]).map(|_| ()))
        })
        .collect();
    for call in calls {
        call.join().expect("a session").expect("a refresh");
    }
    let wrong: i64 = db.value(
        "SELECT count(*) FROM deals d
         WHERE NOT EXISTS (SELECT FROM deal_health_alerts a
           WHERE a.deal_id = d.id AND a.user_id = d.owner_id AND a.resolved_at IS NULL)",
        &[],
    );
    assert_eq!(wrong, 0, "each deal's alerts are its owner's");
}
