//! A relationship's status and risks: every threshold on both sides.

use crm_health_scoring::config::Config;
use crm_health_scoring::relationship::{RelationshipMetrics, RelationshipScore, score};
use crm_health_scoring::status::{RelationshipStatus, RiskLevel, SentimentTrend};

fn scored(metrics: &RelationshipMetrics) -> RelationshipScore {
    score(metrics, &Config::default())
}

fn risks(metrics: &RelationshipMetrics) -> Vec<&'static str> {
    scored(metrics)
        .risk_factors
        .iter()
        .map(|risk| risk.as_str())
        .collect()
}

/// With all the weight on sentiment the overall score is the sentiment score, 0 to 100 at will.
fn with_overall(overall: i32, rest: &RelationshipMetrics) -> RelationshipScore {
    let mut config = Config::default();
    config.relationship_weights.communication_frequency = 0;
    config.relationship_weights.response_behavior = 0;
    config.relationship_weights.engagement_quality = 0;
    config.relationship_weights.meeting_pattern = 0;
    let avg_sentiment = Some(f64::from(overall) / 50.0 - 1.0);
    let score = score(
        &RelationshipMetrics {
            avg_sentiment,
            ..rest.clone()
        },
        &config,
    );
    assert_eq!(score.overall_health_score, overall);
    score
}

#[test]
fn status_changes_at_70_and_50() {
    use RelationshipStatus::{AtRisk, Critical, Healthy};
    let table = [
        (100, Healthy),
        (70, Healthy),
        (69, AtRisk),
        (50, AtRisk),
        (49, Critical),
    ];
    for (overall, expected) in table {
        let score = with_overall(overall, &RelationshipMetrics::default());
        assert_eq!(score.health_status, expected, "overall {overall}");
    }
}

#[test]
fn risk_level_by_score_alone() {
    use RiskLevel::{Critical, High, Low, Medium};
    // Below an average of −0.2, that is a score of 40, negative_sentiment is one factor as well.
    let table = [
        (60, Low),
        (59, Medium),
        (45, Medium),
        (44, High),
        (30, High),
        (29, Critical),
    ];
    for (overall, expected) in table {
        let score = with_overall(overall, &RelationshipMetrics::default());
        assert_eq!(score.risk_level, expected, "overall {overall}");
    }
}

#[test]
fn risk_level_by_factors_alone() {
    use RiskLevel::{Critical, High, Low, Medium};
    let factors: [fn(&mut RelationshipMetrics); 4] = [
        |m| m.days_since_last_contact = Some(22),
        |m| m.communication_count_30d = Some(1),
        |m| m.response_rate_percent = Some(29),
        |m| m.days_since_last_response = Some(15),
    ];
    let mut metrics = RelationshipMetrics::default();
    let levels = factors.map(|add| {
        add(&mut metrics);
        with_overall(90, &metrics).risk_level
    });
    assert_eq!(levels, [Low, Medium, High, Critical]);
}

#[test]
fn each_risk_factor_on_both_sides_of_its_threshold() {
    type Set = fn(&mut RelationshipMetrics, f64);
    let last_contact: Set = |m, v| m.days_since_last_contact = Some(v as i64);
    let count: Set = |m, v| m.communication_count_30d = Some(v as i64);
    let rate: Set = |m, v| m.response_rate_percent = Some(v as i64);
    let last_response: Set = |m, v| m.days_since_last_response = Some(v as i64);
    let slowed: Set = |m, v| {
        m.avg_response_time_hours = Some(v);
        m.baseline_response_time_hours = Some(10.0);
    };
    let opens: Set = |m, v| m.email_open_rate_percent = Some(v as i64);
    let last_meeting: Set = |m, v| {
        m.meeting_count_30d = Some(0);
        m.days_since_last_meeting = Some(v as i64);
    };
    let meetings: Set = |m, v| {
        m.meeting_count_30d = Some(v as i64);
        m.days_since_last_meeting = Some(31);
    };
    let sentiment: Set = |m, v| m.avg_sentiment = Some(v);
    let at_risk: Set = |m, v| {
        m.total_deal_value = Some(1000.0);
        m.at_risk_deal_value = Some(v);
    };
    let small: Set = |m, v| {
        m.total_deal_value = Some(0.0);
        m.at_risk_deal_value = Some(v);
    };
    let table: &[(Set, f64, &[&str])] = &[
        (last_contact, 21.0, &[]),
        (last_contact, 22.0, &["no_contact_21_days"]),
        (count, 2.0, &[]),
        (count, 1.0, &["low_communication_frequency"]),
        (rate, 30.0, &[]),
        (rate, 29.0, &["low_response_rate"]),
        (last_response, 14.0, &[]),
        (last_response, 15.0, &["no_response_14_days"]),
        (slowed, 30.0, &[]),
        (slowed, 30.1, &["response_time_increased_3x"]),
        (opens, 20.0, &[]),
        (opens, 19.0, &["email_opens_stopped"]),
        (last_meeting, 30.0, &[]),
        (last_meeting, 31.0, &["no_meetings_30_days"]),
        (meetings, 0.0, &["no_meetings_30_days"]),
        (meetings, 1.0, &[]),
        (sentiment, -0.2, &[]),
        (sentiment, -0.201, &["negative_sentiment"]),
        (at_risk, 500.0, &[]),
        (at_risk, 501.0, &["majority_deals_at_risk"]),
        (small, 0.5, &[]),
        (small, 0.6, &["majority_deals_at_risk"]),
    ];
    for (set, value, expected) in table {
        let mut metrics = RelationshipMetrics::default();
        set(&mut metrics, *value);
        assert_eq!(risks(&metrics), *expected, "{metrics:?}");
    }
}

#[test]
fn half_of_what_a_factor_needs_raises_none() {
    let base = RelationshipMetrics::default;
    let table = [
        base(),
        RelationshipMetrics {
            meeting_count_30d: Some(0),
            ..base()
        }, // never met
        RelationshipMetrics {
            days_since_last_meeting: Some(31),
            ..base()
        },
        RelationshipMetrics {
            avg_response_time_hours: Some(900.0),
            ..base()
        },
        RelationshipMetrics {
            at_risk_deal_value: Some(900.0),
            ..base()
        },
        RelationshipMetrics {
            total_deal_value: Some(900.0),
            ..base()
        },
    ];
    for metrics in table {
        assert!(risks(&metrics).is_empty(), "{metrics:?}");
    }
}

#[test]
fn risk_factors_keep_their_order() {
    let metrics = RelationshipMetrics {
        days_since_last_contact: Some(90),
        days_since_last_response: Some(90),
        avg_response_time_hours: Some(90.0),
        response_rate_percent: Some(0),
        email_open_rate_percent: Some(0),
        communication_count_30d: Some(0),
        meeting_count_30d: Some(0),
        days_since_last_meeting: Some(90),
        avg_sentiment: Some(-0.9),
        sentiment_trend: SentimentTrend::Declining,
        baseline_response_time_hours: Some(1.0),
        total_deal_value: Some(10.0),
        at_risk_deal_value: Some(10.0),
        ..Default::default()
    };
    let expected = [
        "no_contact_21_days",
        "low_communication_frequency",
        "low_response_rate",
        "no_response_14_days",
        "response_time_increased_3x",
        "email_opens_stopped",
        "no_meetings_30_days",
        "sentiment_declining",
        "negative_sentiment",
        "majority_deals_at_risk",
    ];
    assert_eq!(risks(&metrics), expected);
}

#[test]
fn three_factors_make_a_ghost_and_the_others_do_not() {
    let base = RelationshipMetrics::default;
    let slowed = RelationshipMetrics {
        avg_response_time_hours: Some(31.0),
        baseline_response_time_hours: Some(10.0),
        ..base()
    };
    let table = [
        (base(), false),
        (
            RelationshipMetrics {
                days_since_last_response: Some(14),
                ..base()
            },
            false,
        ),
        (
            RelationshipMetrics {
                days_since_last_response: Some(15),
                ..base()
            },
            true,
        ),
        (
            RelationshipMetrics {
                email_open_rate_percent: Some(20),
                ..base()
            },
            false,
        ),
        (
            RelationshipMetrics {
                email_open_rate_percent: Some(19),
                ..base()
            },
            true,
        ),
        (slowed, true),
        (
            RelationshipMetrics {
                days_since_last_contact: Some(400),
                ..base()
            },
            false,
        ),
        (
            RelationshipMetrics {
                response_rate_percent: Some(0),
                ..base()
            },
            false,
        ),
        (
            RelationshipMetrics {
                communication_count_30d: Some(0),
                ..base()
            },
            false,
        ),
    ];
    for (metrics, expected) in table {
        let score = scored(&metrics);
        assert_eq!(score.is_ghost_risk, expected, "{metrics:?}");
        assert_eq!(
            score.health_status == RelationshipStatus::Ghost,
            expected,
            "{metrics:?}"
        );
        assert_eq!(
            score.ghost_probability_percent.is_some(),
            expected,
            "{metrics:?}"
        );
    }
}

#[test]
fn ghost_probability_is_what_the_score_lacks_and_60_at_least() {
    let silent = || RelationshipMetrics {
        days_since_last_response: Some(15),
        ..Default::default()
    };
    for (overall, expected) in [(100, 60), (41, 60), (40, 60), (39, 61), (0, 100)] {
        let score = with_overall(overall, &silent());
        assert_eq!(
            score.ghost_probability_percent,
            Some(expected),
            "overall {overall}"
        );
    }
}
