//! The config tables: what they refuse, and that a change counts from the next call on.

use crm_health_tests::{Crm, Database};
use serde_json::json;
use uuid::Uuid;

/// A statement that must be refused, the constraint that does so (for a CHECK), and words of the message.
type Refused = (&'static str, &'static str);

const BAD_ROWS: &[Refused] = &[
    (
        "INSERT INTO settings (name, value) VALUES ('no_such_setting', '1')",
        "settings_name_is_known",
    ),
    (
        "UPDATE settings SET value = '0' WHERE name = 'active_window_days'",
        "settings_active_window_days_is_1_to_3650",
    ),
    (
        "UPDATE settings SET value = '3651' WHERE name = 'active_window_days'",
        "settings_active_window_days_is_1_to_3650",
    ),
    (
        "UPDATE settings SET value = 'week' WHERE name = 'active_window_days'",
        "settings_active_window_days_is_1_to_3650",
    ),
    (
        "UPDATE settings SET value = '-1' WHERE name = 'default_max_age_hours'",
        "settings_default_max_age_hours_is_0_to_876600",
    ),
    (
        "UPDATE settings SET value = '876601' WHERE name = 'default_max_age_hours'",
        "settings_default_max_age_hours_is_0_to_876600",
    ),
    (
        "UPDATE settings SET value = '' WHERE name = 'crm_schema'",
        "settings_crm_schema_is_a_name",
    ),
    (
        "UPDATE settings SET value = repeat('x', 64) WHERE name = 'crm_schema'",
        "settings_crm_schema_is_a_name",
    ),
    (
        "UPDATE settings SET value = '0' WHERE name = 'run_log_retention_days'",
        "settings_run_log_retention_days_is_1_to_36500",
    ),
    (
        "UPDATE settings SET value = '6' WHERE name = 'history_retention_days'",
        "settings_history_retention_days_is_7_to_36500",
    ),
    (
        "UPDATE settings SET value = '1.5' WHERE name = 'history_retention_days'",
        "settings_history_retention_days_is_7_to_36500",
    ),
    (
        "UPDATE settings SET value = '0' WHERE name = 'refresh_batch_users'",
        "settings_refresh_batch_users_is_1_to_1000",
    ),
    (
        "UPDATE settings SET value = '1001' WHERE name = 'refresh_batch_users'",
        "settings_refresh_batch_users_is_1_to_1000",
    ),
    (
        "UPDATE settings SET value = 'tea leaves' WHERE name = 'ghost_model'",
        "settings_ghost_model_is_known",
    ),
    (
        "UPDATE settings SET value = '1.01' WHERE name = 'ghost_cutoff'",
        "settings_ghost_cutoff_is_0_to_1",
    ),
    (
        "INSERT INTO stage_thresholds VALUES ('', 1, 2, 3)",
        "stage_thresholds_stage_is_named",
    ),
    (
        "INSERT INTO stage_thresholds VALUES ('Legal', -1, 2, 3)",
        "stage_thresholds_days_ascend",
    ),
    (
        "INSERT INTO stage_thresholds VALUES ('Legal', 3, 2, 3)",
        "stage_thresholds_days_ascend",
    ),
    (
        "INSERT INTO stage_thresholds VALUES ('Legal', 1, 4, 3)",
        "stage_thresholds_days_ascend",
    ),
    (
        "INSERT INTO stage_thresholds VALUES ('Legal', 1, 2, 36501)",
        "stage_thresholds_days_ascend",
    ),
    (
        "INSERT INTO signal_weights (model, signal, weight) VALUES ('deal', 'luck', 1)",
        "signal_weights_signal_is_known",
    ),
    (
        "UPDATE settings SET value = '3651' WHERE name = 'alert_quiet_days'",
        "settings_alert_quiet_days_is_0_to_3650",
    ),
    (
        "UPDATE settings SET value = '0' WHERE name = 'notification_retention_days'",
        "settings_notification_retention_days_is_1_to_36500",
    ),
    (
        "INSERT INTO signal_weights (model, signal, weight) VALUES ('weather', 'sentiment', 1)",
        "signal_weights_signal_is_known",
    ),
    (
        "UPDATE signal_weights SET weight = -0.1 WHERE signal = 'activity'",
        "signal_weights_weight_is_0_to_100",
    ),
    (
        "UPDATE signal_weights SET weight = 100.1 WHERE signal = 'activity'",
        "signal_weights_weight_is_0_to_100",
    ),
    (
        "INSERT INTO status_cutoffs (model, status, min_score) VALUES ('deal', 'at_risk', 60)",
        "status_cutoffs_status_is_known",
    ),
    (
        "UPDATE status_cutoffs SET min_score = 101 WHERE model = 'deal' AND status = 'healthy'",
        "status_cutoffs_min_score_is_0_to_100",
    ),
    (
        "UPDATE status_cutoffs SET min_score = -1 WHERE model = 'deal' AND status = 'critical'",
        "status_cutoffs_min_score_is_0_to_100",
    ),
];

#[test]
fn every_check_refuses_a_bad_row_under_a_name_that_says_why() {
    let mut db = Database::new();
    db.run("SET search_path = crm_health, public");
    for (statement, constraint) in BAD_ROWS {
        let (state, message, _) = db.error(statement);
        assert_eq!(state, "23514", "{statement}");
        assert!(message.contains(constraint), "{statement}: {message}");
    }
}

#[test]
fn no_check_of_the_config_tables_goes_without_a_bad_row() {
    let mut db = Database::new();
    let checks: Vec<String> = db
        .query(
            "SELECT conname::text FROM pg_constraint WHERE contype = 'c' AND conrelid IN (
               'crm_health.settings'::regclass, 'crm_health.stage_thresholds'::regclass,
               'crm_health.signal_weights'::regclass, 'crm_health.status_cutoffs'::regclass)",
            &[],
        )
        .iter()
        .map(|row| row.get(0))
        .collect();
    let untried: Vec<&String> = checks
        .iter()
        .filter(|check| !BAD_ROWS.iter().any(|(_, constraint)| constraint == check))
        .collect();
    assert!(untried.is_empty(), "{untried:?}");
}

#[test]
fn values_at_the_limits_are_taken() {
    let mut db = Database::new();
    db.run(
        "SET search_path = crm_health, public;
         UPDATE settings SET value = '3650' WHERE name = 'active_window_days';
         UPDATE settings SET value = '0' WHERE name = 'default_max_age_hours';
         UPDATE settings SET value = '876600' WHERE name = 'default_max_age_hours';
         UPDATE settings SET value = '36500' WHERE name = 'run_log_retention_days';
         UPDATE settings SET value = '7' WHERE name = 'history_retention_days';
         UPDATE settings SET value = '1000' WHERE name = 'refresh_batch_users';
         INSERT INTO stage_thresholds VALUES ('Legal', 0, 0, 0), ('Board', 36500, 36500, 36500);
         UPDATE signal_weights SET weight = 100 WHERE signal = 'activity';
         UPDATE signal_weights SET weight = 0 WHERE signal = 'response_time';
         UPDATE status_cutoffs SET min_score = 100 WHERE model = 'deal' AND status = 'healthy';
         UPDATE status_cutoffs SET min_score = 0 WHERE model = 'deal' AND status = 'critical'",
    );
    db.query("SELECT crm_health.score_deal('{}')", &[]);
}

#[test]
fn cutoffs_that_do_not_descend_are_refused_and_move_together() {
    let mut db = Database::new();
    let (state, message, hint) =
        db.error("UPDATE crm_health.status_cutoffs SET min_score = 80 WHERE model = 'deal' AND status = 'warning'");
    assert_eq!(state, "23514");
    assert!(message.contains("must descend"), "{message}");
    assert!(hint.contains("one statement"), "{hint}");
    // Of two equal ones the lower status could never be had.
    let (state, ..) = db.error("UPDATE crm_health.status_cutoffs SET min_score = 75 WHERE model = 'deal' AND status = 'warning'");
    assert_eq!(state, "23514");
    db.run("UPDATE crm_health.status_cutoffs SET min_score = min_score + 20 WHERE model = 'deal'");
}

#[test]
fn rows_that_ship_can_be_changed_but_not_deleted_or_renamed() {
    let mut db = Database::new();
    for (table, key) in [
        ("settings", "name"),
        ("stage_thresholds", "stage"),
        ("signal_weights", "signal"),
        ("status_cutoffs", "status"),
    ] {
        let (state, message, hint) = db.error(&format!("DELETE FROM crm_health.{table}"));
        assert_eq!(
            (state.as_str(), hint.as_str()),
            ("23001", "UPDATE its values instead"),
            "{table}: {message}"
        );
        assert!(message.contains(table), "{message}");
        let (state, message, hint) = db.error(&format!(
            "UPDATE crm_health.{table} SET {key} = {key} || ' of ours'"
        ));
        assert_eq!(state, "23001", "{table}: {message}");
        assert!(hint.contains("INSERT"), "{hint}");
    }
    db.run(
        "UPDATE crm_health.stage_thresholds SET optimal_days = 0 WHERE stage = 'SQL';
         INSERT INTO crm_health.stage_thresholds VALUES ('Legal', 1, 2, 3)",
    );
    assert_eq!(
        db.error("DELETE FROM crm_health.stage_thresholds WHERE stage = 'SQL'")
            .0,
        "23001",
        "changed, it still ships"
    );
    db.run("DELETE FROM crm_health.stage_thresholds WHERE stage = 'Legal'");
}

#[test]
fn what_the_user_changed_can_be_told_from_what_ships() {
    let mut db = Database::new();
    db.run(
        "UPDATE crm_health.settings SET value = '14' WHERE name = 'active_window_days';
         INSERT INTO crm_health.stage_thresholds VALUES ('Legal', 1, 2, 3)",
    );
    let changed: Vec<String> = db
        .query(
            "SELECT name || CASE WHEN shipped THEN ' ships' ELSE '' END FROM crm_health.settings WHERE changed_at IS NOT NULL
             UNION ALL SELECT stage || CASE WHEN shipped THEN ' ships' ELSE '' END FROM crm_health.stage_thresholds WHERE changed_at IS NOT NULL",
            &[],
        )
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(changed, ["active_window_days ships", "Legal"]);
}

fn velocity(db: &mut Database, user: Uuid) -> (i32, String) {
    db.query("SELECT refresh_deal_health_scores($1, 0)", &[&user]);
    let row = &db.query(
        "SELECT stage_velocity_score, health_status FROM deal_health_scores",
        &[],
    )[0];
    (row.get(0), row.get(1))
}

#[test]
fn thresholds_weights_and_cutoffs_count_from_the_next_call_on() {
    let mut db = Database::new();
    db.run("INSERT INTO deal_stages (name) VALUES ('Legal')");
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    crm.deal(user, "Legal", 20.0);
    // Any other stage: 100 - 40 * (20 - 14) / (21 - 14) = 65.7; 19.8 + 12.5 + 10 + 3 + 7 = 52.3
    assert_eq!(velocity(&mut db, user), (66, "warning".to_owned()));
    db.run("UPDATE crm_health.stage_thresholds SET optimal_days = 20 WHERE stage = '*'");
    assert_eq!(velocity(&mut db, user), (100, "warning".to_owned()));
    db.run("INSERT INTO crm_health.stage_thresholds VALUES ('Legal', 0, 10, 30)");
    // 60 - 40 * (20 - 10) / (30 - 10); 12 + 12.5 + 10 + 3 + 7 = 44.5
    assert_eq!(velocity(&mut db, user), (40, "critical".to_owned()));
    db.run("UPDATE crm_health.signal_weights SET weight = 0 WHERE model = 'deal' AND signal = 'stage_velocity'");
    // (12.5 + 10 + 3 + 7) / 0.7 = 46.4
    assert_eq!(velocity(&mut db, user), (40, "critical".to_owned()));
    let overall: i32 = db.value("SELECT overall_health_score FROM deal_health_scores", &[]);
    assert_eq!(overall, 46);
    db.run("UPDATE crm_health.status_cutoffs SET min_score = 46 WHERE model = 'deal' AND status = 'warning'");
    assert_eq!(velocity(&mut db, user).1, "warning");
}

#[test]
fn a_session_sees_what_another_session_configured() {
    let mut db = Database::new();
    let user = Crm(&mut db).user(0.0);
    Crm(&mut db).deal(user, "SQL", 20.0);
    let first = velocity(&mut db, user);
    db.session()
        .batch_execute("UPDATE crm_health.stage_thresholds SET optimal_days = 30, warning_days = 30 WHERE stage = 'SQL'")
        .unwrap();
    assert_ne!(velocity(&mut db, user), first);
    assert_eq!(velocity(&mut db, user).0, 100);
}

#[test]
fn weights_need_not_sum_to_one() {
    let mut db = Database::new();
    let score = "SELECT crm_health.score_deal('{\"days_in_stage\": 3}')";
    let before: serde_json::Value = db.value(score, &[]);
    db.run("UPDATE crm_health.signal_weights SET weight = weight * 100 WHERE model = 'deal'");
    let after: serde_json::Value = db.value(score, &[]);
    assert_eq!(after, before);
}

#[test]
fn weights_that_sum_to_zero_are_an_error_that_says_where_to_mend_it() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = crm.contact(user);
    crm.deal(user, "SQL", 5.0);
    db.run("UPDATE crm_health.signal_weights SET weight = 0 WHERE model = 'relationship'");
    for call in [
        format!("SELECT refresh_relationship_health_scores('{user}')"),
        format!("SELECT crm_health.explain_contact('{contact}')"),
        "SELECT crm_health.score_relationship('{}')".to_owned(),
    ] {
        let (state, message, hint) = db.error(&call);
        assert_eq!(state, "22023", "{call}");
        assert!(
            message.contains("weights of the relationship model sum to zero"),
            "{message}"
        );
        assert!(hint.contains("check_install"), "{hint}");
    }
    let (problem, mend): (String, String) = {
        let row = &db.query("SELECT problem, hint FROM crm_health.check_install() WHERE problem LIKE '%sum to zero%'", &[])[0];
        (row.get(0), row.get(1))
    };
    assert!(problem.contains("relationship"), "{problem}");
    db.run(&mend);
    db.query("SELECT refresh_relationship_health_scores($1)", &[&user]);
}

#[test]
fn the_ghost_model_is_what_the_settings_say() {
    let mut db = Database::new();
    Crm(&mut db).ghost_by_rules();
    let scored: serde_json::Value = db.value(
        "SELECT crm_health.score_relationship('{\"days_since_last_response\": 15}')",
        &[],
    );
    assert_eq!(scored["is_ghost_risk"], json!(true));
}
