//! What is measured of a relationship: windows, rates, habits, sentiment.

use crm_health_scoring::config::Config;
use crm_health_scoring::interaction::{EventType, Instant, Interaction, Meeting};
use crm_health_scoring::relationship::{
    self, Measured, RelationshipInputs, RelationshipMetrics, measure,
};
use crm_health_scoring::status::SentimentTrend;

use crate::fixtures::{
    NOW, answer, days_ago, event, just_before, met, received, sent, times, toned,
};

pub(crate) fn inputs<'a>(
    interactions: &'a [Interaction],
    meetings: &'a [Meeting],
) -> RelationshipInputs<'a> {
    RelationshipInputs {
        interactions,
        meetings,
        opens_tracked: true,
        total_deal_value: 0.0,
        at_risk_deal_value: 0.0,
    }
}

pub(crate) fn measured(interactions: &[Interaction], meetings: &[Meeting]) -> Measured {
    measure(&inputs(interactions, meetings), NOW)
}

pub(crate) fn metrics(interactions: &[Interaction], meetings: &[Meeting]) -> RelationshipMetrics {
    measured(interactions, meetings).metrics
}

#[test]
fn a_contact_without_rows_has_counts_of_zero_and_nothing_else() {
    let expected = RelationshipMetrics {
        communication_count_30d: Some(0),
        meeting_count_30d: Some(0),
        total_deal_value: Some(0.0),
        at_risk_deal_value: Some(0.0),
        ..Default::default()
    };
    let found = measured(&[], &[]);
    assert_eq!(found.metrics, expected);
    assert_eq!((found.email_count_30d, found.signals.len()), (0, 0));
    assert_eq!(found.last_meaningful_interaction, None);
}

#[test]
fn last_contact_is_any_event_and_last_response_an_inbound_one() {
    let events = [
        received(200.0),
        sent(20.0),
        event(EventType::EmailOpened, days_ago(3.5)),
        received(-1.0), // the future does not count
    ];
    let found = metrics(&events, &[]);
    assert_eq!(found.days_since_last_contact, Some(3));
    assert_eq!(found.days_since_last_response, Some(200));
    assert_eq!(metrics(&events[1..], &[]).days_since_last_response, None);
}

#[test]
fn the_window_of_30_days_includes_its_first_instant() {
    let first = days_ago(30.0);
    for (at, expected) in [
        (first, 1),
        (just_before(first), 0),
        (NOW, 1),
        (Instant(NOW.0 + 1), 0),
    ] {
        let found = measured(&[event(EventType::EmailSent, at)], &[]);
        assert_eq!(
            found.metrics.communication_count_30d,
            Some(expected),
            "{at:?}"
        );
        assert_eq!(found.email_count_30d, expected, "{at:?}");
    }
}

#[test]
fn every_event_counts_and_emails_are_those_sent_and_received() {
    let events: Vec<Interaction> = EventType::ALL
        .iter()
        .map(|kind| event(*kind, days_ago(1.0)))
        .collect();
    let found = measured(&events, &[]);
    assert_eq!(found.metrics.communication_count_30d, Some(11));
    assert_eq!(found.email_count_30d, 2);
}

#[test]
fn response_rate_is_of_outbound_events_of_30_days_halves_up() {
    let replied = |row: Interaction| Interaction {
        was_replied: true,
        ..row
    };
    let call = || event(EventType::CallMade, days_ago(1.0));
    let table = [
        (vec![], None),
        (vec![replied(received(1.0))], None),
        (vec![sent(1.0)], Some(0)),
        (
            vec![replied(sent(1.0)), sent(2.0), replied(call())],
            Some(67),
        ),
        (vec![replied(sent(1.0)), sent(31.0)], Some(100)),
        (
            [vec![replied(sent(1.0))], times(7, || sent(1.0))].concat(),
            Some(13),
        ), // 12.5
    ];
    for (events, expected) in table {
        assert_eq!(
            metrics(&events, &[]).response_rate_percent,
            expected,
            "{events:?}"
        );
    }
}

#[test]
fn open_rate_is_of_emails_sent_in_30_days_where_openings_are_tracked() {
    let opened = |row: Interaction| Interaction {
        was_opened: true,
        ..row
    };
    let events = [
        opened(sent(1.0)),
        sent(2.0),
        sent(3.0),
        opened(received(1.0)),
        sent(31.0),
    ];
    assert_eq!(metrics(&events, &[]).email_open_rate_percent, Some(33));
    assert_eq!(metrics(&events[3..], &[]).email_open_rate_percent, None);
    let untracked = RelationshipInputs {
        opens_tracked: false,
        ..inputs(&events, &[])
    };
    assert_eq!(
        measure(&untracked, NOW).metrics.email_open_rate_percent,
        None
    );
}

#[test]
fn response_times_are_of_inbound_events() {
    let events = [
        answer(1.0, 2.0),
        answer(30.0, 4.0),
        answer(31.0, 30.0),
        answer(90.0, 12.0),
        answer(90.1, 900.0),
        Interaction {
            response_time_hours: Some(900.0),
            ..sent(1.0)
        },
        answer(1.0, -1.0),
    ];
    let found = metrics(&events, &[]);
    assert_eq!(found.avg_response_time_hours, Some(3.0));
    assert_eq!(found.baseline_response_time_hours, Some(12.0));
}

#[test]
fn a_habit_of_zero_is_no_habit() {
    let events = [answer(1.0, 0.0), answer(1.0, 0.0)];
    let found = metrics(&events, &[met(1.0, None), met(1.0, None)]);
    assert_eq!(found.avg_response_time_hours, Some(0.0));
    assert_eq!(found.baseline_response_time_hours, None);
    assert_eq!(found.baseline_contact_frequency_days, None);
    assert_eq!(found.baseline_meeting_frequency_days, None);
}

#[test]
fn the_contact_habit_is_the_mean_gap_over_90_days() {
    let table: &[(&[f64], Option<f64>)] = &[
        (&[5.0], None),
        (&[5.0, 91.0], None),
        (&[5.0, 90.0], Some(85.0)),
        (&[0.0, 1.0, 10.0, 20.0, 100.0], Some(20.0 / 3.0)),
        (&[-5.0, 0.0, 3.0], Some(3.0)),
    ];
    for (days, expected) in table {
        let events: Vec<Interaction> = days.iter().map(|d| sent(*d)).collect();
        let found = metrics(&events, &[]).baseline_contact_frequency_days;
        assert_eq!(found, *expected, "{days:?}");
    }
}

#[test]
fn rows_within_a_day_are_one_conversation_and_no_habit() {
    let events = [received(1.0), sent(1.0 + 1.0 / 24.0)];
    let found = metrics(&events, &[met(1.0, None), met(1.5, None)]);
    assert_eq!(found.baseline_contact_frequency_days, None);
    assert_eq!(found.baseline_meeting_frequency_days, None);
    let score = relationship::score(&found, &Config::default());
    assert_eq!(score.communication_frequency_score, 50, "2 interactions");
    assert!(measured(&events, &[]).signals.is_empty());
    let a_day_before = days_ago(2.0);
    let (less, more) = (Instant(a_day_before.0 + 1), just_before(a_day_before));
    for (oldest, expected) in [(less, None), (a_day_before, Some(1.0)), (more, Some(1.0))] {
        let events = [received(1.0), event(EventType::EmailSent, oldest)];
        let meeting = Meeting {
            start: oldest,
            ..met(2.0, None)
        };
        let found = metrics(&events, &[met(1.0, None), meeting]);
        let rounded = |days: Option<f64>| days.map(f64::round);
        assert_eq!(
            rounded(found.baseline_contact_frequency_days),
            expected,
            "{oldest:?}"
        );
        assert_eq!(
            rounded(found.baseline_meeting_frequency_days),
            expected,
            "{oldest:?}"
        );
    }
}

#[test]
fn the_meeting_habit_leaves_booked_meetings_out() {
    let table: &[(&[f64], Option<f64>)] = &[
        (&[5.0], None),
        (&[5.0, -5.0], None),
        (&[5.0, 91.0], None),
        (&[0.0, 14.0, 28.0, -14.0], Some(14.0)),
    ];
    for (days, expected) in table {
        let meetings: Vec<Meeting> = days.iter().map(|d| met(*d, None)).collect();
        let found = metrics(&[], &meetings).baseline_meeting_frequency_days;
        assert_eq!(found, *expected, "{days:?}");
    }
}

#[test]
fn meetings_count_booked_ones_in() {
    let meetings = [met(-3.0, None), met(30.0, None), met(30.1, None)];
    let found = metrics(&[], &meetings);
    assert_eq!(found.meeting_count_30d, Some(2));
    assert_eq!(found.days_since_last_meeting, Some(-3));
    assert_eq!(metrics(&[], &meetings[2..]).meeting_count_30d, Some(0));
}

#[test]
fn sentiment_is_of_three_meetings_and_five_emails() {
    let meetings: Vec<Meeting> = [0.3, 0.3, 0.3, -1.0]
        .iter()
        .zip(1..)
        .map(|(s, d)| met(f64::from(d), Some(*s)))
        .collect();
    let emails: Vec<Interaction> = [0.3, 0.3, 0.3, 0.3, 0.3, -1.0]
        .iter()
        .zip(1..)
        .map(|(s, d)| toned(d.into(), *s))
        .collect();
    let avg = metrics(&emails, &meetings).avg_sentiment.unwrap();
    assert!((avg - 0.3).abs() < 1e-12, "{avg}");
    let old = [toned(31.0, 0.9)];
    assert_eq!(metrics(&old, &[]).avg_sentiment, None);
    assert_eq!(
        metrics(&old, &[met(300.0, Some(0.5))]).avg_sentiment,
        Some(0.5)
    );
}

#[test]
fn the_trend_is_of_the_whole_list_or_else_of_two_emails() {
    use SentimentTrend::{Declining, Improving, Stable, Unknown};
    let table: &[(&[f64], &[f64], SentimentTrend)] = &[
        // meetings, newest first · e-mails, newest first
        (&[], &[], Unknown),
        (&[0.9, 0.1], &[], Unknown),
        (&[0.9], &[0.1], Unknown),
        (&[], &[0.4, 0.3], Stable), // exactly 0.1
        (&[], &[0.41, 0.3], Improving),
        (&[], &[0.3, 0.41], Declining),
        (&[0.4, 0.3, 0.3], &[0.0, 0.9], Stable),
        (&[0.41, 0.3, 0.3], &[], Improving),
        (&[0.29, 0.4, 0.4], &[], Declining),
        (&[0.9], &[0.2, 0.4], Improving), // 0.9 against 0.3
        (&[0.5, 0.2], &[0.6], Stable),    // 0.5 against 0.4, exactly 0.1
        (&[], &[0.1, 0.5, 0.5], Declining),
    ];
    for (meetings, emails, expected) in table {
        let meeting_rows: Vec<Meeting> = (1..)
            .zip(*meetings)
            .map(|(day, s)| met(f64::from(day), Some(*s)))
            .collect();
        let email_rows: Vec<Interaction> = (11..) // after the meetings
            .zip(*emails)
            .map(|(day, s)| toned(f64::from(day), *s))
            .collect();
        let found = metrics(&email_rows, &meeting_rows).sentiment_trend;
        assert_eq!(
            found, *expected,
            "meetings {meetings:?}, e-mails {emails:?}"
        );
    }
}

#[test]
fn the_trend_is_of_the_list_in_the_order_of_time_meetings_first_among_equals() {
    use SentimentTrend::{Declining, Improving, Stable, Unknown};
    // Days ago and sentiment, newest first.
    type Toned<'a> = &'a [(f64, f64)];
    let table: &[(Toned<'_>, Toned<'_>, SentimentTrend)] = &[
        (&[(200.0, 0.8)], &[(1.0, -0.6), (3.0, -0.6)], Declining), // -0.6 against 0.1
        (
            &[(200.0, -0.8)],
            &[(1.0, 0.2), (3.0, 0.2), (4.0, 0.1)],
            Stable,
        ),
        (&[(2.0, 0.9)], &[(1.0, 0.3), (3.0, 0.0)], Declining), // 0.3 against 0.45
        (&[(2.0, 0.9), (9.0, 0.0)], &[(5.0, 0.2)], Improving), // 0.9 against 0.1
        (&[(1.0, 0.9)], &[(1.0, 0.3), (1.0, 0.3)], Improving), // 0.9 first
        (&[(2.0, 0.9)], &[(1.0, 0.3)], Unknown),
        (&[(200.0, 0.8)], &[], Unknown),
    ];
    for (meetings, emails, expected) in table {
        let met: Vec<Meeting> = meetings.iter().map(|(d, s)| met(*d, Some(*s))).collect();
        let mailed: Vec<Interaction> = emails.iter().map(|(d, s)| toned(*d, *s)).collect();
        let found = metrics(&mailed, &met).sentiment_trend;
        assert_eq!(
            found, *expected,
            "meetings {meetings:?}, e-mails {emails:?}"
        );
    }
}

#[test]
fn deal_values_pass_through_and_non_numbers_are_unknown() {
    let worth = |total_deal_value, at_risk_deal_value| {
        let inputs = RelationshipInputs {
            total_deal_value,
            at_risk_deal_value,
            ..inputs(&[], &[])
        };
        let metrics = measure(&inputs, NOW).metrics;
        (metrics.total_deal_value, metrics.at_risk_deal_value)
    };
    assert_eq!(worth(12.5, 3.0), (Some(12.5), Some(3.0)));
    assert_eq!(worth(f64::NAN, f64::INFINITY), (None, None));
}
