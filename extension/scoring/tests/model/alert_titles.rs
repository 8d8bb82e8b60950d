//! The heading of an alert says what its rule tested, and its numbers differ from the threshold that they passed.

use crm_health_scoring::alert::{DealFacts, Rule};
use crm_health_scoring::status::SentimentTrend;
use serde_json::json;

/// What a rule on hours or sentiment says of a deal.
fn message(metric: &str, operator: &str, threshold: f64, deal: &DealFacts<'_>) -> String {
    let row = json!({
        "rule_name": "r", "rule_type": metric, "threshold_operator": operator, "threshold_value": threshold,
        "alert_severity": "info", "alert_message_template": "{avg_response_hours} {current_sentiment}",
        "suggested_action_template": "{avg_response_hours}",
    });
    let row = serde_json::from_value(row).expect("a row");
    let alert = Rule::parse(&row).expect("a rule").alert(deal);
    let hours = alert.message.split(' ').next();
    assert_eq!(hours, alert.suggested_actions.first().map(String::as_str));
    alert.message
}

fn title(metric: &str, operator: &str, threshold: f64, deal: &DealFacts<'_>) -> String {
    let row = json!({
        "rule_name": "r", "rule_type": metric, "threshold_operator": operator, "threshold_value": threshold,
        "alert_severity": "warning", "alert_message_template": "x", "alert_type": "high_risk",
    });
    let row = serde_json::from_value(row).expect("a row");
    let rule = Rule::parse(&row).expect("a rule");
    assert!(rule.holds(deal), "{metric} {operator} {threshold}");
    let title = rule.alert(deal).title;
    title
        .strip_prefix("Renewal: ")
        .expect("the name")
        .to_owned()
}

fn deal() -> DealFacts<'static> {
    DealFacts {
        deal_name: Some("Renewal"),
        overall_health_score: Some(40),
        days_in_stage: Some(20),
        days_since_last_activity: Some(0),
        days_since_last_meeting: Some(15),
        meeting_count_30d: Some(8),
        activity_count_30d: Some(4),
        avg_response_time_hours: Some(50.0),
        avg_sentiment: Some(-0.4),
        sentiment_trend: SentimentTrend::Improving,
        days_until_close: Some(3),
        ..Default::default()
    }
}

#[test]
fn the_title_follows_the_metric_and_the_operator_and_not_the_type() {
    let table = [
        (
            "days_in_current_stage",
            ">=",
            14.0,
            "no progress in its stage",
        ),
        ("days_in_current_stage", "<", 30.0, "time in its stage"),
        ("days_in_current_stage", "=", 20.0, "time in its stage"),
        ("avg_sentiment", "<", 0.0, "sentiment is low"),
        ("avg_sentiment", ">", -1.0, "sentiment"),
        ("avg_sentiment", "=", -0.4, "sentiment"),
        (
            "days_since_last_activity",
            "<=",
            1.0,
            "time since the last activity",
        ),
        ("days_since_last_activity", ">=", 0.0, "no recent activity"),
        (
            "days_since_last_activity",
            "=",
            0.0,
            "time since the last activity",
        ),
        ("days_since_last_meeting", ">", 14.0, "no recent meeting"),
        (
            "days_since_last_meeting",
            "<",
            20.0,
            "time since the last meeting",
        ),
        (
            "days_since_last_meeting",
            "=",
            15.0,
            "time since the last meeting",
        ),
        ("meeting_count_last_30_days", "<", 10.0, "too few meetings"),
        (
            "meeting_count_last_30_days",
            ">=",
            8.0,
            "number of meetings",
        ),
        ("meeting_count_last_30_days", "=", 8.0, "number of meetings"),
        (
            "activity_count_last_30_days",
            "<",
            5.0,
            "too little activity",
        ),
        (
            "activity_count_last_30_days",
            ">",
            3.0,
            "number of activities",
        ),
        (
            "activity_count_last_30_days",
            "=",
            4.0,
            "number of activities",
        ),
        ("avg_response_time_hours", ">", 48.0, "slow answers"),
        ("avg_response_time_hours", "<", 60.0, "time to answer"),
        ("avg_response_time_hours", "=", 50.0, "time to answer"),
        ("days_until_close", "<=", 7.0, "the close date is near"),
        ("days_until_close", ">", 2.0, "days to the close date"),
        ("days_until_close", "=", 3.0, "days to the close date"),
        ("overall_health_score", "<", 50.0, "at risk"),
        ("overall_health_score", ">", 30.0, "its score"),
        ("overall_health_score", "=", 40.0, "its score"),
    ];
    for (metric, operator, threshold, expected) in table {
        assert_eq!(
            title(metric, operator, threshold, &deal()),
            expected,
            "{metric} {operator}"
        );
    }
}

#[test]
fn the_title_of_a_trend_is_where_it_is_heading() {
    for (trend, number, expected) in [
        (SentimentTrend::Improving, 1.0, "sentiment is improving"),
        (SentimentTrend::Stable, 0.0, "sentiment is steady"),
        (SentimentTrend::Declining, -1.0, "sentiment is falling"),
    ] {
        let deal = DealFacts {
            sentiment_trend: trend,
            ..deal()
        };
        for operator in ["=", ">=", "<="] {
            assert_eq!(title("sentiment_trend", operator, number, &deal), expected);
        }
    }
}

#[test]
fn none_at_all_is_no_small_number() {
    let none = DealFacts {
        meeting_count_30d: Some(0),
        activity_count_30d: Some(0),
        ..deal()
    };
    for operator in ["<", "="] {
        let threshold = if operator == "=" { 0.0 } else { 1.0 };
        let said = |metric| title(metric, operator, threshold, &none);
        assert_eq!(said("meeting_count_last_30_days"), "no meetings");
        assert_eq!(said("activity_count_last_30_days"), "no activity");
    }
}

#[test]
fn a_number_is_told_so_that_it_differs_from_the_threshold_it_passed() {
    let of = |hours, sentiment| DealFacts {
        avg_response_time_hours: Some(hours),
        avg_sentiment: Some(sentiment),
        ..deal()
    };
    let (by_hours, by_mood) = ("avg_response_time_hours", "avg_sentiment");
    let table = [
        (by_hours, 48.0, of(48.04, 0.2), "48.04 +0.20"),
        (by_hours, 48.0, of(50.04, 0.2), "50 +0.20"),
        (by_hours, 0.01, of(0.02, -0.001), "0.02 -0.001"),
        (by_mood, -0.3, of(48.04, -0.298), "48 -0.298"),
        (by_mood, -0.3, of(0.0, -0.2), "0 -0.20"),
    ];
    for (metric, threshold, deal, expected) in table {
        assert_eq!(message(metric, ">", threshold, &deal), expected);
    }
}
