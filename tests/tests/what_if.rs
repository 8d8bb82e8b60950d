//! The core without tables: metrics as JSON in, scores as JSON out.

use crm_health_tests::{Crm, Database};
use serde_json::{Value, json};

fn score(db: &mut Database, name: &str, metrics: &Value) -> Value {
    db.value(&format!("SELECT crm_health.{name}($1)"), &[metrics])
}

#[test]
fn a_deal_with_every_metric_scores_what_the_formulas_say() {
    let mut db = Database::new();
    let metrics = json!({
        "stage": "SQL", "days_in_stage": 10, "days_since_last_meeting": 2, "days_since_last_activity": 1,
        "avg_sentiment": 0.3, "sentiment_trend": "improving", "meeting_count_30d": 3, "activity_count_30d": 4,
        "avg_response_time_hours": 6
    });
    assert_eq!(
        score(&mut db, "score_deal", &metrics),
        json!({
            "stage_velocity_score": 83, "sentiment_score": 75, "engagement_score": 100, "activity_score": 90,
            "response_time_score": 80, "overall_health_score": 85, "health_status": "healthy",
            "risk_factors": [], "risk_level": "low", "predicted_close_probability": 85
        })
    );
}

#[test]
fn a_relationship_with_every_metric_scores_what_the_formulas_say() {
    let mut db = Database::new();
    Crm(&mut db).ghost_by_rules();
    let metrics = json!({
        "days_since_last_contact": 30, "days_since_last_response": 40, "avg_response_time_hours": 40,
        "response_rate_percent": 20, "email_open_rate_percent": 10, "communication_count_30d": 1,
        "meeting_count_30d": 0, "days_since_last_meeting": 50, "avg_sentiment": -0.4, "sentiment_trend": "declining",
        "baseline_response_time_hours": 10, "baseline_contact_frequency_days": 10,
        "baseline_meeting_frequency_days": 20, "total_deal_value": 100, "at_risk_deal_value": 51
    });
    // 25 * .25 + (50 + 10 - 40) * .30 + (50 - 30) * .20 + (30 - 20) * .15 + 0 = 17.75
    assert_eq!(
        score(&mut db, "score_relationship", &metrics),
        json!({
            "communication_frequency_score": 25, "response_behavior_score": 20, "engagement_quality_score": 20,
            "sentiment_score": 10, "meeting_pattern_score": 0, "overall_health_score": 18,
            "is_ghost_risk": true, "health_status": "ghost", "ghost_probability_percent": 82,
            "risk_factors": [
                "no_contact_21_days", "low_communication_frequency", "low_response_rate", "no_response_14_days",
                "response_time_increased_3x", "email_opens_stopped", "no_meetings_30_days", "sentiment_declining",
                "negative_sentiment", "majority_deals_at_risk"
            ],
            "risk_level": "critical"
        })
    );
}

#[test]
fn missing_and_null_keys_mean_unknown() {
    let mut db = Database::new();
    for (name, keys) in [
        ("score_deal", DEAL_KEYS),
        ("score_relationship", RELATIONSHIP_KEYS),
    ] {
        let nulls: Value = keys
            .iter()
            .map(|(key, _)| ((*key).to_owned(), Value::Null))
            .collect();
        let missing = score(&mut db, name, &json!({}));
        assert_eq!(score(&mut db, name, &nulls), missing);
        assert_eq!(
            missing["risk_factors"],
            json!([]),
            "what is unknown is no risk"
        );
    }
    let unknown_deal = score(&mut db, "score_deal", &json!({}));
    assert_eq!(
        unknown_deal["overall_health_score"], 52,
        "50 everywhere, 70 for the response time"
    );
}

/// Each key with a value of the wrong type.
const DEAL_KEYS: &[(&str, &str)] = &[
    ("stage", "7"),
    ("days_in_stage", "\"seven\""),
    ("days_since_last_meeting", "1.5"),
    ("days_since_last_activity", "true"),
    ("avg_sentiment", "\"good\""),
    ("sentiment_trend", "\"up\""),
    ("meeting_count_30d", "[]"),
    ("activity_count_30d", "{}"),
    ("avg_response_time_hours", "\"4h\""),
];

const RELATIONSHIP_KEYS: &[(&str, &str)] = &[
    ("days_since_last_contact", "\"1\""),
    ("days_since_last_response", "1.5"),
    ("avg_response_time_hours", "\"4h\""),
    ("response_rate_percent", "0.5"),
    ("email_open_rate_percent", "\"50%\""),
    ("communication_count_30d", "[]"),
    ("meeting_count_30d", "false"),
    ("days_since_last_meeting", "{}"),
    ("avg_sentiment", "\"good\""),
    ("sentiment_trend", "1"),
    ("baseline_response_time_hours", "\"1\""),
    ("baseline_contact_frequency_days", "true"),
    ("baseline_meeting_frequency_days", "[1]"),
    ("total_deal_value", "\"1,000\""),
    ("at_risk_deal_value", "\"none\""),
];

#[test]
fn a_value_of_the_wrong_type_is_named() {
    let mut db = Database::new();
    for (name, keys) in [
        ("score_deal", DEAL_KEYS),
        ("score_relationship", RELATIONSHIP_KEYS),
    ] {
        for (key, wrong) in keys {
            let (state, message, _) = db.error(&format!(
                "SELECT crm_health.{name}('{{\"{key}\": {wrong}}}')"
            ));
            assert_eq!(state, "22023", "{name} {key}");
            assert!(message.starts_with(&format!("{key} must be ")), "{message}");
        }
    }
}

#[test]
fn an_unknown_key_is_named_with_those_that_are_known() {
    let mut db = Database::new();
    for (name, keys) in [
        ("score_deal", DEAL_KEYS),
        ("score_relationship", RELATIONSHIP_KEYS),
    ] {
        let (state, message, _) = db.error(&format!(
            "SELECT crm_health.{name}('{{\"days_in_stagee\": 7}}')"
        ));
        assert_eq!(state, "22023");
        assert!(
            message.contains("unknown key \"days_in_stagee\""),
            "{message}"
        );
        for (key, _) in keys {
            assert!(message.contains(key), "{key} in: {message}");
        }
        for wrong in ["[]", "7", "\"{}\"", "null"] {
            let (state, message, _) = db.error(&format!("SELECT crm_health.{name}('{wrong}')"));
            assert_eq!(state, "22023");
            assert!(
                message.starts_with("metrics must be an object"),
                "{message}"
            );
        }
    }
}

#[test]
fn no_metrics_at_all_give_null() {
    let mut db = Database::new();
    for name in ["score_deal", "score_relationship"] {
        let scored: Option<Value> = db.value(&format!("SELECT crm_health.{name}(NULL)"), &[]);
        assert_eq!(scored, None, "{name}");
    }
}

#[test]
fn numbers_of_any_size_give_a_score() {
    let mut db = Database::new();
    for number in [
        "9223372036854775807",
        "-9223372036854775808",
        "1e30",
        "-1e300",
        "2147483648",
    ] {
        for (name, keys) in [
            ("score_deal", DEAL_KEYS),
            ("score_relationship", RELATIONSHIP_KEYS),
        ] {
            for (key, _) in keys
                .iter()
                .filter(|(key, _)| !["stage", "sentiment_trend"].contains(key))
            {
                let scored: Value = db.value(
                    &format!("SELECT crm_health.{name}('{{\"{key}\": {number}}}')"),
                    &[],
                );
                let overall = scored["overall_health_score"].as_i64().unwrap();
                assert!(
                    (0..=100).contains(&overall),
                    "{name} {key} {number}: {overall}"
                );
            }
        }
    }
}

#[test]
fn the_ghost_model_can_be_named_and_an_unknown_one_is_refused() {
    let mut db = Database::new();
    let metrics = r#"{"days_since_last_response": 15}"#;
    let by_rules: Value = db.value(
        &format!("SELECT crm_health.score_relationship('{metrics}', 'rules')"),
        &[],
    );
    assert_eq!(
        (&by_rules["is_ghost_risk"], &by_rules["health_status"]),
        (&json!(true), &json!("ghost"))
    );
    let (state, message, _) = db.error(&format!(
        "SELECT crm_health.score_relationship('{metrics}', 'tea leaves')"
    ));
    assert_eq!(state, "22023");
    assert!(message.contains("tea leaves"), "{message}");
}

#[test]
fn ghost_signals_are_assessed_under_the_score() {
    let mut db = Database::new();
    let mut assess = |overall: Option<i32>, signals: Value| -> Value {
        db.value(
            "SELECT crm_health.assess_ghost($1, $2)",
            &[&overall, &signals],
        )
    };
    let signals = json!([
        {"signal_type": "meeting_rescheduled_repeatedly", "severity": "high"},
        {"signal_type": "email_no_response", "severity": "critical"}
    ]);
    // 20 + 15 + 25
    assert_eq!(
        assess(Some(49), signals.clone()),
        json!({"is_ghost_risk": true, "ghost_probability_percent": 60, "days_until_predicted_ghost": 4,
               "highest_severity": "critical", "recommended_action": "intervene_now", "context_trigger": "meeting_rescheduled"})
    );
    assert_eq!(
        assess(Some(50), signals.clone())["ghost_probability_percent"],
        40
    );
    let low = assess(Some(29), signals.clone());
    assert_eq!(
        json!([low["ghost_probability_percent"], low["recommended_action"]]),
        json!([80, "urgent"])
    );
    assert_eq!(assess(None, signals)["ghost_probability_percent"], 40);
    assert_eq!(
        assess(Some(80), json!([])),
        json!({"is_ghost_risk": false, "ghost_probability_percent": 0, "days_until_predicted_ghost": null,
               "highest_severity": null, "recommended_action": "monitor", "context_trigger": null})
    );
}

#[test]
fn ghost_signals_that_are_none_are_named() {
    let mut db = Database::new();
    for (signals, named) in [
        (
            r#"{"signal_type": "email_no_response"}"#,
            "signals must be an array",
        ),
        (r#"["email_no_response"]"#, "signals[0] must be an object"),
        (
            r#"[{"signal_type": "email_no_response", "severity": "high"}, {"signal_type": "bad_luck", "severity": "high"}]"#,
            "signals[1].signal_type",
        ),
        (
            r#"[{"signal_type": "email_no_response", "severity": "dire"}]"#,
            "signals[0].severity",
        ),
        (
            r#"[{"signal_type": "email_no_response"}]"#,
            "signals[0].severity",
        ),
        (
            r#"[{"signal_type": "email_no_response", "severity": "high", "colour": "red"}]"#,
            "signals[0].colour",
        ),
    ] {
        let (state, message, _) =
            db.error(&format!("SELECT crm_health.assess_ghost(50, '{signals}')"));
        assert_eq!(state, "22023", "{signals}");
        assert!(message.contains(named), "{message}");
    }
}

#[test]
fn a_ghost_model_that_is_none_is_refused_with_those_that_are() {
    let mut db = Database::new();
    let (code, message, _) = db.error("SELECT crm_health.score_relationship('{}', 'RULES')");
    assert_eq!(code, "22023");
    assert_eq!(
        message,
        "ghost_model must be calibrated or rules, not \"RULES\""
    );
}
