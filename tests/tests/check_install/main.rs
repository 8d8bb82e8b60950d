//! check_install finds each kind of trouble, and its hint mends it.

mod indexes;
mod rights;
mod tables;

use crm_health_tests::database::connect;
use crm_health_tests::session::Role;
use crm_health_tests::{Cluster, Database};
use postgres::Client;

/// (severity, problem, hint)
type Finding = (String, String, String);

fn findings(client: &mut Client) -> Vec<Finding> {
    client
        .query("SELECT * FROM crm_health.check_install()", &[])
        .unwrap_or_else(|error| panic!("{error:?}"))
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect()
}

/// The findings but for the one that every database without pg_cron has.
fn troubles(db: &mut Database) -> Vec<Finding> {
    let mut found = findings(db.client());
    found.retain(|(_, problem, _)| !problem.starts_with("pg_cron is not in this database"));
    found
}

/// Breaks the installation, expects one finding that holds these words, follows its hint, and
/// expects that all is well again.
fn assert_found_and_mended(db: &mut Database, damage: &str, severity: &str, words: &str) {
    db.run(damage);
    let found = troubles(db);
    assert_eq!(found.len(), 1, "after {damage}: {found:#?}");
    let (kind, problem, hint) = &found[0];
    assert_eq!(kind, severity, "{problem}");
    assert!(problem.contains(words), "{problem}");
    db.run(hint);
    assert_eq!(troubles(db), [], "after {hint}");
}

#[test]
fn nothing_is_wrong_with_a_fresh_installation_but_that_nothing_is_scheduled() {
    let mut db = Database::new();
    let found = findings(db.client());
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].0, "warning");
    assert!(found[0].1.starts_with("pg_cron is not in this database"));
}

#[test]
fn a_schema_that_is_not_there() {
    let mut db = Database::new();
    assert_found_and_mended(
        &mut db,
        "UPDATE crm_health.settings SET value = 'nowhere' WHERE name = 'crm_schema'",
        "error",
        "schema \"nowhere\", named by the setting crm_schema, does not exist",
    );
}

#[test]
fn a_needed_column_that_is_not_there() {
    let mut db = Database::new();
    let drop = "ALTER TABLE contacts DROP COLUMN email";
    assert_found_and_mended(&mut db, drop, "error", "contacts has no column email");
}

#[test]
fn a_useful_column_that_is_not_there() {
    let mut db = Database::new();
    let drop = "ALTER TABLE communication_events DROP COLUMN subject";
    assert_found_and_mended(
        &mut db,
        drop,
        "warning",
        "communication_events has no column subject",
    );
}

#[test]
fn a_key_without_which_scores_would_double() {
    let mut db = Database::new();
    let drop = "DROP INDEX relationship_health_scores_user_id_company_id_key";
    assert_found_and_mended(
        &mut db,
        drop,
        "error",
        "no unique key on (user_id, company_id)",
    );
    let partial = "ALTER TABLE deal_health_scores DROP CONSTRAINT IF EXISTS deal_health_scores_deal_id_key;
                   DROP INDEX IF EXISTS deal_health_scores_deal_id_key;
                   CREATE UNIQUE INDEX ON deal_health_scores (deal_id) WHERE health_status = 'healthy'";
    assert_found_and_mended(&mut db, partial, "error", "no unique key on (deal_id)");
}

#[test]
fn an_index_without_which_every_refresh_reads_everything() {
    let mut db = Database::new();
    for (drop, words) in [
        (
            "DROP INDEX communication_events_contact_time_idx",
            "communication_events has no index that leads with (user_id, contact_id)",
        ),
        (
            "DROP INDEX activities_user_id_deal_id_idx",
            "activities has no index that leads with (user_id)",
        ),
    ] {
        assert_found_and_mended(&mut db, drop, "warning", words);
    }
}

#[test]
fn an_index_that_makes_every_update_costly() {
    let mut db = Database::new();
    let create = "CREATE INDEX worst ON deal_health_scores (user_id, overall_health_score)";
    assert_found_and_mended(
        &mut db,
        create,
        "warning",
        "index public.worst holds a column that every refresh changes",
    );
}

#[test]
fn a_trigger_that_would_find_no_table_in_a_refresh() {
    let mut db = Database::new();
    db.run(
        "CREATE TABLE scored (deal_id uuid);
         CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF TG_OP = 'UPDATE' AND NEW.risk_level IS DISTINCT FROM OLD.risk_level THEN
             INSERT INTO public.scored VALUES (extract(epoch FROM now())::text::uuid);
           END IF;
           RETURN NEW; END $$;
         CREATE TRIGGER note AFTER UPDATE ON deal_health_scores FOR EACH ROW EXECUTE FUNCTION note()",
    );
    assert_eq!(troubles(&mut db), [], "names with a schema are found");
    assert_found_and_mended(
        &mut db,
        "CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           INSERT INTO scored (deal_id) VALUES (NEW.deal_id); RETURN NEW; END $$",
        "error",
        "trigger note of public.deal_health_scores fails in a refresh: its function public.note() names scored without a schema",
    );
}

#[test]
fn weights_that_sum_to_zero() {
    let mut db = Database::new();
    let zero = "UPDATE crm_health.signal_weights SET weight = 0 WHERE model = 'deal'";
    assert_found_and_mended(&mut db, zero, "error", "weights of model deal sum to zero");
}

#[test]
fn cutoffs_that_do_not_descend() {
    let mut db = Database::new();
    let damage = "INSERT INTO crm_health.status_cutoffs (model, status, min_score) VALUES ('deal', 'warning', 80)";
    assert_found_and_mended(
        &mut db,
        damage,
        "error",
        "the cut-offs of model deal do not descend",
    );
}

#[test]
fn tables_that_are_not_there_are_named_with_the_script_that_makes_them() {
    let mut db = Database::new();
    db.run("DROP TABLE profiles, relationship_health_scores, relationship_health_history, ghost_detection_signals, deal_meetings CASCADE");
    let found = troubles(&mut db);
    let problems: Vec<(&str, &str)> = found
        .iter()
        .map(|(severity, problem, _)| (severity.as_str(), problem.as_str()))
        .collect();
    assert_eq!(
        problems,
        [
            ("error", "there is no table or view public.profiles"),
            (
                "error",
                "there is no table or view public.relationship_health_scores"
            ),
            (
                "warning",
                "there is no table or view public.relationship_health_history"
            ),
        ],
        "an optional source is not missed"
    );
    for (.., hint) in &found {
        assert!(hint.starts_with("psql -f sql/crm/install.sql"), "{hint}");
    }
    crm_health_tests::cluster::install_crm(&db.url());
    assert_eq!(troubles(&mut db), []);
}

#[test]
fn a_view_in_the_place_of_a_score_table() {
    let mut db = Database::new();
    db.run("ALTER TABLE deal_health_history RENAME TO kept; CREATE VIEW deal_health_history AS SELECT * FROM kept;
            ALTER VIEW deal_health_history OWNER TO crm_health_owner");
    let found = troubles(&mut db);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0]
            .1
            .contains("deal_health_history is not a plain table"),
        "{found:#?}"
    );
    assert!(found[0].2.contains("sql/crm/install.sql"), "{found:#?}");
}

#[test]
fn the_daily_job_from_not_scheduled_to_well() {
    let cluster = Cluster::start("crm", &["fsync = off"]);
    cluster.crm_database("crm");
    let mut client = connect(&format!("{}crm", cluster.server()));
    client
        .batch_execute("CREATE EXTENSION pg_cron")
        .expect("pg_cron");
    let one = |client: &mut Client| {
        let mut found = findings(client);
        assert_eq!(found.len(), 1, "{found:#?}");
        found.remove(0)
    };

    let (_, problem, hint) = one(&mut client);
    assert_eq!(problem, "the daily refresh is not scheduled");
    client.batch_execute(&hint).expect("the hint");
    assert_eq!(
        findings(&mut client),
        [],
        "before the first run is due all is well"
    );

    client
        .batch_execute("UPDATE cron.job SET active = false WHERE jobname = 'crm_health_refresh'")
        .expect("a job that is switched off");
    let (_, problem, hint) = one(&mut client);
    assert_eq!(problem, "the daily refresh is scheduled, but switched off");
    client.batch_execute(&hint).expect("the hint");

    client
        .batch_execute(
            "INSERT INTO crm_health.runs (started_at, finished_at, state, triggered_by, version)
             VALUES (now() - interval '1 hour', now(), 'failed', 'pg_cron', '0')",
        )
        .expect("a failure");
    let (_, problem, hint) = one(&mut client);
    assert_eq!(problem, "no run of the daily refresh has succeeded yet");
    assert_eq!(
        client.query(&hint, &[]).expect("the hint").len(),
        1,
        "shows the failure"
    );

    client
        .batch_execute(
            "INSERT INTO crm_health.runs (started_at, finished_at, state, triggered_by, version)
             VALUES (now() - interval '28 hours', now() - interval '27 hours', 'succeeded', 'pg_cron', '0')",
        )
        .expect("a success of yesterday");
    let (severity, problem, _) = one(&mut client);
    assert_eq!(severity, "warning");
    assert!(
        problem.starts_with("the last success of the daily refresh is 1 day 03:0"),
        "{problem}"
    );
    client
        .batch_execute("CALL crm_health.refresh_active_users('pg_cron')")
        .expect("a run");
    assert_eq!(findings(&mut client), []);
}

#[test]
fn profiles_of_which_nobody_counts_as_active() {
    let mut db = Database::new();
    db.run(
        "CREATE SCHEMA auth; CREATE TABLE auth.users (id uuid PRIMARY KEY, last_sign_in_at timestamptz);
         INSERT INTO auth.users VALUES (gen_random_uuid(), now()), (gen_random_uuid(), now() - interval '1 year')",
    );
    assert_found_and_mended(
        &mut db,
        "INSERT INTO profiles (id) SELECT id FROM auth.users",
        "warning",
        "nobody in public.profiles has a last_login_at within 7 days",
    );
    // Where nothing knows of logins, the hint is no statement.
    db.run("DROP TABLE auth.users; UPDATE profiles SET last_login_at = now() - interval '8 days'");
    let found = troubles(&mut db);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].2.contains("active_window_days"), "{}", found[0].2);
    db.run("UPDATE crm_health.settings SET value = '9' WHERE name = 'active_window_days'");
    assert_eq!(troubles(&mut db), []);
}
