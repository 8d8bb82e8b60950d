//! Numbers in sentences: none that looks like a limit it is not, no zero that is none, no sign without a number.

use crm_health_scoring::config::Config;
use crm_health_scoring::deal::{self, DealMetrics};
use crm_health_scoring::ghost::SignalType;
use crm_health_scoring::relationship::{self, RelationshipMetrics};

use crate::fixtures::{answer, met};
use crate::ghost_signals::signal;

/// What is said of a deal's component.
fn of_deal(metrics: &DealMetrics, component: usize) -> String {
    let config = Config::default();
    let score = deal::score(metrics, &config);
    deal::explain(metrics, &score, &config)[component]
        .reason
        .clone()
}

/// What is said of a relationship's component.
fn of_relationship(metrics: &RelationshipMetrics, component: usize) -> String {
    let config = Config::default();
    let score = relationship::score(metrics, &config);
    relationship::explain(metrics, &score, &config)[component]
        .reason
        .clone()
}

#[test]
fn answers_within_the_hour_are_told_in_minutes() {
    let table = [
        (0.0, "less than a minute"),
        (0.008, "less than a minute"),
        (0.01, "1 minute"),
        (0.04, "2 minutes"),
        (0.5, "30 minutes"),
        (0.99, "59 minutes"),
        (0.995, "1 hour"),
        (1.0, "1 hour"),
        (1.5, "1.5 hours"),
    ];
    for (hours, expected) in table {
        let deal = DealMetrics {
            avg_response_time_hours: Some(hours),
            ..Default::default()
        };
        let contact = RelationshipMetrics {
            avg_response_time_hours: Some(hours),
            baseline_response_time_hours: Some(0.25),
            ..Default::default()
        };
        let said = [of_deal(&deal, 4), of_relationship(&contact, 1)];
        assert_eq!(
            said[0],
            format!("Answers take {expected} on average, excellent up to 4.")
        );
        assert_eq!(
            said[1],
            format!("Answers take {expected} (usually 15 minutes).")
        );
    }
    let mut events: Vec<_> = (31..60).map(|day| answer(f64::from(day), 0.1)).collect();
    events.push(answer(1.0, 0.5));
    let found = signal(SignalType::ResponseTimeIncreased, &events, &[]).unwrap();
    assert_eq!(
        found.signal_context,
        "Answers now take 30 minutes, usually 7 minutes."
    );
}

#[test]
fn hours_have_decimals_enough_to_tell_them_from_their_limit() {
    let table = [
        (48.0, "48 hours on average, good up to 24, slow after 48."),
        (48.04, "48.04 hours on average, slow after 48."),
        (48.06, "48.1 hours on average, slow after 48."),
        (48.000_4, "48.0004 hours on average, slow after 48."),
        (
            47.96,
            "47.96 hours on average, good up to 24, slow after 48.",
        ),
        (
            24.01,
            "24.01 hours on average, good up to 24, slow after 48.",
        ),
        (
            4.02,
            "4.02 hours on average, excellent up to 4, good up to 24.",
        ),
        (30.04, "30 hours on average, good up to 24, slow after 48."),
    ];
    for (hours, expected) in table {
        let metrics = DealMetrics {
            avg_response_time_hours: Some(hours),
            ..Default::default()
        };
        assert_eq!(of_deal(&metrics, 4), format!("Answers take {expected}"));
    }
    let slowed = RelationshipMetrics {
        avg_response_time_hours: Some(30.02),
        baseline_response_time_hours: Some(10.0),
        ..Default::default()
    };
    assert_eq!(
        of_relationship(&slowed, 1),
        "Answers take 30.02 hours (usually 10 hours)."
    );
}

#[test]
fn sentiments_have_no_negative_zero_and_differ_from_their_limit() {
    let said = |avg| {
        let metrics = DealMetrics {
            avg_sentiment: Some(avg),
            ..Default::default()
        };
        of_deal(&metrics, 1)
    };
    let scale = "on a scale from -1 to +1.";
    assert_eq!(said(-0.001), format!("Sentiment is at +0.00 {scale}"));
    assert_eq!(said(-0.0), format!("Sentiment is at +0.00 {scale}"));
    assert_eq!(said(-0.01), format!("Sentiment is at -0.01 {scale}"));
    assert_eq!(said(-0.3), format!("Sentiment is at -0.30 {scale}"));
    assert_eq!(
        said(-0.302),
        "Sentiment is negative at -0.302 (limit -0.3)."
    );
    assert_eq!(said(-0.298), format!("Sentiment is at -0.298 {scale}"));
    let meetings = [
        met(1.0, Some(-0.001)),
        met(2.0, Some(0.4)),
        met(3.0, Some(0.4)),
    ];
    let found = signal(SignalType::SentimentDeclining, &[], &meetings).unwrap();
    assert_eq!(
        found.signal_context,
        "Sentiment of meetings fell to +0.00 from +0.40."
    );
}

#[test]
fn deals_at_risk_are_set_beside_a_total_that_holds_them() {
    let said = |at_risk, total| {
        let metrics = RelationshipMetrics {
            at_risk_deal_value: Some(at_risk),
            total_deal_value: Some(total),
            ..Default::default()
        };
        let config = Config::default();
        let score = relationship::score(&metrics, &config);
        relationship::reasons(&metrics, &[], &score, &config)[0].clone()
    };
    assert_eq!(said(80.0, 90.0), "deals worth 80 of 90 are at risk");
    assert_eq!(said(90.0, 90.0), "deals worth 90 of 90 are at risk");
    assert_eq!(said(60.0, -40.0), "deals worth 60 are at risk");
    assert_eq!(said(60.0, 50.0), "deals worth 60 are at risk");
}
