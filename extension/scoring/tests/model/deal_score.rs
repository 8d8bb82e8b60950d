//! A deal's components and their weighted sum: every threshold on both sides.

use crm_health_scoring::config::Config;
use crm_health_scoring::deal::{DealMetrics, DealScore, score};
use crm_health_scoring::status::SentimentTrend;

fn scored(metrics: &DealMetrics) -> DealScore {
    score(metrics, &Config::default())
}

#[test]
fn stage_velocity_follows_the_thresholds_of_the_stage() {
    let table: &[(&str, &[(i64, i32)])] = &[
        (
            "SQL", // 7 / 14 / 30
            &[
                (0, 100),
                (7, 100),
                (8, 94),
                (13, 66),
                (14, 60),
                (15, 58),
                (29, 23),
                (30, 20),
            ],
        ),
        (
            "SQL",
            &[
                (31, 20),
                (32, 20),
                (33, 19),
                (127, 1),
                (128, 0),
                (129, 0),
                (100_000, 0),
            ],
        ),
        (
            "Opportunity",
            &[
                (14, 100),
                (15, 94),
                (20, 66),
                (21, 60),
                (22, 58),
                (45, 20),
                (48, 19),
            ],
        ),
        (
            "Verbal",
            &[
                (7, 100),
                (8, 94),
                (14, 60),
                (15, 54),
                (20, 26),
                (21, 20),
                (24, 19),
            ],
        ),
        ("Signed", &[(0, 100), (1, 20), (2, 20), (3, 19)]),
        (
            "Nurturing",
            &[
                (14, 100),
                (15, 94),
                (21, 60),
                (22, 56),
                (29, 24),
                (30, 20),
                (33, 19),
            ],
        ),
        ("sql", &[(8, 100), (14, 100), (15, 94)]), // names match exactly: this is another stage
    ];
    for (stage, rows) in table {
        for (days, expected) in *rows {
            let metrics = DealMetrics {
                stage: Some((*stage).to_owned()),
                days_in_stage: Some(*days),
                ..Default::default()
            };
            let found = scored(&metrics).stage_velocity_score;
            assert_eq!(found, *expected, "{days} days in {stage}");
        }
    }
}

#[test]
fn a_deal_without_a_stage_has_the_default_thresholds() {
    let metrics = DealMetrics {
        days_in_stage: Some(22),
        ..Default::default()
    };
    assert_eq!(scored(&metrics).stage_velocity_score, 56);
}

#[test]
fn a_stage_entered_in_the_future_is_as_good_as_new_and_a_huge_age_is_zero() {
    for (days, expected) in [(-1, 100), (i64::MIN, 100), (i64::MAX, 0)] {
        let metrics = DealMetrics {
            days_in_stage: Some(days),
            ..Default::default()
        };
        assert_eq!(
            scored(&metrics).stage_velocity_score,
            expected,
            "{days} days"
        );
    }
}

#[test]
fn sentiment_is_the_mean_on_a_scale_of_100_moved_by_its_trend() {
    use SentimentTrend::{Declining, Improving, Stable, Unknown};
    let table = [
        (None, Unknown, 50),
        (None, Improving, 60),
        (None, Declining, 35),
        (Some(0.0), Stable, 50),
        (Some(0.5), Unknown, 75),
        (Some(0.5), Improving, 85),
        (Some(0.5), Declining, 60),
        (Some(1.0), Improving, 100),
        (Some(-1.0), Declining, 0),
        (Some(0.01), Stable, 51),  // 50.5 rounds up
        (Some(-0.01), Stable, 50), // and so does 49.5
        (Some(7.0), Stable, 100),
        (Some(-7.0), Stable, 0),
        (Some(f64::NAN), Stable, 50),
        (Some(f64::INFINITY), Stable, 50),
    ];
    for (avg_sentiment, sentiment_trend, expected) in table {
        let metrics = DealMetrics {
            avg_sentiment,
            sentiment_trend,
            ..Default::default()
        };
        let found = scored(&metrics).sentiment_score;
        assert_eq!(found, expected, "{avg_sentiment:?} {sentiment_trend}");
    }
}

/// Points that a metric adds to the 50 that engagement starts from.
#[test]
fn engagement_adds_meetings_activities_and_recency() {
    let meetings = [
        (None, 0),
        (Some(0), 0),
        (Some(1), 15),
        (Some(2), 30),
        (Some(3), 30),
    ];
    for (count, points) in meetings.into_iter().chain([(Some(4), 40), (Some(9), 40)]) {
        let metrics = DealMetrics {
            meeting_count_30d: count,
            ..Default::default()
        };
        assert_eq!(
            scored(&metrics).engagement_score,
            50 + points,
            "{count:?} meetings"
        );
    }
    let activities = [
        (None, 0),
        (Some(1), 0),
        (Some(2), 10),
        (Some(3), 10),
        (Some(4), 20),
    ];
    for (count, points) in activities.into_iter().chain([(Some(7), 20), (Some(8), 30)]) {
        let metrics = DealMetrics {
            activity_count_30d: count,
            ..Default::default()
        };
        assert_eq!(
            scored(&metrics).engagement_score,
            50 + points,
            "{count:?} activities"
        );
    }
    let recency = [
        (None, 0),
        (Some(-3), 30),
        (Some(0), 30),
        (Some(7), 30),
        (Some(8), 15),
    ];
    let older = [
        (Some(14), 15),
        (Some(15), 0),
        (Some(30), 0),
        (Some(31), -30),
    ];
    for (days, points) in recency.into_iter().chain(older) {
        let metrics = DealMetrics {
            days_since_last_meeting: days,
            ..Default::default()
        };
        assert_eq!(
            scored(&metrics).engagement_score,
            50 + points,
            "last meeting {days:?}"
        );
    }
}

#[test]
fn engagement_stays_within_100() {
    let metrics = DealMetrics {
        meeting_count_30d: Some(4),
        activity_count_30d: Some(8),
        days_since_last_meeting: Some(1),
        ..Default::default()
    };
    assert_eq!(scored(&metrics).engagement_score, 100);
}

#[test]
fn activity_counts_and_recency() {
    let counts = [
        (None, 0),
        (Some(0), -30),
        (Some(1), 10),
        (Some(2), 20),
        (Some(4), 20),
    ];
    let more = [
        (Some(5), 35),
        (Some(9), 35),
        (Some(10), 50),
        (Some(-1), -30),
    ];
    for (count, points) in counts.into_iter().chain(more) {
        let metrics = DealMetrics {
            activity_count_30d: count,
            ..Default::default()
        };
        assert_eq!(
            scored(&metrics).activity_score,
            50 + points,
            "{count:?} activities"
        );
    }
    let recency = [
        (None, 0),
        (Some(0), 20),
        (Some(3), 20),
        (Some(4), 10),
        (Some(7), 10),
    ];
    let older = [(Some(8), 0), (Some(14), 0), (Some(15), -40)];
    for (days, points) in recency.into_iter().chain(older) {
        let metrics = DealMetrics {
            days_since_last_activity: days,
            ..Default::default()
        };
        assert_eq!(
            scored(&metrics).activity_score,
            50 + points,
            "last activity {days:?}"
        );
    }
    let silent = DealMetrics {
        activity_count_30d: Some(0),
        days_since_last_activity: Some(40),
        ..Default::default()
    };
    assert_eq!(scored(&silent).activity_score, 0);
}

#[test]
fn response_time_steps_at_4_24_and_48_hours() {
    let table = [
        (None, 70),
        (Some(0.0), 100),
        (Some(4.0), 100),
        (Some(4.01), 80),
        (Some(24.0), 80),
        (Some(24.01), 50),
        (Some(48.0), 50),
        (Some(48.01), 25),
        (Some(54.9), 25),
        (Some(55.0), 24), // 5.5 rounds up to 6
        (Some(294.9), 1),
        (Some(295.0), 0),
        (Some(1e300), 0),
        (Some(-1.0), 70),
        (Some(f64::NAN), 70),
        (Some(f64::INFINITY), 70),
    ];
    for (avg_response_time_hours, expected) in table {
        let metrics = DealMetrics {
            avg_response_time_hours,
            ..Default::default()
        };
        let found = scored(&metrics).response_time_score;
        assert_eq!(found, expected, "{avg_response_time_hours:?} hours");
    }
}

#[test]
fn the_overall_score_weighs_the_components_and_rounds_halves_up() {
    // 100·.30 + 50·.25 + 50·.20 + 50·.15 + 100·.10 = 70
    let good = DealMetrics {
        days_in_stage: Some(1),
        avg_response_time_hours: Some(1.0),
        ..Default::default()
    };
    assert_eq!(scored(&good).overall_health_score, 70);
    // 100·.30 + 60·.25 + 50·.20 + 50·.15 + 70·.10 = 69.5, which a binary sum may miss
    let half = DealMetrics {
        days_in_stage: Some(1),
        avg_sentiment: Some(0.2),
        ..Default::default()
    };
    assert_eq!(scored(&half).overall_health_score, 70);
    // 100·.30 + 59·.25 + 50·.20 + 50·.15 + 70·.10 = 69.25
    let less = DealMetrics {
        avg_sentiment: Some(0.18),
        ..half
    };
    assert_eq!(scored(&less).overall_health_score, 69);
}

#[test]
fn each_component_has_its_own_weight() {
    let table = [
        (
            DealMetrics {
                days_in_stage: Some(1),
                ..Default::default()
            },
            67,
        ), // 52 + 15
        (
            DealMetrics {
                avg_sentiment: Some(1.0),
                ..Default::default()
            },
            65,
        ), // 52 + 12.5
        (
            DealMetrics {
                meeting_count_30d: Some(4),
                ..Default::default()
            },
            60,
        ), // 52 + 8
        (
            DealMetrics {
                days_since_last_activity: Some(1),
                ..Default::default()
            },
            55,
        ), // 52 + 3
        (
            DealMetrics {
                avg_response_time_hours: Some(1.0),
                ..Default::default()
            },
            55,
        ), // 52 + 3
    ];
    assert_eq!(scored(&DealMetrics::default()).overall_health_score, 52);
    for (metrics, expected) in table {
        assert_eq!(
            scored(&metrics).overall_health_score,
            expected,
            "{metrics:?}"
        );
    }
}

#[test]
fn what_is_unknown_is_neutral_and_no_risk() {
    let score = scored(&DealMetrics::default());
    let found = [
        score.stage_velocity_score,
        score.sentiment_score,
        score.engagement_score,
        score.activity_score,
        score.response_time_score,
    ];
    assert_eq!(found, [50, 50, 50, 50, 70]);
    assert!(score.risk_factors.is_empty());
}
