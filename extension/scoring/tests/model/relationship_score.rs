//! A relationship's components and their weighted sum: every threshold on both sides.

use crm_health_scoring::config::Config;
use crm_health_scoring::relationship::{RelationshipMetrics, RelationshipScore, score};
use crm_health_scoring::status::SentimentTrend;

fn scored(metrics: &RelationshipMetrics) -> RelationshipScore {
    score(metrics, &Config::default())
}

#[test]
fn communication_frequency_without_a_habit_counts() {
    let low = [
        (None, 50),
        (Some(-1), 0),
        (Some(0), 0),
        (Some(1), 25),
        (Some(2), 50),
    ];
    let high = [
        (Some(3), 50),
        (Some(4), 75),
        (Some(7), 75),
        (Some(8), 100),
        (Some(99), 100),
    ];
    for (count, expected) in low.into_iter().chain(high) {
        for habit in [None, Some(0.0), Some(-2.0), Some(f64::NAN)] {
            let metrics = RelationshipMetrics {
                communication_count_30d: count,
                baseline_contact_frequency_days: habit,
                ..Default::default()
            };
            let found = scored(&metrics).communication_frequency_score;
            assert_eq!(found, expected, "{count:?} against {habit:?}");
        }
    }
}

#[test]
fn communication_frequency_with_a_habit_compares() {
    let table = [
        // one every 1.5 days is 20 in 30 days
        (Some(20), 1.5, 100),
        (Some(19), 1.5, 75),
        (Some(15), 1.5, 75),
        (Some(14), 1.5, 50),
        (Some(10), 1.5, 50),
        (Some(9), 1.5, 25),
        (Some(5), 1.5, 25),
        (Some(4), 1.5, 0),
        (Some(0), 1.5, 0),
        (Some(1), 30.0, 100), // rare by habit
        (Some(8), 0.1, 0),    // busy by count, quiet by habit
        (None, 1.5, 50),
    ];
    for (count, habit, expected) in table {
        let metrics = RelationshipMetrics {
            communication_count_30d: count,
            baseline_contact_frequency_days: Some(habit),
            ..Default::default()
        };
        let found = scored(&metrics).communication_frequency_score;
        assert_eq!(found, expected, "{count:?} against one every {habit} days");
    }
}

#[test]
fn response_behavior_rewards_the_response_rate() {
    let low = [
        (None, 50),
        (Some(0), 50),
        (Some(19), 50),
        (Some(20), 60),
        (Some(39), 60),
    ];
    let high = [
        (Some(40), 70),
        (Some(59), 70),
        (Some(60), 85),
        (Some(79), 85),
        (Some(80), 100),
    ];
    for (response_rate_percent, expected) in low.into_iter().chain(high) {
        let metrics = RelationshipMetrics {
            response_rate_percent,
            ..Default::default()
        };
        let found = scored(&metrics).response_behavior_score;
        assert_eq!(found, expected, "{response_rate_percent:?} %");
    }
}

#[test]
fn response_behavior_judges_speed_by_the_habit_or_else_by_the_clock() {
    let table = [
        (None, None, 50),
        (None, Some(10.0), 50),
        (Some(-1.0), Some(10.0), 50),
        (Some(f64::NAN), None, 50),
        // against a habit of 10 hours
        (Some(10.0), Some(10.0), 100),
        (Some(10.1), Some(10.0), 80),
        (Some(15.0), Some(10.0), 80),
        (Some(15.1), Some(10.0), 60),
        (Some(20.0), Some(10.0), 60),
        (Some(20.1), Some(10.0), 30),
        (Some(30.0), Some(10.0), 30),
        (Some(30.1), Some(10.0), 10),
        // seconds are a habit too
        (Some(0.01), Some(0.01), 100),
        (Some(0.02), Some(0.01), 60),
        // without a habit
        (Some(4.0), None, 100),
        (Some(4.1), None, 80),
        (Some(24.0), None, 80),
        (Some(24.1), Some(0.0), 60),
        (Some(48.0), None, 60),
        (Some(48.1), None, 30),
        (Some(1e300), None, 30),
    ];
    for (avg, habit, expected) in table {
        let metrics = RelationshipMetrics {
            avg_response_time_hours: avg,
            baseline_response_time_hours: habit,
            ..Default::default()
        };
        let found = scored(&metrics).response_behavior_score;
        assert_eq!(found, expected, "{avg:?} against {habit:?} hours");
    }
}

#[test]
fn response_behavior_stays_within_0_and_100() {
    let mut metrics = RelationshipMetrics {
        response_rate_percent: Some(90),
        avg_response_time_hours: Some(1.0),
        ..Default::default()
    };
    assert_eq!(scored(&metrics).response_behavior_score, 100);
    metrics.avg_response_time_hours = Some(99.0);
    assert_eq!(scored(&metrics).response_behavior_score, 80);
}

#[test]
fn engagement_quality_adds_openings_meetings_and_recency() {
    let opens = [
        (None, 0),
        (Some(0), 0),
        (Some(29), 0),
        (Some(30), 10),
        (Some(49), 10),
    ];
    let more = [
        (Some(50), 20),
        (Some(69), 20),
        (Some(70), 30),
        (Some(100), 30),
    ];
    for (percent, points) in opens.into_iter().chain(more) {
        let metrics = RelationshipMetrics {
            email_open_rate_percent: percent,
            ..Default::default()
        };
        assert_eq!(
            scored(&metrics).engagement_quality_score,
            50 + points,
            "{percent:?} %"
        );
    }
    let meetings = [
        (None, 0),
        (Some(0), 0),
        (Some(1), 10),
        (Some(2), 25),
        (Some(3), 25),
    ];
    for (count, points) in meetings.into_iter().chain([(Some(4), 40)]) {
        let metrics = RelationshipMetrics {
            meeting_count_30d: count,
            ..Default::default()
        };
        assert_eq!(
            scored(&metrics).engagement_quality_score,
            50 + points,
            "{count:?} meetings"
        );
    }
    let recency = [
        (None, 0),
        (Some(-9), 30),
        (Some(7), 30),
        (Some(8), 15),
        (Some(14), 15),
    ];
    let older = [
        (Some(15), 5),
        (Some(21), 5),
        (Some(22), 0),
        (Some(45), 0),
        (Some(46), -30),
    ];
    for (days, points) in recency.into_iter().chain(older) {
        let metrics = RelationshipMetrics {
            days_since_last_meeting: days,
            ..Default::default()
        };
        assert_eq!(
            scored(&metrics).engagement_quality_score,
            50 + points,
            "{days:?} days"
        );
    }
}

#[test]
fn sentiment_is_the_mean_on_a_scale_of_100_moved_by_its_trend() {
    use SentimentTrend::{Declining, Improving, Stable, Unknown};
    let table = [
        (None, Unknown, 50),
        (None, Improving, 65),
        (None, Declining, 30),
        (Some(0.5), Stable, 75),
        (Some(0.5), Improving, 90),
        (Some(0.5), Declining, 55),
        (Some(0.9), Improving, 100),
        (Some(-0.9), Declining, 0),
        (Some(0.01), Unknown, 51),
        (Some(f64::NEG_INFINITY), Stable, 50),
    ];
    for (avg_sentiment, sentiment_trend, expected) in table {
        let metrics = RelationshipMetrics {
            avg_sentiment,
            sentiment_trend,
            ..Default::default()
        };
        let found = scored(&metrics).sentiment_score;
        assert_eq!(found, expected, "{avg_sentiment:?} {sentiment_trend}");
    }
}

#[test]
fn meeting_pattern_counts_or_compares_with_the_habit() {
    let table = [
        (None, None, 50),
        (Some(0), None, 25),
        (Some(1), None, 50),
        (Some(2), None, 75),
        (Some(3), None, 75),
        (Some(4), None, 100),
        (Some(4), Some(0.0), 100),
        // one every 7.5 days is four in 30 days
        (None, Some(7.5), 50),
        (Some(4), Some(7.5), 100),
        (Some(3), Some(7.5), 75),
        (Some(2), Some(7.5), 50),
        (Some(1), Some(7.5), 25),
        (Some(0), Some(7.5), 0),
    ];
    for (count, habit, expected) in table {
        let metrics = RelationshipMetrics {
            meeting_count_30d: count,
            baseline_meeting_frequency_days: habit,
            ..Default::default()
        };
        let found = scored(&metrics).meeting_pattern_score;
        assert_eq!(found, expected, "{count:?} against {habit:?} days");
    }
}

#[test]
fn each_component_has_its_own_weight() {
    let base = RelationshipMetrics::default;
    assert_eq!(scored(&base()).overall_health_score, 50);
    let table = [
        (
            RelationshipMetrics {
                communication_count_30d: Some(8),
                ..base()
            },
            63,
        ), // 50 + 12.5
        (
            RelationshipMetrics {
                response_rate_percent: Some(80),
                ..base()
            },
            65,
        ), // 50 + 15
        (
            RelationshipMetrics {
                email_open_rate_percent: Some(70),
                ..base()
            },
            56,
        ), // 50 + 6
        (
            RelationshipMetrics {
                avg_sentiment: Some(1.0),
                ..base()
            },
            58,
        ), // 50 + 7.5
        (
            RelationshipMetrics {
                meeting_count_30d: Some(0), // no points of engagement, 25 in pattern: 50 − 2.5
                ..base()
            },
            48,
        ),
    ];
    for (metrics, expected) in table {
        assert_eq!(
            scored(&metrics).overall_health_score,
            expected,
            "{metrics:?}"
        );
    }
}
