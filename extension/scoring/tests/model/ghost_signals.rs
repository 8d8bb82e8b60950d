//! The seven ghost signals: when each fires, how grave it is, and the numbers it brings. Those of
//! the mail have a file of their own.

use crm_health_scoring::ghost::{GhostSignal, Severity, SignalType};
use crm_health_scoring::interaction::{EventType, Interaction, Meeting};
use crm_health_scoring::relationship::{RelationshipInputs, measure};
use serde_json::json;

use crate::ghost_signals_of_mail::{mailing, thread};

use crate::fixtures::{NOW, answer, days_ago, event, just_before, met, received, sent, times};

pub(crate) fn signals(interactions: &[Interaction], meetings: &[Meeting]) -> Vec<GhostSignal> {
    let inputs = RelationshipInputs {
        interactions,
        meetings,
        opens_tracked: true,
        total_deal_value: 0.0,
        at_risk_deal_value: 0.0,
    };
    measure(&inputs, NOW).signals
}

pub(crate) fn signal(
    wanted: SignalType,
    interactions: &[Interaction],
    meetings: &[Meeting],
) -> Option<GhostSignal> {
    signals(interactions, meetings)
        .into_iter()
        .find(|found| found.signal_type == wanted)
}

pub(crate) fn severity(
    wanted: SignalType,
    interactions: &[Interaction],
    meetings: &[Meeting],
) -> Option<Severity> {
    signal(wanted, interactions, meetings).map(|found| found.severity)
}

pub(crate) const HIGH: Option<Severity> = Some(Severity::High);
pub(crate) const MEDIUM: Option<Severity> = Some(Severity::Medium);
pub(crate) const CRITICAL: Option<Severity> = Some(Severity::Critical);

/// Answers of 60 days ago that make a habit of ten hours, beside the recent ones given.
fn answers_after_habit(recent: &[f64]) -> Vec<Interaction> {
    let many = 1000 - recent.len();
    let rest = (10_000.0 - recent.iter().sum::<f64>()) / many as f64;
    let old = times(many, || answer(60.0, rest));
    let new = (1..)
        .zip(recent)
        .map(|(day, hours)| answer(f64::from(day), *hours));
    old.into_iter().chain(new).collect()
}

#[test]
fn response_time_increased_compares_the_five_newest_answers_with_the_habit() {
    let table: &[(&[f64], Option<Severity>)] = &[
        (&[], None),
        (&[29.9], None),
        (&[30.0], HIGH),
        (&[49.9], HIGH),
        (&[50.0], CRITICAL),
        (&[30.0, 30.0, 30.0, 30.0, 30.0, 1.0], HIGH), // the sixth does not count
        (&[30.0, 30.0, 30.0, 30.0, 1.0, 30.0], None),
    ];
    for (recent, expected) in table {
        let events = answers_after_habit(recent);
        let found = severity(SignalType::ResponseTimeIncreased, &events, &[]);
        assert_eq!(found, *expected, "{recent:?}");
    }
}

#[test]
fn response_time_increased_is_of_inbound_answers_of_30_days() {
    let outbound = Interaction {
        response_time_hours: Some(900.0),
        ..sent(1.0)
    };
    let mut events = answers_after_habit(&[]);
    events.push(outbound);
    assert_eq!(
        severity(SignalType::ResponseTimeIncreased, &events, &[]),
        None
    );
    events.push(answer(30.0, 60.0));
    assert_eq!(
        severity(SignalType::ResponseTimeIncreased, &events, &[]),
        CRITICAL
    );
    let late = just_before(days_ago(30.0));
    events.last_mut().unwrap().at = late;
    assert_eq!(
        severity(SignalType::ResponseTimeIncreased, &events, &[]),
        None
    );
}

#[test]
fn response_time_increased_brings_its_numbers() {
    let found = signal(
        SignalType::ResponseTimeIncreased,
        &answers_after_habit(&[40.0, 45.0]),
        &[],
    );
    let found = found.unwrap();
    let expected =
        json!({"baseline_hours": 10.0, "current_avg_hours": 42.5, "increase_ratio": 4.25});
    assert_eq!(found.signal_data, expected);
    assert_eq!(
        found.signal_context,
        "Answers now take 42.5 hours, usually 10 hours."
    );
}

#[test]
fn meetings_put_off_twice_and_none_booked_since() {
    let moved = |days| event(EventType::MeetingRescheduled, days_ago(days));
    let off = |days| event(EventType::MeetingCancelled, days_ago(days));
    let booked = |days| event(EventType::MeetingScheduled, days_ago(days));
    let table = [
        (vec![moved(1.0)], None),
        (vec![off(1.0)], None),
        (vec![moved(1.0), moved(31.0)], None),
        (vec![moved(1.0), moved(30.0)], HIGH),
        (vec![moved(1.0), off(2.0)], CRITICAL),
        (vec![off(1.0), off(2.0)], CRITICAL),
        (vec![moved(1.0), moved(2.0), booked(1.5)], HIGH), // booked before the last move
        (vec![moved(1.0), moved(2.0), booked(1.0)], None),
        (vec![moved(1.0), moved(2.0), booked(0.5)], None),
        (vec![moved(1.0), moved(2.0), booked(-0.5)], HIGH), // in the future: not yet
    ];
    for (events, expected) in table {
        let found = severity(SignalType::MeetingRescheduledRepeatedly, &events, &[]);
        assert_eq!(found, expected, "{events:?}");
    }
    let events = [moved(2.0), moved(3.0), off(1.0)];
    let found = signal(SignalType::MeetingRescheduledRepeatedly, &events, &[]).unwrap();
    let expected = json!({"reschedule_count": 2, "cancel_count": 1, "has_new_meeting": false,
                          "last_event": "2026-03-01T12:00:00Z"});
    assert_eq!(found.signal_data, expected);
}

#[test]
fn meetings_put_off_are_booked_anew_where_one_lies_ahead() {
    let moved = |days| event(EventType::MeetingRescheduled, days_ago(days));
    let off = |days| event(EventType::MeetingCancelled, days_ago(days));
    let kind = SignalType::MeetingRescheduledRepeatedly;
    for events in [[moved(1.0), moved(2.0)], [moved(1.0), off(2.0)]] {
        assert_eq!(severity(kind, &events, &[met(-0.1, None)]), None, "ahead");
        let past = [met(0.0, None), met(0.5, None)];
        assert!(severity(kind, &events, &past).is_some(), "begun");
    }
}

#[test]
fn meetings_put_off_are_told_by_what_happened() {
    let moved = |days| event(EventType::MeetingRescheduled, days_ago(days));
    let off = |days| event(EventType::MeetingCancelled, days_ago(days));
    let table = [
        (
            vec![moved(2.0), moved(3.0)],
            "Meetings moved 2 times in 30 days, no new one booked.",
        ),
        (
            vec![off(2.0), off(3.0), off(4.0)],
            "Meetings called off 3 times in 30 days, no new one booked.",
        ),
        (
            vec![moved(2.0), off(3.0)],
            "Meetings moved 1 time and called off 1 time in 30 days, no new one booked.",
        ),
    ];
    for (events, expected) in table {
        let found = signal(SignalType::MeetingRescheduledRepeatedly, &events, &[]).unwrap();
        assert_eq!(found.signal_context, expected);
    }
}

#[test]
fn sentiment_declining_compares_the_newest_meeting_with_the_two_before() {
    let table: &[(&[f64], Option<Severity>)] = &[
        // newest first
        (&[-0.9, 0.9], None),
        (&[0.15, 0.3, 0.3], None), // exactly −0.15
        (&[0.14, 0.3, 0.3], MEDIUM),
        (&[0.3, 0.2, 0.9], MEDIUM),
        (&[0.3, 0.2, 0.2, 0.9], None),
        (&[-0.25, 0.5, 0.5], MEDIUM),
        (&[-0.26, 0.5, 0.5], HIGH),
        (&[-0.3, 0.5, 0.5], HIGH),
        (&[-0.31, 0.5, 0.5], CRITICAL),
    ];
    for (sentiments, expected) in table {
        let meetings: Vec<Meeting> = (1..)
            .zip(*sentiments)
            .map(|(day, s)| met(f64::from(day), Some(*s)))
            .collect();
        let found = severity(SignalType::SentimentDeclining, &[], &meetings);
        assert_eq!(found, *expected, "{sentiments:?}");
    }
}

#[test]
fn sentiment_declining_looks_past_meetings_without_sentiment() {
    let meetings = [
        met(1.0, None),
        met(2.0, Some(-0.5)),
        met(3.0, None),
        met(4.0, Some(0.2)),
        met(50.0, Some(0.6)),
        met(60.0, Some(0.1)),
    ];
    let found = signal(SignalType::SentimentDeclining, &[], &meetings).unwrap();
    let expected = json!({"recent_sentiment": -0.5, "previous_avg_sentiment": 0.4,
                          "change": -0.9, "meeting_count": 4});
    assert_eq!(found.signal_data, expected);
    assert_eq!(
        found.signal_context,
        "Sentiment of meetings fell to -0.50 from +0.40."
    );
}

/// Contact every ten days until `days` ago.
fn every_ten_days(days: f64) -> Vec<Interaction> {
    (0..5)
        .map(|n| received(days + 10.0 * f64::from(n)))
        .collect()
}

#[test]
fn engagement_pattern_break_by_the_length_of_the_silence() {
    let table = [(20.9, None), (21.0, HIGH), (40.9, HIGH), (41.0, CRITICAL)];
    for (days, expected) in table {
        let events = every_ten_days(days);
        let found = severity(SignalType::EngagementPatternBreak, &events, &[]);
        assert_eq!(found, expected, "{days} days");
    }
    let single = [received(80.0)];
    assert_eq!(
        severity(SignalType::EngagementPatternBreak, &single, &[]),
        None,
        "no habit"
    );
}

#[test]
fn engagement_pattern_break_brings_its_numbers() {
    let found = signal(
        SignalType::EngagementPatternBreak,
        &every_ten_days(25.0),
        &[],
    )
    .unwrap();
    let expected = json!({"days_since_last_contact": 25, "baseline_frequency_days": 10.0,
                          "expected_contact_days": 20.0});
    assert_eq!(found.signal_data, expected);
    assert_eq!(
        found.signal_context,
        "No contact for 25 days, usually every 10 days."
    );
}

#[test]
fn signals_come_in_a_fixed_order() {
    let mut events = thread(6.0, 2);
    events.extend([event(EventType::MeetingCancelled, days_ago(8.0))]);
    events.extend([event(EventType::MeetingRescheduled, days_ago(9.0))]);
    events.extend((1..40).map(|n| answer(40.0 + f64::from(n), 1.0)));
    events.extend([answer(20.0, 90.0)]);
    events.extend(mailing(45.0, 3, 4));
    let meetings = [
        met(1.0, Some(-0.9)),
        met(2.0, Some(0.5)),
        met(3.0, Some(0.5)),
    ];
    let found: Vec<SignalType> = signals(&events, &meetings)
        .iter()
        .map(|found| found.signal_type)
        .collect();
    assert_eq!(found, SignalType::ALL);
}
