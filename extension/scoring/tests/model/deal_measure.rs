//! What is measured of a deal: windows, ages, lists and trends.

use crm_health_scoring::deal::{DealInputs, DealMetrics, measure};
use crm_health_scoring::interaction::{EventType, Instant, Interaction, Meeting};
use crm_health_scoring::status::SentimentTrend;

use crate::fixtures::{DAY, NOW, answer, days_ago, event, just_before, met, received, sent, toned};

fn inputs<'a>(emails: &'a [Interaction], meetings: &'a [Meeting]) -> DealInputs<'a> {
    DealInputs {
        stage: None,
        stage_since: None,
        emails,
        meetings,
        activity_count_30d: 0,
        last_activity: None,
    }
}

fn measured(emails: &[Interaction], meetings: &[Meeting]) -> DealMetrics {
    measure(&inputs(emails, meetings), NOW)
}

#[test]
fn a_deal_without_rows_has_counts_of_zero_and_nothing_else() {
    let expected = DealMetrics {
        meeting_count_30d: Some(0),
        activity_count_30d: Some(0),
        ..Default::default()
    };
    assert_eq!(measured(&[], &[]), expected);
}

#[test]
fn days_in_stage_are_whole_and_negative_ahead() {
    let table = [
        (days_ago(0.0), 0),
        (days_ago(1.0), 1),
        (Instant(NOW.0 - DAY + 1), 0),
        (Instant(NOW.0 + 1), -1),
        (Instant(NOW.0 + DAY), -1),
        (Instant(NOW.0 + DAY + 1), -2),
    ];
    for (since, expected) in table {
        let inputs = DealInputs {
            stage_since: Some(since),
            ..inputs(&[], &[])
        };
        assert_eq!(
            measure(&inputs, NOW).days_in_stage,
            Some(expected),
            "{since:?}"
        );
    }
}

#[test]
fn instants_at_the_ends_of_time_do_not_overflow() {
    for since in [Instant(i64::MIN), Instant(i64::MAX)] {
        let emails = [event(EventType::EmailSent, since)];
        let meetings = [Meeting {
            start: since,
            ..met(0.0, None)
        }];
        let inputs = DealInputs {
            stage_since: Some(since),
            last_activity: Some(since),
            ..inputs(&emails, &meetings)
        };
        for now in [Instant(i64::MIN), NOW, Instant(i64::MAX)] {
            let metrics = measure(&inputs, now);
            assert_eq!(
                metrics.days_in_stage.is_some_and(|d| d > 0),
                since < now,
                "{since:?}"
            );
        }
    }
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
        let emails = [event(EventType::EmailReceived, at)];
        assert_eq!(
            measured(&emails, &[]).activity_count_30d,
            Some(expected),
            "e-mail {at:?}"
        );
    }
    for (start, expected) in [(first, 1), (just_before(first), 0), (days_ago(-40.0), 1)] {
        let meetings = [Meeting {
            start,
            ..met(0.0, None)
        }];
        let found = measured(&[], &meetings).meeting_count_30d;
        assert_eq!(found, Some(expected), "meeting {start:?}");
    }
}

#[test]
fn activities_and_emails_add_up_and_other_events_do_not() {
    let emails = [
        sent(1.0),
        received(2.0),
        event(EventType::MeetingHeld, days_ago(0.5)),
        event(EventType::EmailOpened, days_ago(0.1)),
    ];
    let inputs = DealInputs {
        activity_count_30d: 3,
        ..inputs(&emails, &[])
    };
    let metrics = measure(&inputs, NOW);
    assert_eq!(metrics.activity_count_30d, Some(5));
    assert_eq!(metrics.days_since_last_activity, Some(1));
}

#[test]
fn the_last_activity_is_the_newest_of_either_kind_up_to_now() {
    let table = [
        (None, None, None),
        (Some(90.0), None, Some(90)),
        (None, Some(400.0), Some(400)),
        (Some(3.0), Some(5.0), Some(3)),
        (Some(5.0), Some(3.0), Some(3)),
        (Some(5.0), Some(-1.0), Some(5)),
        (Some(-1.0), Some(5.0), Some(5)),
    ];
    for (email, activity, expected) in table {
        let emails: Vec<Interaction> = email.map(sent).into_iter().collect();
        let inputs = DealInputs {
            last_activity: activity.map(days_ago),
            ..inputs(&emails, &[])
        };
        let found = measure(&inputs, NOW).days_since_last_activity;
        assert_eq!(found, expected, "e-mail {email:?}, activity {activity:?}");
    }
}

#[test]
fn the_last_meeting_may_be_booked() {
    let table: &[(&[f64], Option<i64>)] = &[
        (&[], None),
        (&[40.0], Some(40)),
        (&[40.0, 9.5], Some(9)),
        (&[9.5, -2.0], Some(-2)),
    ];
    for (days, expected) in table {
        let meetings: Vec<Meeting> = days.iter().map(|days| met(*days, None)).collect();
        assert_eq!(
            measured(&[], &meetings).days_since_last_meeting,
            *expected,
            "{days:?}"
        );
    }
}

#[test]
fn a_meeting_handed_in_twice_counts_once() {
    let meeting = met(3.0, Some(0.5));
    let twice = [meeting.clone(), met(4.0, None), meeting];
    assert_eq!(measured(&[], &twice).meeting_count_30d, Some(2));
}

#[test]
fn sentiment_is_of_the_three_newest_meetings_and_the_three_newest_emails_that_have_one() {
    // The fourth meeting and the fourth e-mail would pull the mean down to where they are.
    let meetings = [
        met(1.0, Some(0.6)),
        met(2.0, Some(0.2)),
        met(3.0, Some(0.4)),
    ];
    let emails = [
        toned(1.0, 0.5),
        received(1.5),
        toned(2.0, 0.1),
        toned(3.0, 0.0),
    ];
    let fourth = (met(4.0, Some(-1.0)), toned(4.0, -1.0));
    let all_meetings: Vec<Meeting> = meetings.into_iter().chain([fourth.0]).collect();
    let all_emails: Vec<Interaction> = emails.into_iter().chain([fourth.1]).collect();
    let avg = measured(&all_emails, &all_meetings).avg_sentiment.unwrap();
    assert!((avg - 0.3).abs() < 1e-12, "{avg}");
}

#[test]
fn a_meeting_without_sentiment_takes_its_place_among_the_three() {
    let meetings = [
        met(1.0, None),
        met(2.0, Some(0.2)),
        met(3.0, Some(0.4)),
        met(4.0, Some(-1.0)),
    ];
    let avg = measured(&[], &meetings).avg_sentiment.unwrap();
    assert!((avg - 0.3).abs() < 1e-12, "{avg}");
}

#[test]
fn email_sentiment_is_of_30_days_and_meeting_sentiment_of_any_time() {
    assert_eq!(measured(&[toned(31.0, 0.9)], &[]).avg_sentiment, None);
    assert_eq!(measured(&[toned(30.0, 0.9)], &[]).avg_sentiment, Some(0.9));
    assert_eq!(
        measured(&[], &[met(300.0, Some(0.9))]).avg_sentiment,
        Some(0.9)
    );
}

#[test]
fn sentiments_beyond_the_scale_are_clamped_and_non_numbers_are_missing() {
    let table = [
        (5.0, Some(1.0)),
        (-5.0, Some(-1.0)),
        (f64::NAN, None),
        (f64::INFINITY, None),
    ];
    for (value, expected) in table {
        assert_eq!(
            measured(&[toned(1.0, value)], &[]).avg_sentiment,
            expected,
            "{value}"
        );
        assert_eq!(
            measured(&[], &[met(1.0, Some(value))]).avg_sentiment,
            expected,
            "{value}"
        );
    }
}

#[test]
fn the_trend_is_of_three_meetings_unless_two_emails_clearly_differ() {
    use SentimentTrend::{Declining, Improving, Stable, Unknown};
    let table: &[(&[f64], &[f64], SentimentTrend)] = &[
        // meetings, newest first · e-mails, newest first
        (&[], &[], Unknown),
        (&[0.9, 0.1], &[], Unknown),
        (&[0.4, 0.3, 0.3], &[], Stable), // exactly 0.1, a little more in binary
        (&[0.41, 0.3, 0.3], &[], Improving),
        (&[0.3, 0.4, 0.4], &[], Stable),
        (&[0.29, 0.4, 0.4], &[], Declining),
        (&[0.5, 0.2, 0.6], &[], Stable), // against the mean of the two, not one
        (&[0.9, 0.1, 0.1], &[0.0, 0.5], Declining),
        (&[0.9, 0.1, 0.1], &[0.4, 0.5], Improving), // e-mails differ by 0.1 only
        (&[0.9], &[0.39, 0.5], Declining),
        (&[0.9], &[0.5, 0.39], Improving),
        (&[0.9], &[0.5, 0.5], Unknown),
        (&[], &[0.9, 0.1], Unknown), // no meeting to set them beside
        (&[0.1, 0.1, 0.1], &[0.9], Stable),
    ];
    for (meetings, emails, expected) in table {
        let meeting_rows: Vec<Meeting> = (1..)
            .zip(*meetings)
            .map(|(day, s)| met(f64::from(day), Some(*s)))
            .collect();
        let email_rows: Vec<Interaction> = (1..)
            .zip(*emails)
            .map(|(day, s)| toned(f64::from(day), *s))
            .collect();
        let found = measured(&email_rows, &meeting_rows).sentiment_trend;
        assert_eq!(
            found, *expected,
            "meetings {meetings:?}, e-mails {emails:?}"
        );
    }
}

#[test]
fn response_time_is_the_mean_of_the_emails_of_30_days() {
    let emails = [
        answer(1.0, 10.0),
        Interaction {
            response_time_hours: Some(20.0),
            ..sent(30.0)
        },
        answer(30.1, 900.0),
        answer(2.0, -5.0),
        answer(2.0, f64::NAN),
        received(2.0),
    ];
    assert_eq!(measured(&emails, &[]).avg_response_time_hours, Some(15.0));
    assert_eq!(measured(&emails[2..], &[]).avg_response_time_hours, None);
}

#[test]
fn one_external_id_is_one_email() {
    let twin = |days: f64| Interaction {
        external_key: Some(7),
        ..sent(days)
    };
    assert_eq!(
        measured(&[twin(1.0), twin(1.0), sent(2.0)], &[]).activity_count_30d,
        Some(2)
    );
}

#[test]
fn the_same_instant_gives_the_same_metrics_later() {
    // A replay ignores what happened after its instant.
    let emails = [sent(40.0), sent(10.0)];
    let then = days_ago(20.0);
    let metrics = measure(&inputs(&emails, &[]), then);
    assert_eq!(metrics.activity_count_30d, Some(1));
    assert_eq!(metrics.days_since_last_activity, Some(20));
}
