//! The jobs of pg_cron: registered once, run for real, and what is said where pg_cron is not there.

mod elsewhere;

use std::thread::sleep;
use std::time::{Duration, Instant};

use crm_health_tests::database::{connect, error_of};
use crm_health_tests::session::{Role, become_role};
use crm_health_tests::{Cluster, Database};
use postgres::Client;

fn with_cron() -> (Cluster, Client) {
    let cluster = Cluster::start("crm", &["fsync = off"]);
    cluster.crm_database("crm");
    let mut client = connect(&format!("{}crm", cluster.server()));
    client
        .batch_execute("CREATE EXTENSION pg_cron")
        .expect("pg_cron");
    (cluster, client)
}

fn jobs(client: &mut Client) -> Vec<(String, String)> {
    client
        .query(
            "SELECT jobname::text, schedule FROM cron.job ORDER BY 1",
            &[],
        )
        .expect("the jobs")
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect()
}

#[test]
fn a_scheduled_job_runs_and_logs_what_it_did() {
    let (_cluster, mut client) = with_cron();
    client
        .batch_execute(
            "INSERT INTO profiles (id, last_login_at) VALUES (gen_random_uuid(), now());
             INSERT INTO deals (id, owner_id, value, status, created_at)
               SELECT gen_random_uuid(), id, 1, 'active', now() FROM profiles;
             SELECT crm_health.schedule('* * * * *')",
        )
        .expect("a user, a deal and a schedule");
    // pg_cron starts a job at the full minute, so this waits for up to one.
    let patience = Instant::now() + Duration::from_secs(75);
    let run = loop {
        let runs = client
            .query(
                "SELECT r.state, r.deals_refreshed FROM crm_health.runs r
                 JOIN cron.job_run_details d ON d.status = 'succeeded'
                 JOIN cron.job j ON j.jobid = d.jobid AND j.jobname = 'crm_health_refresh'
                 WHERE r.triggered_by = 'pg_cron' AND r.state <> 'running'",
                &[],
            )
            .expect("the run log");
        if let Some(run) = runs.first() {
            break (run.get::<_, String>(0), run.get::<_, i64>(1));
        }
        let details = "SELECT coalesce(string_agg(status || ' ' || coalesce(return_message, ''), '; '), 'none') FROM cron.job_run_details";
        assert!(
            Instant::now() < patience,
            "no run within 75 s; pg_cron says: {}",
            client
                .query_one(details, &[])
                .expect("its log")
                .get::<_, String>(0)
        );
        sleep(Duration::from_millis(200));
    };
    assert_eq!(run, ("succeeded".to_owned(), 1));
}

#[test]
fn schedules_come_and_go_without_doubling() {
    let (_cluster, mut client) = with_cron();
    let expected = |at: &str| {
        vec![
            ("crm_health_fit".to_owned(), "0 4 * * 0".to_owned()),
            ("crm_health_fit_deals".to_owned(), "30 4 * * 0".to_owned()),
            ("crm_health_purge".to_owned(), "30 3 * * *".to_owned()),
            (
                "crm_health_purge_job_log".to_owned(),
                "40 3 * * *".to_owned(),
            ),
            ("crm_health_refresh".to_owned(), at.to_owned()),
        ]
    };
    let told = client
        .query("SELECT * FROM crm_health.schedule()", &[])
        .expect("a schedule");
    assert_eq!(told.len(), 5);
    assert_eq!(jobs(&mut client), expected("0 7 * * *"));
    client
        .batch_execute("SELECT crm_health.schedule('5 6 * * 1-5')")
        .expect("another time");
    client
        .batch_execute("SELECT crm_health.schedule('5 6 * * 1-5')")
        .expect("the same time");
    assert_eq!(jobs(&mut client), expected("5 6 * * 1-5"));

    for bad in ["", " ", "soon", "61 * * * *", "* * * *"] {
        let (code, message, _) =
            error_of(&mut client, &format!("SELECT crm_health.schedule('{bad}')"));
        assert_eq!(code, "22023", "{bad:?}: {message}");
    }
    assert_eq!(
        error_of(&mut client, "SELECT crm_health.schedule(NULL)").0,
        "22023"
    );
    assert_eq!(
        jobs(&mut client),
        expected("5 6 * * 1-5"),
        "a bad schedule changes nothing"
    );

    // What the jobs run is run here too: a job that fails is seen by nobody.
    for row in client
        .query("SELECT command FROM cron.job", &[])
        .expect("the jobs")
    {
        let command: String = row.get(0);
        client
            .batch_execute(&command)
            .unwrap_or_else(|error| panic!("{command}: {error:?}"));
    }

    client
        .batch_execute("SELECT cron.schedule('of_somebody_else', '1 1 1 1 *', 'SELECT 1')")
        .expect("another job");
    // Who monitors sees when the job is due, though pg_cron shows each role its own jobs only.
    let due = "CREATE ROLE watcher IN ROLE pg_monitor; SET ROLE watcher";
    client.batch_execute(due).expect("a role that monitors");
    let job = client
        .query_one("SELECT * FROM crm_health.daily_job()", &[])
        .expect("the daily job");
    assert_eq!(
        (job.get::<_, &str>(0), job.get::<_, bool>(1)),
        ("5 6 * * 1-5", true)
    );
    client.batch_execute("RESET ROLE").expect("ourselves again");

    let gone = client
        .query("SELECT * FROM crm_health.unschedule()", &[])
        .expect("unscheduled");
    assert_eq!(gone.len(), 5);
    let again = client
        .query("SELECT * FROM crm_health.unschedule()", &[])
        .expect("unscheduled");
    assert!(again.is_empty());
    assert_eq!(jobs(&mut client).len(), 1, "other jobs stay");
}

#[test]
fn the_job_log_job_deletes_old_lines_of_ours_only() {
    let (_cluster, mut client) = with_cron();
    client
        .batch_execute(
            "SELECT crm_health.schedule();
             SELECT cron.schedule('of_somebody_else', '1 1 1 1 *', 'SELECT 1');
             INSERT INTO cron.job_run_details (jobid, runid, command, end_time)
             SELECT j.jobid, 1000 + j.jobid * 100 + d.days, j.jobname || ' ' || d.days, now() - d.days * interval '1 day'
             FROM cron.job j, (VALUES (1), (31)) d (days) WHERE j.jobname IN ('crm_health_refresh', 'of_somebody_else')",
        )
        .expect("a log");
    let purge: String = client
        .query_one(
            "SELECT command FROM cron.job WHERE jobname = 'crm_health_purge_job_log'",
            &[],
        )
        .expect("the job")
        .get(0);
    client.batch_execute(&purge).expect("the job's command");
    let left: Vec<String> = client
        .query("SELECT command FROM cron.job_run_details ORDER BY 1", &[])
        .expect("the log")
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(
        left,
        [
            "crm_health_refresh 1",
            "of_somebody_else 1",
            "of_somebody_else 31"
        ]
    );
}

/// What check_install() tells of the daily refresh, and its hint.
fn told_of_the_job(client: &mut Client) -> Option<(String, String)> {
    let rows = client.query(
        "SELECT problem, hint FROM crm_health.check_install() WHERE problem LIKE '%daily refresh%'",
        &[],
    );
    let rows = rows.unwrap_or_else(|error| panic!("{error:?}"));
    rows.first().map(|row| (row.get(0), row.get(1)))
}

#[test]
fn who_monitors_is_told_of_the_job_without_rights_on_pg_cron_or_the_schema() {
    let (_cluster, mut client) = with_cron();
    client
        .batch_execute(
            "CREATE ROLE watcher IN ROLE pg_monitor; SET ROLE watcher; SET search_path = pg_catalog",
        )
        .expect("a role that monitors");
    let (problem, _) = told_of_the_job(&mut client).expect("a finding");
    assert_eq!(problem, "the daily refresh is not scheduled");
    client
        .batch_execute("RESET ROLE; SELECT crm_health.schedule(); SET ROLE watcher")
        .expect("a schedule");
    assert_eq!(told_of_the_job(&mut client), None);
    client
        .batch_execute(
            "RESET ROLE; UPDATE cron.job SET active = false;
             CREATE SCHEMA sales; ALTER TABLE public.contacts SET SCHEMA sales;
             UPDATE crm_health.settings SET value = 'sales' WHERE name = 'crm_schema'; SET ROLE watcher",
        )
        .expect("a job that is off, and a schema of the CRM's own");
    let (problem, hint) = told_of_the_job(&mut client).expect("a finding");
    assert_eq!(problem, "the daily refresh is scheduled, but switched off");
    client
        .batch_execute(&format!("RESET ROLE; {hint}"))
        .expect("the hint");
}

#[test]
fn where_pg_cron_is_not_created_or_not_loaded_it_says_what_to_do() {
    let cluster = Cluster::start("crm", &["fsync = off"]);
    cluster.crm_database("crm");
    let mut client = connect(&format!("{}crm", cluster.server()));
    let (code, message, hint) = error_of(&mut client, "SELECT crm_health.schedule()");
    assert_eq!(
        (code.as_str(), message.as_str()),
        (
            "55000",
            "pg_cron is loaded, but not created in this database"
        )
    );
    client.batch_execute(&hint).expect("the hint can be pasted");
    client
        .batch_execute("SELECT crm_health.schedule(); DROP EXTENSION pg_cron")
        .expect("then it works");
    drop(client);

    let configuration = format!("{}/postgresql.auto.conf", cluster.data());
    std::fs::write(&configuration, "shared_preload_libraries = ''\n").expect("the configuration");
    cluster.restart();
    let mut client = connect(&format!("{}crm", cluster.server()));
    let (code, message, hint) = error_of(&mut client, "SELECT crm_health.schedule()");
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("55000", "pg_cron is installed but not loaded")
    );
    assert!(
        hint.contains("shared_preload_libraries = 'pg_cron'"),
        "{hint}"
    );
    assert!(hint.contains("cron.database_name = 'crm'"), "{hint}");
}
