//! A server whose backend is killed in the middle of a refresh comes back with the old scores whole.

use std::process::Command;
use std::thread;

use crm_health_tests::session::{pid, wait_for_lock, wait_until};
use crm_health_tests::{Cluster, Crm, Database};
use postgres::{Client, NoTls};

const SCORES: &str = "
    SELECT md5(string_agg(t::text, '; ' ORDER BY t::text)) FROM (
      SELECT to_jsonb(d) FROM deal_health_scores d UNION ALL
      SELECT to_jsonb(r) FROM relationship_health_scores r UNION ALL
      SELECT to_jsonb(h) FROM deal_health_history h UNION ALL
      SELECT to_jsonb(h) FROM relationship_health_history h) t";

fn comes_back(url: &str) -> Client {
    let mut client = None;
    wait_until("the server is back", || {
        client = Client::connect(url, NoTls).ok();
        // A session let in just before the server noticed the kill does not outlive it.
        client
            .as_mut()
            .is_some_and(|client| client.batch_execute("SELECT pg_sleep(0.5)").is_ok())
    });
    client.expect("a session")
}

#[test]
fn a_refresh_that_is_killed_leaves_the_old_scores_whole() {
    let cluster = Cluster::start("postgres", &[]);
    cluster.crm_database("crm");
    let mut db = Database::on(&cluster.server(), Some("crm"));
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    for _ in 0..20 {
        crm.deal(user, "SQL", 5.0);
        crm.contact(user);
    }
    db.query("SELECT refresh_deal_health_scores($1)", &[&user]);
    db.query("SELECT refresh_relationship_health_scores($1)", &[&user]);
    let before: String = db.value(SCORES, &[]);
    db.run("UPDATE deals SET stage_changed_at = now() - interval '90 days'; CHECKPOINT");

    // It writes the deals, and comes to a contact that somebody holds.
    let mut holder = db.session();
    holder
        .batch_execute(
            "BEGIN; SELECT FROM relationship_health_scores ORDER BY id DESC LIMIT 1 FOR UPDATE",
        )
        .expect("a row held");
    let mut victim = db.session();
    let victim_pid = pid(&mut victim);
    let refresh = thread::spawn(move || {
        victim.batch_execute(&format!(
            "BEGIN; SELECT refresh_deal_health_scores('{user}', 0); SELECT refresh_relationship_health_scores('{user}', 0); COMMIT"
        ))
    });
    wait_for_lock(db.client(), victim_pid);
    let killed = Command::new("kill")
        .args(["-9", &victim_pid.to_string()])
        .status();
    assert!(killed.expect("kill").success());
    assert!(refresh.join().expect("the victim").is_err());

    let mut client = comes_back(&db.url());
    let after: String = client.query_one(SCORES, &[]).expect("the scores").get(0);
    assert_eq!(after, before);
    let rows = client
        .query(
            "SELECT health_score, updated FROM refresh_deal_health_scores($1, 0)",
            &[&user],
        )
        .expect("the next refresh");
    assert_eq!(rows.len(), 20);
    assert!(rows.iter().all(|row| row.get(1)), "no lock is left");
}

#[test]
fn a_daily_job_that_is_killed_keeps_its_batches_and_its_log() {
    let cluster = Cluster::start("postgres", &[]);
    cluster.crm_database("crm");
    let mut db = Database::on(&cluster.server(), Some("crm"));
    let mut crm = Crm(&mut db);
    let mut users = [crm.user(0.0), crm.user(0.0), crm.user(0.0)];
    users.sort();
    for user in users {
        crm.deal(user, "SQL", 5.0);
    }
    db.run("UPDATE crm_health.settings SET value = '1' WHERE name = 'refresh_batch_users'");
    let mut holder = db.session();
    holder
        .batch_execute(&format!(
            "BEGIN; SELECT refresh_deal_health_scores('{}')",
            users[1]
        ))
        .expect("a refresh under way");
    let mut victim = db.session();
    let victim_pid = pid(&mut victim);
    let job = thread::spawn(move || victim.batch_execute("CALL crm_health.refresh_active_users()"));
    wait_for_lock(db.client(), victim_pid);
    let killed = Command::new("kill")
        .args(["-9", &victim_pid.to_string()])
        .status();
    assert!(killed.expect("kill").success());
    assert!(job.join().expect("the victim").is_err());

    let mut client = comes_back(&db.url());
    let scored = client
        .query("SELECT user_id FROM deal_health_scores", &[])
        .expect("scores");
    assert_eq!(
        scored.len(),
        1,
        "the first batch is kept, the second is not"
    );
    let run = client
        .query_one("SELECT state, users_done FROM crm_health.last_run", &[])
        .expect("a run");
    assert_eq!(
        (run.get::<_, String>(0).as_str(), run.get::<_, i32>(1)),
        ("running", 1)
    );
    client
        .batch_execute("CALL crm_health.refresh_active_users()")
        .expect("the next run");
    let states = client
        .query_one(
            "SELECT string_agg(state, ', ' ORDER BY started_at) FROM crm_health.runs",
            &[],
        )
        .expect("the log");
    assert_eq!(states.get::<_, String>(0), "interrupted, succeeded");
}
