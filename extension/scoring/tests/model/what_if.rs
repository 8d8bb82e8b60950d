//! JSON in, JSON out: the names of both sides, and errors that name what is wrong.

use crm_health_scoring::config::Config;
use crm_health_scoring::whatif::{assess_ghost, score_deal, score_relationship};
use serde_json::{Value, json};

fn deal(metrics: &Value) -> Result<Value, String> {
    score_deal(metrics, &Config::default()).map_err(|error| error.to_string())
}

fn relationship(metrics: &Value) -> Result<Value, String> {
    score_relationship(metrics, &Config::default()).map_err(|error| error.to_string())
}

fn assess(overall: Option<i64>, signals: &Value) -> Result<Value, String> {
    assess_ghost(overall, signals).map_err(|error| error.to_string())
}

#[test]
fn a_deal_of_every_key() {
    let metrics = json!({
        "stage": "Verbal", "days_in_stage": 45, "days_since_last_meeting": 35,
        "days_since_last_activity": 20, "avg_sentiment": -0.4, "sentiment_trend": "declining",
        "meeting_count_30d": 0, "activity_count_30d": 1, "avg_response_time_hours": 60
    });
    let expected = json!({
        "stage_velocity_score": 15, "sentiment_score": 15, "engagement_score": 20,
        "activity_score": 20, "response_time_score": 24,
        "overall_health_score": 18, "health_status": "stalled",
        "risk_factors": ["stage_stalled_critical", "sentiment_declining", "negative_sentiment",
                         "no_recent_meeting", "no_meetings_30_days", "no_recent_activity",
                         "low_activity", "slow_response_time"],
        "risk_level": "critical", "predicted_close_probability": 18
    });
    assert_eq!(deal(&metrics), Ok(expected));
}

#[test]
fn a_relationship_of_every_key() {
    let metrics = json!({
        "days_since_last_contact": 4, "days_since_last_response": 16,
        "avg_response_time_hours": 12.5, "response_rate_percent": 45,
        "email_open_rate_percent": 55, "communication_count_30d": 6, "meeting_count_30d": 1,
        "days_since_last_meeting": 12, "avg_sentiment": 0.2, "sentiment_trend": "stable",
        "baseline_response_time_hours": 10, "baseline_contact_frequency_days": 4,
        "baseline_meeting_frequency_days": 14, "total_deal_value": 1000, "at_risk_deal_value": 100
    });
    // 6 of 7.5 in 30 days; 50 + 20 + 30; 50 + 20 + 10 + 15; 60; 1 of 2.14
    let expected = json!({
        "communication_frequency_score": 75, "response_behavior_score": 100,
        "engagement_quality_score": 95, "sentiment_score": 60, "meeting_pattern_score": 25,
        "overall_health_score": 79, "is_ghost_risk": true, "health_status": "ghost",
        "risk_factors": ["no_response_14_days"], "risk_level": "low",
        "ghost_probability_percent": 60
    });
    assert_eq!(relationship(&metrics), Ok(expected));
}

#[test]
fn missing_and_null_keys_are_unknown() {
    let nulls = |keys: &[&str]| -> Value {
        keys.iter()
            .map(|key| ((*key).to_owned(), Value::Null))
            .collect()
    };
    let deal_nulls = nulls(&["stage", "days_in_stage", "sentiment_trend", "avg_sentiment"]);
    assert_eq!(deal(&deal_nulls), deal(&json!({})));
    assert_eq!(deal(&json!({})).unwrap()["overall_health_score"], 52);
    let contact_nulls = nulls(&[
        "days_since_last_contact",
        "sentiment_trend",
        "total_deal_value",
    ]);
    assert_eq!(relationship(&contact_nulls), relationship(&json!({})));
    let unknown = relationship(&json!({})).unwrap();
    assert_eq!(unknown["overall_health_score"], 50);
    assert_eq!(unknown["ghost_probability_percent"], Value::Null);
}

#[test]
fn whole_numbers_may_be_written_with_a_point_and_be_huge() {
    let score = |days: Value| deal(&json!({ "days_in_stage": days })).unwrap();
    assert_eq!(score(json!(22.0)), score(json!(22)));
    assert_eq!(score(json!(1e30)), score(json!(i64::MAX)));
    assert_eq!(score(json!(u64::MAX)), score(json!(i64::MAX)));
    assert_eq!(score(json!(-1e30)), score(json!(0)));
}

#[test]
fn errors_name_the_key_what_was_found_and_what_is_expected() {
    let table = [
        (json!([]), "metrics must be an object, found an array"),
        (json!(null), "metrics must be an object, found nothing"),
        (json!("x"), "metrics must be an object, found \"x\""),
        (json!({"stage": 5}), "stage must be a string, found 5"),
        (
            json!({"days_in_stage": "5"}),
            "days_in_stage must be a whole number, found \"5\"",
        ),
        (
            json!({"days_in_stage": 5.5}),
            "days_in_stage must be a whole number, found 5.5",
        ),
        (
            json!({"days_in_stage": true}),
            "days_in_stage must be a whole number, found a boolean",
        ),
        (
            json!({"avg_sentiment": "NaN"}),
            "avg_sentiment must be a finite number, found \"NaN\"",
        ),
        (
            json!({"avg_sentiment": [0.5]}),
            "avg_sentiment must be a finite number, found an array",
        ),
        (
            json!({"avg_sentiment": {}}),
            "avg_sentiment must be a finite number, found an object",
        ),
        (
            json!({"sentiment_trend": "up"}),
            "sentiment_trend must be one of \"improving\", \"stable\", \"declining\", \"unknown\", \
             found \"up\"",
        ),
        (
            json!({"days_in_stge": null}),
            "unknown key \"days_in_stge\", expected one of stage, days_in_stage, \
             days_since_last_meeting, days_since_last_activity, avg_sentiment, sentiment_trend, \
             meeting_count_30d, activity_count_30d, avg_response_time_hours",
        ),
    ];
    for (metrics, expected) in table {
        assert_eq!(deal(&metrics), Err(expected.to_owned()), "{metrics}");
    }
    let error = relationship(&json!({"stage": "SQL"})).unwrap_err();
    assert!(error.starts_with("unknown key \"stage\", expected one of days_since_last_contact"));
    let error = relationship(&json!({"total_deal_value": "10"})).unwrap_err();
    assert_eq!(
        error,
        "total_deal_value must be a finite number, found \"10\""
    );
}

#[test]
fn every_key_of_the_metrics_is_accepted_and_checked() {
    type Score = fn(&Value) -> Result<Value, String>;
    let scores: [(Score, Vec<String>); 2] = [
        (
            deal,
            keys(&crm_health_scoring::deal::DealMetrics::default()),
        ),
        (
            relationship,
            keys(&crm_health_scoring::relationship::RelationshipMetrics::default()),
        ),
    ];
    for (score, keys) in scores {
        for key in keys {
            let error = score(&json!({ key.clone(): [] })).unwrap_err();
            assert!(error.starts_with(&format!("{key} must be ")), "{error}");
        }
    }
}

fn keys(metrics: &impl serde::Serialize) -> Vec<String> {
    let json = serde_json::to_value(metrics).unwrap();
    json.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn signals_are_assessed() {
    let signals = json!([
        {"signal_type": "email_no_response", "severity": "critical"},
        {"signal_type": "sentiment_declining", "severity": "medium"}
    ]);
    let expected = json!({
        "is_ghost_risk": true, "ghost_probability_percent": 50, "days_until_predicted_ghost": 5,
        "highest_severity": "critical", "recommended_action": "intervene_now",
        "context_trigger": "multiple_followups_ignored"
    });
    assert_eq!(assess(Some(45), &signals), Ok(expected));
    let expected = json!({
        "is_ghost_risk": false, "ghost_probability_percent": 0,
        "days_until_predicted_ghost": null, "highest_severity": null,
        "recommended_action": "monitor", "context_trigger": null
    });
    assert_eq!(assess(None, &json!([])), Ok(expected.clone()));
    assert_eq!(assess(None, &Value::Null), Ok(expected));
}

#[test]
fn errors_in_signals_name_the_place() {
    let signal = json!({"signal_type": "thread_dropout", "severity": "low"});
    let severities = "\"low\", \"medium\", \"high\", \"critical\"";
    let table = [
        (
            json!({}),
            "signals must be an array of objects, found an object".to_owned(),
        ),
        (
            json!([signal, 5]),
            "signals[1] must be an object with signal_type and severity, found 5".to_owned(),
        ),
        (
            json!([{"signal_type": "thread_dropout"}]),
            format!("signals[0].severity must be one of {severities}, found nothing"),
        ),
        (
            json!([signal, {"signal_type": "thread_dropout", "severity": "worst"}]),
            format!("signals[1].severity must be one of {severities}, found \"worst\""),
        ),
        (
            json!([{"signal_type": "thread_dropout", "severity": "low", "level": 1}]),
            "unknown key \"signals[0].level\", expected one of signal_type, severity".to_owned(),
        ),
    ];
    for (signals, expected) in table {
        assert_eq!(assess(Some(50), &signals), Err(expected), "{signals}");
    }
    let error = assess(None, &json!([{"signal_type": "x", "severity": "low"}])).unwrap_err();
    assert!(error.starts_with("signals[0].signal_type must be one of \"email_no_response\""));
    assert!(error.ends_with("found \"x\""), "{error}");
}
