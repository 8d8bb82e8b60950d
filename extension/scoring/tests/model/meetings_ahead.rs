//! Meetings that are still ahead: booked, but neither held nor sounding like anything.

use crm_health_scoring::config::Config;
use crm_health_scoring::deal::{self, DealInputs};
use crm_health_scoring::ghost::SignalType;
use crm_health_scoring::interaction::Meeting;
use crm_health_scoring::relationship::{self, RelationshipMetrics};
use crm_health_scoring::status::SentimentTrend;

use crate::fixtures::{NOW, met};
use crate::ghost_signals::severity;
use crate::relationship_measure::metrics;

fn deal_metrics(meetings: &[Meeting]) -> deal::DealMetrics {
    let inputs = DealInputs {
        stage: Some("SQL"),
        stage_since: None,
        emails: &[],
        meetings,
        activity_count_30d: 12,
        last_activity: None,
    };
    deal::measure(&inputs, NOW)
}

fn deal_words(metrics: &deal::DealMetrics) -> String {
    let config = Config::default();
    let score = deal::score(metrics, &config);
    deal::explain(metrics, &score, &config)[2].reason.clone()
}

fn relationship_words(metrics: &RelationshipMetrics) -> [String; 2] {
    let config = Config::default();
    let score = relationship::score(metrics, &config);
    let rows = relationship::explain(metrics, &score, &config);
    [rows[2].reason.clone(), rows[4].reason.clone()]
}

/// Three held, newest first, and one a week ahead for a year.
fn weekly() -> Vec<Meeting> {
    let held = [(1.0, -0.9), (8.0, 0.3), (15.0, 0.3)];
    let held = held.map(|(days, sentiment)| met(days, Some(sentiment)));
    let ahead = (1..=52).map(|week| met(-7.0 * f64::from(week), None));
    held.into_iter().chain(ahead).collect()
}

#[test]
fn sentiment_is_of_meetings_that_have_begun() {
    let (contact, deal) = (metrics(&[], &weekly()), deal_metrics(&weekly()));
    for (avg, trend) in [
        (contact.avg_sentiment, contact.sentiment_trend),
        (deal.avg_sentiment, deal.sentiment_trend),
    ] {
        assert!(avg.is_some_and(|avg| (avg + 0.1).abs() < 1e-9), "{avg:?}");
        assert_eq!(trend, SentimentTrend::Declining);
    }
    let begins_now = [met(0.0, Some(0.5))];
    assert_eq!(metrics(&[], &begins_now).avg_sentiment, Some(0.5));
    assert_eq!(deal_metrics(&begins_now).avg_sentiment, Some(0.5));
    // A sentiment that stands at a meeting ahead is not one of that meeting.
    let mut early = weekly();
    early.extend([-1.0, -2.0, -3.0].map(|days| met(days, Some(0.9))));
    assert_eq!(metrics(&[], &early).avg_sentiment, contact.avg_sentiment);
    assert!(severity(SignalType::SentimentDeclining, &[], &early).is_some());
}

#[test]
fn words_name_the_next_meeting_and_part_those_held_from_those_booked() {
    let (contact, deal) = (metrics(&[], &weekly()), deal_metrics(&weekly()));
    assert_eq!(contact.meeting_count_30d, Some(55), "as before");
    assert_eq!(contact.days_since_last_meeting, Some(-364), "as before");
    let expected = [
        "A meeting booked in 7 days, 3 meetings in 30 days and 52 booked.",
        "3 meetings in 30 days and 52 booked, usually one every 7 days.",
    ];
    assert_eq!(relationship_words(&contact), expected);
    assert_eq!(
        deal_words(&deal),
        "A meeting booked in 7 days, 3 meetings and 12 touchpoints in 30 days, 52 meetings booked."
    );
    let none_ahead = &weekly()[..3];
    let [engagement, pattern] = relationship_words(&metrics(&[], none_ahead));
    assert_eq!(engagement, "Last meeting 1 day ago, 3 meetings in 30 days.");
    assert_eq!(pattern, "3 meetings in 30 days, usually one every 7 days.");
    assert_eq!(
        deal_words(&deal_metrics(none_ahead)),
        "Last meeting 1 day ago, 3 meetings and 12 touchpoints in 30 days."
    );
    assert_eq!(
        deal_words(&deal_metrics(&[met(-2.0, None)])),
        "A meeting booked in 2 days, 0 meetings and 12 touchpoints in 30 days, 1 meeting booked."
    );
}

#[test]
fn a_deal_on_track_is_told_its_next_meeting() {
    let metrics = deal::DealMetrics {
        avg_sentiment: Some(0.8),
        sentiment_trend: SentimentTrend::Stable,
        days_in_stage: Some(1),
        days_since_last_activity: Some(1),
        avg_response_time_hours: Some(1.0),
        ..deal_metrics(&weekly())
    };
    let config = Config::default();
    let score = deal::score(&metrics, &config);
    let reasons = deal::reasons(&metrics, &score, &config);
    assert_eq!(reasons, ["on track in SQL, a meeting booked in 7 days"]);
}
