//! A pg_cron that is in another database, or serves several.

use super::*;

#[test]
fn in_another_database_than_pg_crons_it_says_where_and_how() {
    let mut db = Database::new();
    let name: String = db.value("SELECT current_database()::text", &[]);
    for (call, statement) in [
        (
            "SELECT crm_health.schedule()",
            "SELECT cron.schedule_in_database(",
        ),
        ("SELECT crm_health.unschedule()", "cron.unschedule("),
    ] {
        let (code, message, hint) = db.error(call);
        assert_eq!(code, "55000");
        assert!(message.contains("\"postgres\""), "{message}");
        assert!(hint.contains("run in database postgres: SELECT"), "{hint}");
        assert!(hint.contains(statement), "{hint}");
        assert!(hint.contains(&format!("'{name}'")), "{hint}");
    }
}

#[test]
fn who_may_not_see_where_pg_cron_is_is_told_so() {
    let role = Role::new("");
    let mut db = Database::new();
    db.run(&format!(
        "GRANT EXECUTE ON ALL ROUTINES IN SCHEMA crm_health TO {0};
         UPDATE crm_health.settings SET value = '{0}' WHERE name = 'trusted_roles'",
        role.name
    ));
    let mut session = db.session();
    become_role(&mut session, &role.name, None);
    let (code, message, hint) = error_of(&mut session, "SELECT crm_health.schedule()");
    assert_eq!(code, "55000");
    assert!(message.contains("may not see"), "{message}");
    let statement = hint.split(", and").next().expect("a statement");
    db.run(statement);
    let message = error_of(&mut session, "SELECT crm_health.schedule()").1;
    assert!(message.contains("\"postgres\""), "{message}");
    db.run(&format!(
        "REVOKE ALL ON ALL ROUTINES IN SCHEMA crm_health FROM {}",
        role.name
    ));
}

#[test]
fn the_hint_for_another_database_can_be_pasted_there() {
    let cluster = Cluster::start("postgres", &["fsync = off"]);
    cluster.crm_database("crm");
    let mut crm = connect(&format!("{}crm", cluster.server()));
    let pasted = |call: &str, crm: &mut Client| {
        let hint = error_of(crm, call).2;
        let statement = hint.split_once("database postgres: ").expect("a statement");
        statement.1.to_owned()
    };
    let mut cron = connect(&format!("{}postgres", cluster.server()));
    cron.batch_execute("CREATE EXTENSION pg_cron")
        .expect("pg_cron");
    cron.batch_execute(&pasted(
        "SELECT crm_health.schedule('5 6 * * 1-5')",
        &mut crm,
    ))
    .expect("the hint");
    let registered = cron
        .query(
            "SELECT jobname::text, schedule, database, command FROM cron.job ORDER BY 1",
            &[],
        )
        .expect("the jobs");
    let told: Vec<[&str; 3]> = registered
        .iter()
        .map(|job| [job.get(0), job.get(1), job.get(2)])
        .collect();
    assert_eq!(
        told,
        [
            ["crm_health_fit_crm", "0 4 * * 0", "crm"],
            ["crm_health_fit_deals_crm", "30 4 * * 0", "crm"],
            ["crm_health_purge_crm", "30 3 * * *", "crm"],
            ["crm_health_purge_job_log", "40 3 * * *", "postgres"],
            ["crm_health_refresh_crm", "5 6 * * 1-5", "crm"],
        ]
    );
    for job in &registered {
        let (database, command): (&str, &str) = (job.get(2), job.get(3));
        let session = if database == "crm" {
            &mut crm
        } else {
            &mut cron
        };
        session
            .batch_execute(command)
            .unwrap_or_else(|error| panic!("{command}: {error:?}"));
    }
    cron.batch_execute(&pasted("SELECT crm_health.unschedule()", &mut crm))
        .expect("the hint");
    let left: Vec<String> = jobs(&mut cron).into_iter().map(|job| job.0).collect();
    assert_eq!(
        left,
        ["crm_health_purge_job_log"],
        "it may be of use to other databases"
    );
}

#[test]
fn the_jobs_of_two_databases_do_not_stand_in_for_each_other() {
    let cluster = Cluster::start("crm", &["fsync = off"]);
    cluster.crm_database("crm");
    cluster.crm_database("other");
    let mut crm = connect(&format!("{}crm", cluster.server()));
    let mut other = connect(&format!("{}other", cluster.server()));
    crm.batch_execute("CREATE EXTENSION pg_cron")
        .expect("pg_cron");
    let hint = error_of(&mut other, "SELECT crm_health.schedule()").2;
    let statement = hint.split_once("database crm: ").expect("a statement").1;
    crm.batch_execute(statement).expect("the hint");
    let of_other = "SELECT jobname::text, schedule FROM cron.job WHERE database = 'other'";
    assert_eq!(
        told_of_the_job(&mut crm).map(|told| told.0).as_deref(),
        Some("the daily refresh is not scheduled"),
        "that one is another database's"
    );
    crm.batch_execute("SELECT crm_health.schedule()")
        .expect("jobs of its own");
    crm.batch_execute(statement).expect("the hint again");
    assert_eq!(jobs(&mut crm).len(), 9, "the log's job serves both");
    assert_eq!(told_of_the_job(&mut crm), None);
    crm.batch_execute("SELECT crm_health.unschedule()")
        .expect("unscheduled");
    assert_eq!(
        crm.query(of_other, &[]).expect("its jobs").len(),
        4,
        "another database's stay"
    );
}

#[test]
fn a_job_of_this_name_for_another_database_is_not_taken_over() {
    let (_cluster, mut client) = with_cron();
    client
        .batch_execute(
            "SELECT cron.schedule_in_database('crm_health_refresh', '0 7 * * *', 'SELECT 1', 'postgres')",
        )
        .expect("a job as it was pasted once");
    assert!(told_of_the_job(&mut client).is_some(), "it is not ours");
    let (code, message, hint) = error_of(&mut client, "SELECT crm_health.schedule()");
    assert_eq!(code, "55000", "{message}");
    assert!(
        message.contains("crm_health_refresh") && message.contains("\"postgres\""),
        "{message}"
    );
    client.batch_execute(&hint).expect("the hint");
    client
        .batch_execute("SELECT crm_health.schedule()")
        .expect("then it is free");
    let databases: Vec<String> = client
        .query("SELECT DISTINCT database FROM cron.job WHERE jobname LIKE 'crm\\_health\\_refresh%' ORDER BY 1", &[])
        .expect("the jobs")
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(databases, ["crm", "postgres"], "nobody's job is lost");
}
