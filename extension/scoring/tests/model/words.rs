//! Explanations and reasons: they add up, name their numbers, and put the worst first.

use crm_health_scoring::config::Config;
use crm_health_scoring::deal::{self, DealMetrics};
use crm_health_scoring::explain::Explanation;
use crm_health_scoring::interaction::Interaction;
use crm_health_scoring::relationship::{self, RelationshipInputs, RelationshipMetrics};
use crm_health_scoring::status::SentimentTrend;

use crate::fixtures::{NOW, sent};

fn stalled() -> DealMetrics {
    DealMetrics {
        stage: Some("Verbal".to_owned()),
        days_in_stage: Some(45),
        days_since_last_meeting: Some(35),
        booked: None,
        days_since_last_activity: Some(2),
        avg_sentiment: Some(0.4),
        sentiment_trend: SentimentTrend::Stable,
        meeting_count_30d: Some(0),
        activity_count_30d: Some(12),
        avg_response_time_hours: Some(60.0),
    }
}

fn explain_deal(metrics: &DealMetrics) -> Vec<Explanation> {
    let config = Config::default();
    deal::explain(metrics, &deal::score(metrics, &config), &config)
}

fn deal_reasons(metrics: &DealMetrics) -> Vec<String> {
    let config = Config::default();
    deal::reasons(metrics, &deal::score(metrics, &config), &config)
}

#[test]
fn a_deal_is_explained_by_value_threshold_and_weight() {
    let rows = explain_deal(&stalled());
    let found: Vec<(&str, &str, i32, &str)> = rows
        .iter()
        .map(|row| {
            (
                row.signal,
                row.value.as_str(),
                row.score,
                row.reason.as_str(),
            )
        })
        .collect();
    let expected = [
        (
            "stage_velocity",
            "45 days in Verbal",
            15,
            "In Verbal for 45 days, critical after 21.",
        ),
        (
            "sentiment",
            "+0.40, stable",
            70,
            "Sentiment is at +0.40 on a scale from -1 to +1 and steady.",
        ),
        (
            "engagement",
            "last meeting 35 days ago, 0 meetings and 12 touchpoints in 30 days",
            50,
            "Last meeting 35 days ago (limit 21), 0 meetings and 12 touchpoints in 30 days.",
        ),
        (
            "activity",
            "last activity 2 days ago, 12 touchpoints in 30 days",
            100,
            "Last activity 2 days ago, 12 touchpoints in 30 days.",
        ),
        (
            "response_time",
            "60 hours",
            24,
            "Answers take 60 hours on average, slow after 48.",
        ),
    ];
    assert_eq!(found, expected);
    assert_eq!(
        rows.iter().map(|row| row.weight).collect::<Vec<_>>(),
        [0.3, 0.25, 0.2, 0.15, 0.1]
    );
}

#[test]
fn contributions_add_up_to_the_overall_score() {
    let config = Config::default();
    let score = deal::score(&stalled(), &config);
    let sum: f64 = deal::explain(&stalled(), &score, &config)
        .iter()
        .map(|r| r.contribution)
        .sum();
    assert!(
        (sum - f64::from(score.overall_health_score)).abs() <= 0.5,
        "{sum} {score:?}"
    );
    let metrics = RelationshipMetrics {
        response_rate_percent: Some(60),
        ..Default::default()
    };
    let score = relationship::score(&metrics, &config);
    let rows = relationship::explain(&metrics, &score, &config);
    let sum: f64 = rows.iter().map(|row| row.contribution).sum();
    assert!(
        (sum - f64::from(score.overall_health_score)).abs() <= 0.5,
        "{sum} {score:?}"
    );
}

#[test]
fn the_stage_is_judged_by_the_next_threshold() {
    let said = |days| {
        let metrics = DealMetrics {
            days_in_stage: Some(days),
            ..stalled()
        };
        explain_deal(&metrics)[0].reason.clone()
    };
    assert_eq!(said(-2), "Enters Verbal in 2 days.");
    assert_eq!(said(0), "In Verbal for 0 days, within the optimal 7.");
    assert_eq!(said(1), "In Verbal for 1 day, within the optimal 7.");
    assert_eq!(said(7), "In Verbal for 7 days, within the optimal 7.");
    assert_eq!(
        said(8),
        "In Verbal for 8 days, optimal up to 7, warning after 14."
    );
    assert_eq!(
        said(15),
        "In Verbal for 15 days, warning after 14, critical after 21."
    );
    assert_eq!(said(22), "In Verbal for 22 days, critical after 21.");
}

#[test]
fn where_the_stage_says_less_than_the_risk_factor_its_limit_is_named_too() {
    let said = |stage: &str, days| {
        let metrics = DealMetrics {
            stage: Some(stage.to_owned()),
            days_in_stage: Some(days),
            ..stalled()
        };
        explain_deal(&metrics)[0].reason.clone()
    };
    let table = [
        ("Opportunity", 13, "within the optimal 14."),
        (
            "Opportunity",
            14,
            "within the optimal 14, but long in any stage from 14 days on.",
        ),
        (
            "Opportunity",
            21,
            "optimal up to 14, warning after 21, but long in any stage from 14 days on.",
        ),
        ("Opportunity", 22, "warning after 21, critical after 45."),
        ("Opportunity", 29, "warning after 21, critical after 45."),
        (
            "Opportunity",
            30,
            "warning after 21, critical after 45, but critically long in any stage from 30 days on.",
        ),
        ("Opportunity", 46, "critical after 45."),
        (
            "SQL",
            14,
            "optimal up to 7, warning after 14, but long in any stage from 14 days on.",
        ),
        (
            "SQL",
            30,
            "warning after 14, critical after 30, but critically long in any stage from 30 days on.",
        ),
        ("SQL", 31, "critical after 30."),
        ("Verbal", 30, "critical after 21."),
    ];
    for (stage, days, expected) in table {
        assert_eq!(
            said(stage, days),
            format!("In {stage} for {days} days, {expected}")
        );
    }
}

#[test]
fn the_worst_of_a_deal_come_first() {
    let expected = [
        "in Verbal for 45 days, critical after 21", // 25.5 points lost
        "last meeting 35 days ago (limit 21), 0 meetings and 12 touchpoints in 30 days", // 10
        "answers take 60 hours on average, slow after 48", // 7.6
    ];
    assert_eq!(deal_reasons(&stalled()), expected);
}

#[test]
fn risks_come_before_costlier_components_without_one() {
    let metrics = DealMetrics {
        days_in_stage: Some(13), // 66 points in Verbal, no factor: 10.2 lost
        avg_response_time_hours: Some(49.0), // 25 points, a factor: 7.5 lost
        meeting_count_30d: Some(4),
        days_since_last_meeting: Some(1),
        avg_sentiment: Some(1.0),
        ..stalled()
    };
    let reasons = deal_reasons(&metrics);
    assert!(
        reasons[0].starts_with("answers take 49 hours"),
        "{reasons:?}"
    );
    assert!(
        reasons[1].starts_with("in Verbal for 13 days"),
        "{reasons:?}"
    );
}

#[test]
fn recency_is_said_as_a_person_would() {
    let said = |days| {
        let metrics = DealMetrics {
            days_since_last_meeting: Some(days),
            days_since_last_activity: Some(days),
            ..stalled()
        };
        let rows = explain_deal(&metrics);
        let first = |index: usize| rows[index].value.split(',').next().unwrap_or("").to_owned();
        (first(2), first(3))
    };
    let pair = |meeting: &str, activity: &str| (meeting.to_owned(), activity.to_owned());
    assert_eq!(
        said(-1),
        pair("a meeting booked within a day", "last activity in 1 day")
    );
    let today = pair(
        "last meeting less than a day ago",
        "last activity less than a day ago",
    );
    assert_eq!(said(0), today);
    assert_eq!(
        said(1),
        pair("last meeting 1 day ago", "last activity 1 day ago")
    );
    assert_eq!(
        said(14),
        pair("last meeting 14 days ago", "last activity 14 days ago")
    );
    let limit = pair(
        "last meeting 15 days ago",
        "no activity for 15 days (limit 14)",
    );
    assert_eq!(said(15), limit);
}

#[test]
fn a_healthy_deal_has_one_good_word() {
    let metrics = DealMetrics {
        days_in_stage: Some(3),
        days_since_last_meeting: Some(1),
        meeting_count_30d: Some(4),
        avg_response_time_hours: Some(2.0),
        ..stalled()
    };
    assert_eq!(
        deal_reasons(&metrics),
        ["on track in Verbal, last meeting 1 day ago"]
    );
}

#[test]
fn a_deal_of_which_nothing_is_known_says_so() {
    let expected = [
        "time in its stage unknown, counted as neutral",
        "no sentiment known, counted as neutral",
    ];
    assert_eq!(deal_reasons(&DealMetrics::default()), expected);
}

#[test]
fn what_is_neutral_or_better_is_no_third_reason() {
    let toned = |avg| DealMetrics {
        avg_sentiment: Some(avg),
        avg_response_time_hours: Some(2.0),
        ..stalled()
    };
    let bad = [
        "in Verbal for 45 days, critical after 21",
        "last meeting 35 days ago (limit 21), 0 meetings and 12 touchpoints in 30 days",
    ];
    assert_eq!(deal_reasons(&toned(0.0)), bad);
    let reasons = deal_reasons(&toned(-0.02));
    assert_eq!(reasons[..2], bad);
    assert_eq!(
        reasons[2..],
        ["sentiment is at -0.02 on a scale from -1 to +1 and steady"]
    );
}

#[test]
fn what_is_worse_than_neutral_comes_before_what_is_costlier_and_neutral() {
    let metrics = RelationshipMetrics {
        communication_count_30d: Some(4),
        days_since_last_contact: Some(1),
        meeting_count_30d: Some(0), // 25 points: 7.5 lost
        ..Default::default()        // answers unknown, 50 points: 15 lost
    };
    let config = Config::default();
    let score = relationship::score(&metrics, &config);
    let reasons = relationship::reasons(&metrics, &[], &score, &config);
    let expected = [
        "0 meetings in 30 days, no habit known to compare with",
        "nothing known of answers, counted as neutral",
    ];
    assert_eq!(reasons, expected);
}

fn measured(events: &[Interaction]) -> relationship::Measured {
    let inputs = RelationshipInputs {
        interactions: events,
        meetings: &[],
        opens_tracked: false,
        total_deal_value: 90.0,
        at_risk_deal_value: 80.0,
    };
    relationship::measure(&inputs, NOW)
}

#[test]
fn a_silent_contact_is_explained_by_its_signals_and_deals() {
    let events = [sent(2.0), sent(4.0), sent(6.0), sent(12.0)];
    let found = measured(&events);
    let config = Config::default();
    let score = relationship::score(&found.metrics, &config);
    let reasons = relationship::reasons(&found.metrics, &found.signals, &score, &config);
    let expected = [
        "4 e-mails of the last 14 days without a reply, the newest 2 days ago",
        "deals worth 80 of 90 are at risk",
        "last contact 2 days ago, 4 interactions in 30 days, usually one every 3.3 days",
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn a_contact_in_good_standing_has_one_good_word() {
    let metrics = RelationshipMetrics {
        days_since_last_contact: Some(1),
        response_rate_percent: Some(90),
        communication_count_30d: Some(9),
        ..Default::default()
    };
    let config = Config::default();
    let score = relationship::score(&metrics, &config);
    let reasons = relationship::reasons(&metrics, &[], &score, &config);
    assert_eq!(reasons, ["in good contact, last contact 1 day ago"]);
}

#[test]
fn a_relationship_is_explained_in_words() {
    let metrics = RelationshipMetrics {
        days_since_last_contact: Some(31),
        days_since_last_response: Some(31),
        avg_response_time_hours: Some(31.0),
        response_rate_percent: Some(10),
        email_open_rate_percent: Some(10),
        communication_count_30d: Some(1),
        meeting_count_30d: Some(1),
        days_since_last_meeting: Some(-2),
        avg_sentiment: Some(-0.5),
        sentiment_trend: SentimentTrend::Declining,
        baseline_response_time_hours: Some(6.0),
        baseline_contact_frequency_days: Some(1.0),
        baseline_meeting_frequency_days: Some(14.0),
        ..Default::default()
    };
    let config = Config::default();
    let score = relationship::score(&metrics, &config);
    let rows = relationship::explain(&metrics, &score, &config);
    let reasons: Vec<&str> = rows.iter().map(|row| row.reason.as_str()).collect();
    let expected = [
        "No contact for 31 days (limit 21), 1 interaction in 30 days, usually one every day.",
        "Nothing heard for 31 days (limit 14), 10 % of messages answered (limit 30), answers take \
         31 hours (usually 6 hours).",
        "10 % of e-mails opened (limit 20), a meeting booked in 2 days, 1 meeting in 30 days.",
        "Sentiment is negative at -0.50 (limit -0.2) and declining.",
        "1 meeting in 30 days, usually one every 14 days.",
    ];
    assert_eq!(reasons, expected);
}
