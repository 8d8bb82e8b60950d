//! A deal's status and risks: every threshold on both sides.

use crm_health_scoring::config::Config;
use crm_health_scoring::deal::{DealMetrics, DealScore, score};
use crm_health_scoring::status::{DealStatus, RiskLevel, SentimentTrend};

fn scored(metrics: &DealMetrics) -> DealScore {
    score(metrics, &Config::default())
}

fn risks(metrics: &DealMetrics) -> Vec<&'static str> {
    scored(metrics)
        .risk_factors
        .iter()
        .map(|risk| risk.as_str())
        .collect()
}

/// With all the weight on sentiment the overall score is the sentiment score, 0 to 100 at will.
fn with_overall(overall: i32) -> DealScore {
    let mut config = Config::default();
    config.deal_weights.stage_velocity = 0;
    config.deal_weights.engagement = 0;
    config.deal_weights.activity = 0;
    config.deal_weights.response_time = 0;
    let avg_sentiment = Some(f64::from(overall) / 50.0 - 1.0);
    let score = score(
        &DealMetrics {
            avg_sentiment,
            ..Default::default()
        },
        &config,
    );
    assert_eq!(score.overall_health_score, overall);
    score
}

#[test]
fn status_changes_at_75_50_and_25() {
    use DealStatus::{Critical, Healthy, Stalled, Warning};
    let upper = [
        (100, Healthy),
        (75, Healthy),
        (74, Warning),
        (50, Warning),
        (49, Critical),
    ];
    for (overall, expected) in upper.into_iter().chain([(25, Critical), (24, Stalled)]) {
        assert_eq!(
            with_overall(overall).health_status,
            expected,
            "overall {overall}"
        );
    }
}

#[test]
fn close_probability_is_the_overall_score_within_5_and_95() {
    for (overall, expected) in [
        (0, 5),
        (5, 5),
        (6, 6),
        (94, 94),
        (95, 95),
        (96, 95),
        (100, 95),
    ] {
        assert_eq!(with_overall(overall).predicted_close_probability, expected);
    }
}

#[test]
fn risk_level_by_score_alone() {
    use RiskLevel::{Critical, High, Low, Medium};
    // Below an average of −0.3, that is a score of 35, negative_sentiment is one factor as well.
    let table = [
        (100, Low),
        (60, Low),
        (59, Medium),
        (40, Medium),
        (39, High),
        (25, High),
    ];
    for (overall, expected) in table.into_iter().chain([(24, Critical)]) {
        assert_eq!(
            with_overall(overall).risk_level,
            expected,
            "overall {overall}"
        );
    }
}

#[test]
fn risk_level_by_factors_alone() {
    use RiskLevel::{Critical, High, Low, Medium};
    let mut metrics = DealMetrics {
        stage: Some("Long".to_owned()),
        days_in_stage: Some(0),
        avg_sentiment: Some(1.0),
        meeting_count_30d: Some(4),
        activity_count_30d: Some(10),
        ..Default::default()
    };
    let mut levels = vec![scored(&metrics).risk_level];
    metrics.days_in_stage = Some(14); // stage_stalled, still optimal here
    levels.push(scored(&metrics).risk_level);
    metrics.days_since_last_meeting = Some(22);
    levels.push(scored(&metrics).risk_level);
    metrics.days_since_last_activity = Some(15);
    levels.push(scored(&metrics).risk_level);
    metrics.avg_response_time_hours = Some(49.0);
    let all = scored(&metrics);
    levels.push(all.risk_level);
    assert_eq!(levels, [Low, Low, Medium, High, Critical]);
    assert!(
        all.overall_health_score >= 60,
        "the score must not decide: {all:?}"
    );
}

#[test]
fn each_risk_factor_on_both_sides_of_its_threshold() {
    type Set = fn(&mut DealMetrics, f64);
    let in_stage: Set = |m, v| m.days_in_stage = Some(v as i64);
    let sentiment: Set = |m, v| m.avg_sentiment = Some(v);
    let last_meeting: Set = |m, v| m.days_since_last_meeting = Some(v as i64);
    let meetings: Set = |m, v| m.meeting_count_30d = Some(v as i64);
    let last_activity: Set = |m, v| m.days_since_last_activity = Some(v as i64);
    let activities: Set = |m, v| m.activity_count_30d = Some(v as i64);
    let response: Set = |m, v| m.avg_response_time_hours = Some(v);
    let table: &[(Set, f64, &[&str])] = &[
        (in_stage, 13.0, &[]),
        (in_stage, 14.0, &["stage_stalled"]),
        (in_stage, 29.0, &["stage_stalled"]),
        (in_stage, 30.0, &["stage_stalled_critical"]),
        (sentiment, -0.3, &[]),
        (sentiment, -0.301, &["negative_sentiment"]),
        (last_meeting, 21.0, &[]),
        (last_meeting, 22.0, &["no_recent_meeting"]),
        (meetings, 1.0, &[]),
        (meetings, 0.0, &["no_meetings_30_days"]),
        (last_activity, 14.0, &[]),
        (last_activity, 15.0, &["no_recent_activity"]),
        (activities, 2.0, &[]),
        (activities, 1.0, &["low_activity"]),
        (response, 48.0, &[]),
        (response, 48.1, &["slow_response_time"]),
    ];
    for (set, value, expected) in table {
        let mut metrics = DealMetrics::default();
        set(&mut metrics, *value);
        assert_eq!(risks(&metrics), *expected, "{metrics:?}");
    }
}

#[test]
fn sentiment_declining_is_a_risk_and_no_other_trend_is() {
    for trend in SentimentTrend::ALL {
        let metrics = DealMetrics {
            sentiment_trend: *trend,
            ..Default::default()
        };
        let expected: &[&str] = if *trend == SentimentTrend::Declining {
            &["sentiment_declining"]
        } else {
            &[]
        };
        assert_eq!(risks(&metrics), expected);
    }
}

#[test]
fn risk_factors_keep_their_order() {
    let metrics = DealMetrics {
        stage: None,
        days_in_stage: Some(90),
        days_since_last_meeting: Some(90),
        booked: None,
        days_since_last_activity: Some(90),
        avg_sentiment: Some(-0.9),
        sentiment_trend: SentimentTrend::Declining,
        meeting_count_30d: Some(0),
        activity_count_30d: Some(0),
        avg_response_time_hours: Some(90.0),
    };
    let expected = [
        "stage_stalled_critical",
        "sentiment_declining",
        "negative_sentiment",
        "no_recent_meeting",
        "no_meetings_30_days",
        "no_recent_activity",
        "low_activity",
        "slow_response_time",
    ];
    assert_eq!(risks(&metrics), expected);
}
