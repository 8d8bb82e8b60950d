//! The silence model learns from a deployment's own history, and the past can be replayed.

mod odd_histories;

use std::sync::mpsc::channel;

use crm_health_tests::cluster::{dump, restore};
use crm_health_tests::database::{connect, error_of};
use crm_health_tests::fits::{ending, no_two_at_once};
use crm_health_tests::session::pid;
use crm_health_tests::{Crm, Database};
use postgres::NoTls;

/// Forty users with six contacts each, who write back at their own pace until they stop for good.
fn people(db: &mut Database) {
    db.run(
        "SELECT setseed(0.5);
         INSERT INTO profiles (id, last_login_at)
           SELECT md5('user ' || u)::uuid, now() FROM generate_series(1, 40) u;
         INSERT INTO contacts (id, owner_id, email)
           SELECT md5('contact ' || u || ' ' || c)::uuid, md5('user ' || u)::uuid, 'someone@example.com'
           FROM generate_series(1, 40) u, generate_series(1, 7) c;
         INSERT INTO communication_events (user_id, contact_id, event_type, direction, event_timestamp)
           SELECT md5('user ' || u)::uuid, md5('contact ' || u || ' ' || c)::uuid, 'email_sent',
                  CASE WHEN lowest > 0.05 AND said < 0.7 THEN 'inbound' ELSE 'outbound' END,
                  now() - (500 - day) * interval '1 day'
           FROM (
             SELECT *, sum(gap) OVER steps AS day, min(lost) OVER steps AS lowest
             FROM (
               SELECT u, c, k, 1 - pace * ln(1 - random()) AS gap, random() AS lost, random() AS said
               FROM (SELECT u, c, 2 + 25 * random() AS pace FROM generate_series(1, 40) u, generate_series(1, 6) c) p,
                    generate_series(1, 200) k
             ) g
             WINDOW steps AS (PARTITION BY u, c ORDER BY k)
           ) w
           WHERE day < 500;
         INSERT INTO communication_events (user_id, contact_id, event_type, direction, event_timestamp)
           SELECT md5('user ' || u)::uuid, md5('contact ' || u || ' 7')::uuid, 'email_sent', 'outbound', now()
           FROM generate_series(1, 40) u;",
    );
}

fn active(db: &mut Database) -> String {
    db.value(
        "SELECT name FROM crm_health.ghost_models WHERE is_active",
        &[],
    )
}

fn models(db: &mut Database) -> i64 {
    db.value("SELECT count(*) FROM crm_health.ghost_models", &[])
}

#[test]
fn a_fit_that_is_better_is_put_in_use_and_can_be_taken_back_by_name() {
    let mut db = Database::new();
    people(&mut db);
    let asked = "SELECT sum(crm_health.ghost_probability(id, 30)) FROM contacts";
    let before: f64 = db.value(asked, &[]);
    let fit = &db.query(
        "SELECT * FROM crm_health.fit_ghost_model(p_name => 'first')",
        &[],
    )[0];
    assert!(
        fit.get::<_, bool>("activated"),
        "{}",
        fit.get::<_, String>("decision")
    );
    assert!(fit.get::<_, f64>("log_loss") < fit.get::<_, f64>("log_loss_in_use"));
    assert_eq!(fit.get::<_, i64>("users_used"), 40);
    assert!(fit.get::<_, i64>("held_out_rows") > 100);
    assert_eq!(active(&mut db), "first");
    let fitted: f64 = db.value(asked, &[]);
    assert!((fitted - before).abs() > 0.1, "{fitted} against {before}");
    db.run("SELECT crm_health.use_ghost_model('default')");
    assert_eq!(active(&mut db), "default");
    assert_eq!(db.value::<f64>(asked, &[]), before);
    db.run("SELECT crm_health.use_ghost_model('first')");
    assert_eq!(db.value::<f64>(asked, &[]), fitted);
    let (state, _, hint) = db.error("SELECT crm_health.use_ghost_model('third')");
    assert_eq!((state.as_str(), hint.is_empty()), ("42704", false));
}

#[test]
fn the_report_shows_how_right_each_fit_was_on_what_was_held_out() {
    let mut db = Database::new();
    people(&mut db);
    db.run("SELECT * FROM crm_health.fit_ghost_model(p_name => 'first')");
    let rows = db.query(
        "SELECT * FROM crm_health.ghost_model_report('first') ORDER BY horizon_days",
        &[],
    );
    let horizons: Vec<i32> = rows.iter().map(|row| row.get("horizon_days")).collect();
    assert_eq!(horizons, [7, 14, 30, 60]);
    for row in &rows {
        assert!(row.get::<_, bool>("is_active"));
        assert_eq!(row.get::<_, String>("held_out_by"), "user");
        assert_eq!(row.get::<_, String>("compared_with"), "default");
        assert!(row.get::<_, f64>("auc") > 0.6);
        assert!(row.get::<_, f64>("calibration_error") < 0.1);
        assert!((0.0..0.25).contains(&row.get::<_, f64>("brier")));
        let bins: serde_json::Value = row.get("reliability");
        let counted: u64 = bins
            .as_array()
            .expect("bins")
            .iter()
            .filter_map(|bin| bin["rows"].as_u64())
            .sum();
        assert_eq!(counted as i64, row.get::<_, i64>("held_out_rows"));
    }
    let shipped: i64 = db.value(
        "SELECT count(*) FROM crm_health.ghost_model_report() WHERE name = 'default' AND horizon_days IS NULL",
        &[],
    );
    assert_eq!(shipped, 1);
}

#[test]
fn a_fit_that_is_no_better_is_kept_but_not_used() {
    let mut db = Database::new();
    people(&mut db);
    db.run("SELECT * FROM crm_health.fit_ghost_model(p_name => 'first')");
    let again = &db.query("SELECT * FROM crm_health.fit_ghost_model()", &[])[0];
    assert!(!again.get::<_, bool>("activated"));
    assert!(again.get::<_, String>("decision").contains("no better"));
    assert!(again.get::<_, String>("name").starts_with("fit of "));
    assert_eq!((active(&mut db).as_str(), models(&mut db)), ("first", 3));
}

#[test]
fn a_fit_on_a_history_that_says_nothing_keeps_the_defaults() {
    let nothing = "SELECT 1";
    let all_silent = "UPDATE communication_events SET direction = 'outbound'";
    let all_answering = "INSERT INTO communication_events (user_id, contact_id, event_type, direction, event_timestamp)
        SELECT c.owner_id, c.id, 'email_received', 'inbound', now() - d * interval '1 day'
        FROM contacts c, generate_series(1, 500, 3) d";
    for (history, change, decision) in [
        (false, nothing, "under 100 rows"),
        (true, all_silent, "every contact stayed silent"),
        (
            true,
            all_answering,
            "every contact stayed silent, or every contact wrote",
        ),
    ] {
        let mut db = Database::new();
        if history {
            people(&mut db);
        }
        db.run(change);
        let fit = &db.query("SELECT * FROM crm_health.fit_ghost_model()", &[])[0];
        let said: String = fit.get("decision");
        assert!(said.contains(decision), "{change}: {said}");
        assert_eq!(fit.get::<_, Option<String>>("name"), None);
        assert_eq!((active(&mut db).as_str(), models(&mut db)), ("default", 1));
    }
}

#[test]
fn two_fits_at_once_do_not_run() {
    let mut db = Database::new();
    people(&mut db);
    no_two_at_once(&mut db, "crm_health.fit_ghost_model");
    assert_eq!(active(&mut db), "first");
}

/// Starts a fit, ends it by `end` (of its backend $1) once it is learning, and returns its SQLSTATE.
fn ended_while_learning(db: &mut Database, end: &str) -> String {
    let (tell, told) = channel();
    let mut config: postgres::Config = db.url().parse().expect("an address");
    config.notice_callback(move |notice| {
        if notice.message().starts_with("learning the gaps") {
            tell.send(()).expect("somebody listens");
        }
    });
    let mut fitting = config.connect(NoTls).expect("a session");
    let backend = pid(&mut fitting);
    let fit = ending(fitting, "crm_health.fit_ghost_model");
    told.recv().expect("the fit began to learn");
    db.query(end, &[&backend]);
    fit.join().expect("no panic")
}

#[test]
fn a_fit_that_is_cancelled_or_killed_leaves_the_old_model_in_use() {
    let mut db = Database::new();
    people(&mut db);
    assert_eq!(
        ended_while_learning(&mut db, "SELECT pg_cancel_backend($1)"),
        "57014"
    );
    // The connection may close before its last message is read.
    let killed = ended_while_learning(&mut db, "SELECT pg_terminate_backend($1)");
    assert!(["57P01", ""].contains(&killed.as_str()), "{killed}");
    assert_eq!((active(&mut db).as_str(), models(&mut db)), ("default", 1));
    // Nothing is left locked.
    db.run("SELECT * FROM crm_health.fit_ghost_model(p_name => 'after')");
    assert_eq!(active(&mut db), "after");
}

#[test]
fn constants_that_are_no_numbers_or_out_of_range_are_never_stored() {
    let mut db = Database::new();
    let shipped: serde_json::Value = db.value(
        "SELECT constants FROM crm_health.ghost_models WHERE shipped",
        &[],
    );
    for (key, value) in [
        ("shape", "\"NaN\""),
        ("shape", "1.5"),
        ("gap_prior", "-1"),
        ("memory", "1"),
        ("beta", "[1, -1, 1, 1, 1]"),
        ("beta", "[1e999, 0, 0, 0, 0]"),
        ("colour", "1"),
    ] {
        let (state, _, _) = db.error(&format!(
            "INSERT INTO crm_health.ghost_models (name, constants, decision)
             VALUES ('wrong', '{shipped}'::jsonb || '{{\"{key}\": {value}}}', 'by hand')"
        ));
        assert_eq!(state, "23514", "{key} {value}");
    }
    let (state, _, _) = db.error("DELETE FROM crm_health.ghost_models WHERE shipped");
    assert_eq!(state, "23001");
    let (state, _, _) =
        db.error("UPDATE crm_health.ghost_models SET constants = constants || '{\"shape\": 0.5}'");
    assert_eq!(state, "23001");
}

#[test]
fn what_ships_is_what_the_core_knows() {
    let mut db = Database::new();
    let as_shipped: bool = db.value(
        "SELECT crm_health.scoring_config() -> 'silence' = m.constants AND m.is_active
         FROM crm_health.ghost_models m WHERE m.shipped",
        &[],
    );
    assert!(as_shipped);
}

#[test]
fn only_a_trusted_role_may_fit_or_look_back() {
    let mut db = Database::new();
    Crm(&mut db).user(0.0);
    db.run("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA crm_health TO authenticated");
    let mut app = connect(&db.url());
    app.batch_execute("SET ROLE authenticated; SET request.jwt.claim.sub = '00000000-0000-0000-0000-000000000001'")
        .expect("a role");
    for call in [
        "SELECT * FROM crm_health.fit_ghost_model()",
        "SELECT * FROM crm_health.backtest(now() - interval '90 days', now(), 30)",
        "SELECT crm_health.use_ghost_model('default')",
    ] {
        assert_eq!(error_of(&mut app, call).0, "42501", "{call}");
    }
}

#[test]
fn a_name_that_is_taken_or_empty_is_refused() {
    let mut db = Database::new();
    let (state, _, _) = db.error("SELECT * FROM crm_health.fit_ghost_model(p_name => 'default')");
    assert_eq!(state, "42710");
    let (state, _, _) = db.error("SELECT * FROM crm_health.fit_ghost_model(p_name => '')");
    assert_eq!(state, "22023");
    let (state, _, _) = db.error("SELECT * FROM crm_health.fit_ghost_model('infinity')");
    assert_eq!(state, "22023");
}

#[test]
fn the_past_is_scored_as_it_was_and_judged_by_what_came() {
    let mut db = Database::new();
    people(&mut db);
    let rows = db.query(
        "SELECT * FROM crm_health.backtest(now() - interval '200 days', now() - interval '60 days', 30)",
        &[],
    );
    assert_eq!(rows.len(), 6, "five cut-offs and all of them");
    let total: i64 = rows
        .iter()
        .take(5)
        .map(|row| row.get::<_, i64>("contacts"))
        .sum();
    let all = &rows[5];
    assert_eq!(all.get::<_, i64>("contacts"), total);
    assert!(all.try_get::<_, Option<i32>>("cutoff").is_err(), "a date");
    assert!(all.get::<_, f64>("auc") > 0.6);
    let none = db.query(
        "SELECT * FROM crm_health.backtest('1990-01-01', '1991-01-01', 30)",
        &[],
    );
    assert!(none.is_empty());
    for (call, reason) in [
        (
            "now(), now() - interval '1 day', 30",
            "p_to must not lie before",
        ),
        ("now() - interval '90 days', now(), 0", "p_horizon_days"),
        ("'0001-01-01', now(), 30", "at most 15000 days"),
    ] {
        let (state, message, _) = db.error(&format!("SELECT * FROM crm_health.backtest({call})"));
        assert_eq!(state, "22023");
        assert!(message.contains(reason), "{message}");
    }
    let (state, _, _) = db.error("SELECT * FROM crm_health.backtest(now(), now(), 30, 'unknown')");
    assert_eq!(state, "42704");
}

#[test]
fn a_dump_brings_back_the_fit_that_was_in_use() {
    let mut db = Database::new();
    people(&mut db);
    db.run("SELECT * FROM crm_health.fit_ghost_model(p_name => 'ours')");
    let metrics: serde_json::Value = db.value(
        "SELECT metrics FROM crm_health.ghost_models WHERE name = 'ours'",
        &[],
    );
    let mut restored = Database::empty();
    restore(&restored.url(), &dump(&db.url(), &[]));
    assert_eq!(
        (active(&mut restored).as_str(), models(&mut restored)),
        ("ours", 2)
    );
    let back: serde_json::Value = restored.value(
        "SELECT metrics FROM crm_health.ghost_models WHERE name = 'ours'",
        &[],
    );
    assert_eq!(back, metrics);
}
