//! What holds of scores for any metrics: bounds, and the direction each input pulls in.
//!
//! Unknown is not on the scale of an input: a component may stand higher or lower without it.
//! A count is compared under one and the same habit, as the habit changes what a count is worth.

use crm_health_scoring::config::Config;
use crm_health_scoring::deal::{self, DealMetrics, DealScore};
use crm_health_scoring::relationship::{self, RelationshipMetrics, RelationshipScore};
use crm_health_scoring::status::SentimentTrend;
use proptest::option;
use proptest::prelude::*;

fn days() -> impl Strategy<Value = i64> {
    prop_oneof![8 => -5..60_i64, 1 => any::<i64>()]
}

fn count() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 0..15_i64, 1 => any::<i64>()]
}

fn measured() -> impl Strategy<Value = f64> {
    prop_oneof![8 => 0.0..80.0, 1 => any::<f64>()]
}

/// A duration that is known: only those are on a scale.
fn duration() -> impl Strategy<Value = f64> {
    prop_oneof![8 => 0.01..80.0, 1 => 80.0..1e300]
}

fn sentiment() -> impl Strategy<Value = f64> {
    -1.2..1.2
}

fn percent() -> impl Strategy<Value = i64> {
    0..=100_i64
}

fn trend() -> impl Strategy<Value = SentimentTrend> {
    proptest::sample::select(SentimentTrend::ALL)
}

const STAGES: [&str; 5] = ["SQL", "Opportunity", "Verbal", "Signed", "?"];

prop_compose! {
    fn deal_metrics()(
        stage in option::of(proptest::sample::select(&STAGES)),
        days_in_stage in option::of(days()),
        days_since_last_meeting in option::of(days()),
        days_since_last_activity in option::of(days()),
        avg_sentiment in option::of(prop_oneof![sentiment(), any::<f64>()]),
        sentiment_trend in trend(),
        meeting_count_30d in option::of(count()),
        activity_count_30d in option::of(count()),
        avg_response_time_hours in option::of(measured()),
    ) -> DealMetrics {
        DealMetrics {
            stage: stage.map(str::to_owned), days_in_stage, days_since_last_meeting,
            days_since_last_activity, avg_sentiment, sentiment_trend, meeting_count_30d,
            activity_count_30d, avg_response_time_hours, booked: None,
        }
    }
}

prop_compose! {
    fn answers()(
        days_since_last_response in option::of(days()),
        avg_response_time_hours in option::of(measured()),
        response_rate_percent in option::of(percent()),
        email_open_rate_percent in option::of(percent()),
        baseline_response_time_hours in option::of(measured()),
    ) -> RelationshipMetrics {
        RelationshipMetrics {
            days_since_last_response, avg_response_time_hours, response_rate_percent,
            email_open_rate_percent, baseline_response_time_hours, ..Default::default()
        }
    }
}

prop_compose! {
    fn relationship_metrics()(
        answers in answers(),
        days_since_last_contact in option::of(days()),
        communication_count_30d in option::of(count()),
        meeting_count_30d in option::of(count()),
        days_since_last_meeting in option::of(days()),
        avg_sentiment in option::of(prop_oneof![sentiment(), any::<f64>()]),
        sentiment_trend in trend(),
        baseline_contact_frequency_days in option::of(measured()),
        baseline_meeting_frequency_days in option::of(measured()),
        values in (option::of(any::<f64>()), option::of(any::<f64>())),
    ) -> RelationshipMetrics {
        RelationshipMetrics {
            days_since_last_contact, communication_count_30d, meeting_count_30d,
            days_since_last_meeting, avg_sentiment, sentiment_trend,
            baseline_contact_frequency_days, baseline_meeting_frequency_days,
            total_deal_value: values.0, at_risk_deal_value: values.1, ..answers
        }
    }
}

fn deal_components(score: &DealScore) -> [i32; 6] {
    [
        score.stage_velocity_score,
        score.sentiment_score,
        score.engagement_score,
        score.activity_score,
        score.response_time_score,
        score.overall_health_score,
    ]
}

fn relationship_components(score: &RelationshipScore) -> [i32; 6] {
    [
        score.communication_frequency_score,
        score.response_behavior_score,
        score.engagement_quality_score,
        score.sentiment_score,
        score.meeting_pattern_score,
        score.overall_health_score,
    ]
}

/// With the better value each component, and the overall score, is at least what it is with the
/// worse one.
fn deal_never_falls<T>(
    base: &DealMetrics,
    [worse, better]: [T; 2],
    set: impl Fn(&mut DealMetrics, T),
) -> Result<(), TestCaseError> {
    let [mut low, mut high] = [base.clone(), base.clone()];
    set(&mut low, worse);
    set(&mut high, better);
    let config = Config::default();
    let [a, b] = [&low, &high].map(|metrics| deal_components(&deal::score(metrics, &config)));
    prop_assert!(
        a.iter().zip(b).all(|(a, b)| *a <= b),
        "{low:?} {a:?}\n{high:?} {b:?}"
    );
    Ok(())
}

/// As [`deal_never_falls`], of a relationship.
fn relationship_never_falls<T>(
    base: &RelationshipMetrics,
    [worse, better]: [T; 2],
    set: impl Fn(&mut RelationshipMetrics, T),
) -> Result<(), TestCaseError> {
    let [mut low, mut high] = [base.clone(), base.clone()];
    set(&mut low, worse);
    set(&mut high, better);
    let config = Config::default();
    let [a, b] = [&low, &high]
        .map(|metrics| relationship_components(&relationship::score(metrics, &config)));
    prop_assert!(
        a.iter().zip(b).all(|(a, b)| *a <= b),
        "{low:?} {a:?}\n{high:?} {b:?}"
    );
    Ok(())
}

/// The pair, smaller first.
fn ascending<T: PartialOrd>((a, b): (T, T)) -> (T, T) {
    if a <= b { (a, b) } else { (b, a) }
}

const TRENDS: [SentimentTrend; 3] = [
    SentimentTrend::Declining,
    SentimentTrend::Stable,
    SentimentTrend::Improving,
];

proptest! {
    #[test]
    fn deal_scores_stay_within_0_and_100(metrics in deal_metrics()) {
        let score = deal::score(&metrics, &Config::default());
        prop_assert!(deal_components(&score).iter().all(|score| (0..=100).contains(score)));
        prop_assert!((5..=95).contains(&score.predicted_close_probability));
        let config = Config::default();
        let reasons = deal::reasons(&metrics, &score, &config);
        prop_assert!((1..=3).contains(&reasons.len()), "{:?}", reasons);
        prop_assert_eq!(deal::explain(&metrics, &score, &config).len(), 5);
    }

    #[test]
    fn relationship_scores_stay_within_0_and_100(metrics in relationship_metrics()) {
        let config = Config::default();
        let score = relationship::score(&metrics, &config);
        prop_assert!(relationship_components(&score).iter().all(|s| (0..=100).contains(s)));
        prop_assert!(score.ghost_probability_percent.is_none_or(|p| (60..=100).contains(&p)));
        let reasons = relationship::reasons(&metrics, &[], &score, &config);
        prop_assert!((1..=3).contains(&reasons.len()), "{:?}", reasons);
        prop_assert_eq!(relationship::explain(&metrics, &score, &config).len(), 5);
    }

    #[test]
    fn longer_in_stage_is_never_better(m in deal_metrics(), pair in (days(), days())) {
        let (short, long) = ascending(pair);
        deal_never_falls(&m, [long, short], |m, v| m.days_in_stage = Some(v))?;
    }

    #[test]
    fn a_more_recent_meeting_is_never_worse(
        m in deal_metrics(),
        r in relationship_metrics(),
        pair in (days(), days()),
    ) {
        let (new, old) = ascending(pair);
        deal_never_falls(&m, [old, new], |m, v| m.days_since_last_meeting = Some(v))?;
        relationship_never_falls(&r, [old, new], |m, v| m.days_since_last_meeting = Some(v))?;
    }

    #[test]
    fn a_more_recent_activity_is_never_worse(m in deal_metrics(), pair in (days(), days())) {
        let (new, old) = ascending(pair);
        deal_never_falls(&m, [old, new], |m, v| m.days_since_last_activity = Some(v))?;
    }

    #[test]
    fn more_meetings_are_never_worse(
        m in deal_metrics(),
        r in relationship_metrics(),
        pair in (count(), count()),
    ) {
        let (few, many) = ascending(pair);
        deal_never_falls(&m, [few, many], |m, v| m.meeting_count_30d = Some(v))?;
        relationship_never_falls(&r, [few, many], |m, v| m.meeting_count_30d = Some(v))?;
    }

    #[test]
    fn more_activities_are_never_worse(m in deal_metrics(), pair in (count(), count())) {
        let (few, many) = ascending(pair);
        deal_never_falls(&m, [few, many], |m, v| m.activity_count_30d = Some(v))?;
    }

    #[test]
    fn better_sentiment_is_never_worse(
        m in deal_metrics(),
        r in relationship_metrics(),
        pair in (sentiment(), sentiment()),
    ) {
        let (bad, good) = ascending(pair);
        deal_never_falls(&m, [bad, good], |m, v| m.avg_sentiment = Some(v))?;
        relationship_never_falls(&r, [bad, good], |m, v| m.avg_sentiment = Some(v))?;
    }

    #[test]
    fn a_better_trend_is_never_worse(
        m in deal_metrics(),
        r in relationship_metrics(),
        pair in (0..3_usize, 0..3_usize),
    ) {
        let (bad, good) = ascending(pair);
        deal_never_falls(&m, [TRENDS[bad], TRENDS[good]], |m, v| m.sentiment_trend = v)?;
        relationship_never_falls(&r, [TRENDS[bad], TRENDS[good]], |m, v| m.sentiment_trend = v)?;
    }

    #[test]
    fn quicker_answers_are_never_worse(
        m in deal_metrics(),
        r in relationship_metrics(),
        pair in (duration(), duration()),
    ) {
        let (quick, slow) = ascending(pair);
        deal_never_falls(&m, [slow, quick], |m, v| m.avg_response_time_hours = Some(v))?;
        relationship_never_falls(&r, [slow, quick], |m, v| m.avg_response_time_hours = Some(v))?;
    }

    #[test]
    fn higher_rates_are_never_worse(r in relationship_metrics(), pair in (percent(), percent())) {
        let (low, high) = ascending(pair);
        relationship_never_falls(&r, [low, high], |m, v| m.response_rate_percent = Some(v))?;
        relationship_never_falls(&r, [low, high], |m, v| m.email_open_rate_percent = Some(v))?;
    }

    #[test]
    fn more_contact_is_never_worse(r in relationship_metrics(), pair in (count(), count())) {
        let (few, many) = ascending(pair);
        relationship_never_falls(&r, [few, many], |m, v| m.communication_count_30d = Some(v))?;
    }

    #[test]
    fn the_same_contact_against_a_slower_habit_is_never_worse(
        r in relationship_metrics(),
        pair in (duration(), duration()),
    ) {
        let (brisk, slow) = ascending(pair);
        relationship_never_falls(&r, [brisk, slow], |m, v| {
            m.baseline_contact_frequency_days = Some(v);
        })?;
        relationship_never_falls(&r, [brisk, slow], |m, v| {
            m.baseline_meeting_frequency_days = Some(v);
        })?;
        relationship_never_falls(&r, [brisk, slow], |m, v| {
            m.baseline_response_time_hours = Some(v);
        })?;
    }

    #[test]
    fn ages_and_deals_without_a_component_change_no_score(
        r in relationship_metrics(),
        age in option::of(days()),
        value in option::of(any::<f64>()),
    ) {
        let changed = RelationshipMetrics {
            days_since_last_contact: age,
            days_since_last_response: age,
            total_deal_value: value,
            at_risk_deal_value: value,
            ..r.clone()
        };
        let config = Config::default();
        let scored = |m| relationship_components(&relationship::score(m, &config));
        prop_assert_eq!(scored(&r), scored(&changed));
    }

    #[test]
    fn any_valid_configuration_keeps_scores_in_bounds_and_velocity_falling(
        m in deal_metrics(),
        weights in proptest::array::uniform5(0..i64::MAX),
        mut limits in proptest::array::uniform3(0..400_i32),
        pair in (days(), days()),
    ) {
        limits.sort_unstable();
        let mut config = Config::default();
        config.stage_thresholds.clear();
        config.default_stage.optimal_days = limits[0];
        config.default_stage.warning_days = limits[1];
        config.default_stage.critical_days = limits[2];
        config.deal_weights.stage_velocity = weights[0];
        config.deal_weights.sentiment = weights[1];
        config.deal_weights.engagement = weights[2];
        config.deal_weights.activity = weights[3];
        config.deal_weights.response_time = weights[4];
        let (short, long) = ascending(pair);
        let [a, b] = [short, long].map(|days| {
            let m = DealMetrics { days_in_stage: Some(days), ..m.clone() };
            deal_components(&deal::score(&m, &config))
        });
        prop_assert!(a.iter().chain(&b).all(|score| (0..=100).contains(score)));
        prop_assert!(a[0] >= b[0] && a[5] >= b[5], "{:?} {:?}", a, b);
    }
}
