//! The rules of alerts: what ships, what is refused when it is saved, and what a user's own do.

use crm_health_tests::cluster::install_crm;
use crm_health_tests::session::listen;
use crm_health_tests::{Crm, Database};
use serde_json::{Value, json};
use uuid::Uuid;

/// A rule that can be used, but for what a test makes of it.
const RULE: &str = "INSERT INTO deal_health_rules
    (rule_name, rule_type, threshold_operator, threshold_value, alert_severity, alert_message_template)
    VALUES ('Mine', 'days_in_current_stage', '>=', 5, 'info', '{deal_name} waits')";

fn alerts(db: &mut Database) -> Value {
    db.value(
        "SELECT coalesce(jsonb_agg(concat_ws(' ', alert_type, severity, message) ORDER BY alert_type), '[]')
         FROM deal_health_alerts WHERE status = 'active'",
        &[],
    )
}

/// A deal that only a rule on its stage has anything to say about.
fn deal(db: &mut Database, days_in_stage: f64) -> (Uuid, Uuid) {
    let mut crm = Crm(db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, "Opportunity", days_in_stage);
    crm.activity(user, deal, 1.0);
    crm.deal_meeting(user, deal, 3.0);
    (user, deal)
}

fn refresh(db: &mut Database, user: Uuid) {
    db.query(
        "SELECT crm_health.refresh_deals(ARRAY[$1::uuid], 0)",
        &[&user],
    );
}

#[test]
fn eight_rules_ship_and_each_can_be_used() {
    let mut db = Database::new();
    let shipped: Value = db.value(
        "SELECT jsonb_agg(concat_ws(' ', rule_type, threshold_operator, threshold_value, alert_severity)
                          ORDER BY rule_type, threshold_value) FROM deal_health_rules WHERE is_system_rule AND is_active",
        &[],
    );
    assert_eq!(
        shipped,
        json!([
            "avg_response_time_hours > 48 info",
            "days_in_current_stage >= 14 warning",
            "days_in_current_stage >= 30 critical",
            "days_since_last_activity >= 7 warning",
            "days_since_last_activity >= 14 critical",
            "days_until_close <= 7 warning",
            "meeting_count_last_30_days < 1 warning",
            "sentiment_trend = -1 warning",
        ])
    );
    db.run("SELECT crm_health.check_deal_rule(to_jsonb(r)) FROM deal_health_rules r");
}

#[test]
fn a_rule_that_cannot_be_used_is_refused_and_the_reason_told() {
    let mut db = Database::new();
    for (change, reason) in [
        (
            "alert_message_template = 'x {deal_nme}'",
            "unknown placeholder {deal_nme}, expected one of deal_name, company, stage, days_in_stage, days_inactive, current_sentiment, meeting_count, avg_response_hours, days_until_close in alert_message_template",
        ),
        (
            "suggested_action_template = E'fine\\nnot {Deal_name}'",
            "unknown placeholder {Deal_name}",
        ),
        (
            "alert_message_template = 'a { lone one'",
            "a lone { (write {{ for the character) in alert_message_template",
        ),
        (
            "alert_message_template = 'a } lone one'",
            "a lone } (write }} for the character)",
        ),
        (
            "alert_message_template = ' '",
            "alert_message_template is missing",
        ),
        (
            "alert_message_template = repeat('x', 2001)",
            "alert_message_template is longer than 2000 characters",
        ),
        (
            "threshold_operator = '<>'",
            "unknown threshold_operator \"<>\", expected one of >, <, >=, <=, =",
        ),
        ("threshold_operator = NULL", "threshold_operator is missing"),
        ("threshold_value = NULL", "threshold_value is missing"),
        (
            "threshold_value = 'NaN'",
            "threshold_value must be a number, found \"NaN\"",
        ),
        (
            "threshold_unit = 'hours'",
            "unknown threshold_unit \"hours\", expected days for days_in_current_stage",
        ),
        (
            "rule_type = 'moon_phase'",
            "unknown rule_type \"moon_phase\", expected one of days_in_current_stage, sentiment_trend",
        ),
        (
            "alert_severity = 'fatal'",
            "unknown alert_severity \"fatal\", expected one of info, warning, critical",
        ),
        (
            "alert_type = 'boredom'",
            "unknown alert_type \"boredom\", expected one of stage_stall",
        ),
        (
            "conditions = '{\"stages\": \"SQL\"}'",
            "unknown condition \"stages\", expected one of stage, deal_value_min, deal_value_max, has_close_date",
        ),
        (
            "conditions = '{\"stage\": 7}'",
            "condition stage must be the name of a stage, or a list of names, found 7",
        ),
        ("conditions = '{\"stage\": []}'", "condition stage must be"),
        (
            "conditions = '{\"deal_value_min\": \"7\"}'",
            "condition deal_value_min must be a number, found \"7\"",
        ),
        (
            "conditions = '{\"deal_value_max\": null}'",
            "condition deal_value_max must be a number, found null",
        ),
        (
            "conditions = '{\"has_close_date\": \"yes\"}'",
            "condition has_close_date must be true or false",
        ),
        (
            "conditions = '[]'",
            "conditions must be an object, found []",
        ),
    ] {
        db.run(RULE);
        let update = format!("UPDATE deal_health_rules SET {change} WHERE rule_name = 'Mine'");
        let (code, message, hint) = db.error(&update);
        assert_eq!(code, "23514", "{message}");
        assert!(
            message.starts_with("rule \"Mine\" cannot be used: ") && message.contains(reason),
            "{message}"
        );
        assert!(hint.contains("docs/alerts.md"), "{hint}");
        db.run("DELETE FROM deal_health_rules WHERE rule_name = 'Mine'");
    }
    let insert = RULE.replace("{deal_name} waits", "{nobody} waits");
    assert_eq!(db.error(&insert).0, "23514");
}

#[test]
fn a_rule_of_ones_own_raises_under_its_conditions_only() {
    let mut db = Database::new();
    db.run("UPDATE deal_health_rules SET is_active = false");
    db.run(RULE);
    let (user, id) = deal(&mut db, 6.0);
    for (conditions, deal, raised) in [
        ("{}", "value = NULL", true),
        ("{\"stage\": \"Opportunity\"}", "value = 1", true),
        ("{\"stage\": [\"SQL\", \"Opportunity\"]}", "value = 1", true),
        ("{\"stage\": \"opportunity\"}", "value = 1", false),
        ("{\"stage\": \"Opportunity\"}", "stage_id = NULL", false),
        ("{\"deal_value_min\": 1000}", "value = 1000", true),
        ("{\"deal_value_min\": 1000}", "value = 999.99", false),
        ("{\"deal_value_min\": 0}", "value = NULL", false),
        ("{\"deal_value_max\": 1000}", "value = 1000", true),
        ("{\"deal_value_max\": 1000}", "value = 1000.01", false),
        (
            "{\"deal_value_min\": 10, \"deal_value_max\": 20}",
            "value = 15",
            true,
        ),
        (
            "{\"has_close_date\": true}",
            "expected_close_date = NULL",
            false,
        ),
        (
            "{\"has_close_date\": true}",
            "expected_close_date = '2001-01-01'",
            true,
        ),
        (
            "{\"has_close_date\": false}",
            "expected_close_date = NULL",
            true,
        ),
        (
            "{\"has_close_date\": false}",
            "expected_close_date = '2001-01-01'",
            false,
        ),
    ] {
        db.run("BEGIN");
        db.query(
            "UPDATE deal_health_rules SET conditions = $1::text::jsonb WHERE rule_name = 'Mine'",
            &[&conditions],
        );
        Crm(&mut db).set("deals", id, deal);
        refresh(&mut db, user);
        let expected = if raised {
            json!(["stage_stall info Deal waits"])
        } else {
            json!([])
        };
        assert_eq!(alerts(&mut db), expected, "{conditions}, {deal}");
        db.run("ROLLBACK");
    }
}

#[test]
fn each_operator_means_what_it_says() {
    let mut db = Database::new();
    db.run("UPDATE deal_health_rules SET is_active = false");
    db.run(RULE);
    let (user, _) = deal(&mut db, 6.5);
    for (operator, holding) in [
        (">", [true, false, false]),
        (">=", [true, true, false]),
        ("=", [false, true, false]),
        ("<=", [false, true, true]),
        ("<", [false, false, true]),
    ] {
        for (threshold, holds) in [5, 6, 7].into_iter().zip(holding) {
            db.run(&format!(
                "UPDATE deal_health_rules SET threshold_operator = '{operator}', threshold_value = {threshold} WHERE rule_name = 'Mine'"
            ));
            refresh(&mut db, user);
            assert_eq!(
                alerts(&mut db) != json!([]),
                holds,
                "6 {operator} {threshold}"
            );
        }
    }
}

#[test]
fn of_the_rules_of_a_type_the_most_severe_that_holds_speaks() {
    let mut db = Database::new();
    db.run(RULE);
    let (user, _) = deal(&mut db, 15.0);
    refresh(&mut db, user);
    assert_eq!(
        alerts(&mut db),
        json!(["stage_stall warning Deal (unknown company) has been in Opportunity for 15 days."])
    );
    db.run("UPDATE deal_health_rules SET alert_type = 'high_risk' WHERE rule_name = 'Mine'");
    refresh(&mut db, user);
    assert_eq!(
        alerts(&mut db),
        json!([
            "high_risk info Deal waits",
            "stage_stall warning Deal (unknown company) has been in Opportunity for 15 days."
        ]),
        "a type of its own"
    );
}

#[test]
fn a_rule_switched_off_resolves_what_it_raised() {
    let mut db = Database::new();
    let (user, _) = deal(&mut db, 31.0);
    refresh(&mut db, user);
    assert_eq!(alerts(&mut db).as_array().map(Vec::len), Some(1));
    db.run("UPDATE deal_health_rules SET is_active = false WHERE alert_severity = 'critical'");
    refresh(&mut db, user);
    let severity: String = db.value(
        "SELECT severity FROM deal_health_alerts WHERE status = 'active'",
        &[],
    );
    assert_eq!(severity, "warning");
    db.run("UPDATE deal_health_rules SET is_active = false");
    refresh(&mut db, user);
    assert_eq!(alerts(&mut db), json!([]));
}

#[test]
fn a_second_installation_overwrites_no_edit_and_wakes_no_rule() {
    let mut db = Database::new();
    db.run(
        "UPDATE deal_health_rules SET threshold_value = 21 WHERE rule_name = 'Stage stall, warning';
         UPDATE deal_health_rules SET is_active = false WHERE rule_name = 'Slow response'",
    );
    let all = "SELECT jsonb_agg(to_jsonb(r) ORDER BY rule_name) FROM deal_health_rules r";
    let before: Value = db.value(all, &[]);
    install_crm(&db.url());
    assert_eq!(db.value::<Value>(all, &[]), before);
    // One that a later version brings is added beside them.
    db.run("ALTER TABLE deal_health_rules DISABLE TRIGGER crm_check_deal_rule; DELETE FROM deal_health_rules WHERE rule_name = 'Sentiment drop'; ALTER TABLE deal_health_rules ENABLE TRIGGER crm_check_deal_rule");
    install_crm(&db.url());
    let rules: i64 = db.value("SELECT count(*) FROM deal_health_rules", &[]);
    assert_eq!(rules, 8);
}

#[test]
fn a_rule_that_ships_is_switched_off_and_not_deleted_or_renamed() {
    let mut db = Database::new();
    for sql in [
        "DELETE FROM deal_health_rules WHERE rule_name = 'Slow response'",
        "UPDATE deal_health_rules SET rule_name = 'other' WHERE rule_name = 'Slow response'",
    ] {
        let (code, message, hint) = db.error(sql);
        assert_eq!(
            (code.as_str(), message.as_str()),
            (
                "23001",
                "rule \"Slow response\" ships and cannot be deleted or renamed"
            )
        );
        db.run(&hint);
        db.run("UPDATE deal_health_rules SET is_active = true");
    }
    db.run(RULE);
    db.run("UPDATE deal_health_rules SET is_system_rule = true WHERE rule_name = 'Mine'; DELETE FROM deal_health_rules WHERE rule_name = 'Mine'");
}

#[test]
fn a_table_with_rules_of_somebody_else_is_left_alone_and_what_cannot_be_used_is_passed_over() {
    let mut db = Database::empty();
    db.run(
        "CREATE TABLE deal_health_rules (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), rule_name text NOT NULL UNIQUE, rule_type text,
           threshold_value numeric, threshold_operator text, alert_severity text, alert_message_template text);
         INSERT INTO deal_health_rules (rule_name, rule_type, threshold_value, threshold_operator, alert_severity, alert_message_template) VALUES
           ('Theirs', 'stage_velocity', 5, '>', 'warning', 'x'),
           ('Ours', 'days_in_current_stage', 5, '>', 'warning', '{deal_name} waits');
         CREATE EXTENSION crm_health",
    );
    install_crm(&db.url());
    let rules: i64 = db.value("SELECT count(*) FROM deal_health_rules", &[]);
    assert_eq!(rules, 2);
    db.run("UPDATE deal_health_rules SET threshold_value = 6 WHERE rule_name = 'Theirs'");
    let (user, _) = deal(&mut db, 15.0);
    let (mut session, notices) = listen(&db.url());
    session
        .query("SELECT refresh_deal_health_scores($1)", &[&user])
        .expect("a refresh");
    assert_eq!(alerts(&mut db), json!(["stage_stall warning Deal waits"]));
    let warnings = notices.of("WARNING");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].starts_with("rule \"Theirs\" of public.deal_health_rules is passed over: unknown rule_type \"stage_velocity\""),
        "{warnings:?}"
    );
}

#[test]
fn rules_are_saved_unchecked_where_the_extension_is_gone_and_found_when_it_is_back() {
    let mut db = Database::new();
    db.run("DROP EXTENSION crm_health");
    db.run(&RULE.replace("{deal_name} waits", "{nobody} waits"));
    db.run("CREATE EXTENSION crm_health");
    let (code, message, _) =
        db.error("SELECT crm_health.check_deal_rule(to_jsonb(r)) FROM deal_health_rules r");
    assert_eq!(code, "23514", "{message}");
    let listed: Vec<String> = db
        .query(
            "SELECT problem FROM crm_health.check_install() WHERE hint LIKE '%deal_health_rules%'",
            &[],
        )
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(listed, [message]);
    let (user, _) = deal(&mut db, 15.0);
    refresh(&mut db, user);
    assert_eq!(
        alerts(&mut db).as_array().map(Vec::len),
        Some(1),
        "the others still speak"
    );
}

#[test]
fn a_rule_with_a_number_that_no_double_holds_is_passed_over() {
    let mut db = Database::new();
    db.run(&format!("ALTER TABLE deal_health_rules DISABLE TRIGGER USER; {RULE}; UPDATE deal_health_rules SET threshold_value = 1e400 WHERE rule_name = 'Mine'; ALTER TABLE deal_health_rules ENABLE TRIGGER USER"));
    let (user, _) = deal(&mut db, 40.0);
    refresh(&mut db, user);
    assert!(!alerts(&mut db).as_array().expect("alerts").is_empty());
    let told: String = db.value(
        "SELECT problem FROM crm_health.check_install() WHERE hint LIKE '%deal_health_rules%'",
        &[],
    );
    assert!(
        told.starts_with("rule \"Mine\" cannot be used") && told.contains("too large"),
        "{told}"
    );
    let save = "UPDATE deal_health_rules SET threshold_value = 1e401 WHERE rule_name = 'Mine'";
    assert_eq!(db.error(save).0, "23514");
}
