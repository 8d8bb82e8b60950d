//! Which events of a relationship count: each once, and the last one that mattered.

use crm_health_scoring::interaction::{Direction, EventType, Instant, Interaction, Meeting};
use serde_json::json;

use crate::fixtures::{HOUR, days_ago, event, just_before, met, received, sent, toned};

use crate::relationship_measure::{measured, metrics};

#[test]
fn one_external_id_is_one_event_that_knows_what_its_twins_know() {
    let twin = |hours: i64, id: u128| Interaction {
        external_key: Some(7),
        id,
        ..event(
            EventType::EmailSent,
            Instant(days_ago(2.0).0 - hours * HOUR),
        )
    };
    let events = [
        twin(30, 3),
        Interaction {
            was_replied: true,
            ..twin(0, 2)
        },
        Interaction {
            was_opened: true,
            ..twin(0, 1)
        },
    ];
    let found = metrics(&events, &[]);
    assert_eq!(found.communication_count_30d, Some(1));
    assert_eq!(found.days_since_last_contact, Some(2), "the newest is kept");
    assert_eq!(found.response_rate_percent, Some(100));
    assert_eq!(found.email_open_rate_percent, Some(100));
}

#[test]
fn of_twins_of_one_instant_the_smallest_id_is_kept() {
    let twin = |id, sentiment| Interaction {
        external_key: Some(7),
        id,
        ..toned(1.0, sentiment)
    };
    for events in [[twin(1, 0.5), twin(2, -0.5)], [twin(2, -0.5), twin(1, 0.5)]] {
        assert_eq!(metrics(&events, &[]).avg_sentiment, Some(0.5));
    }
}

#[test]
fn one_id_is_one_event_and_no_external_id_is_no_twin() {
    let row = sent(1.0);
    assert_eq!(
        metrics(&[row.clone(), row], &[]).communication_count_30d,
        Some(1)
    );
    assert_eq!(
        metrics(&[sent(1.0), sent(1.0)], &[]).communication_count_30d,
        Some(2)
    );
}

#[test]
fn duplicates_count_once_among_many_events_too() {
    let twins = |n: usize| -> Vec<Interaction> {
        let row = |i| Interaction {
            external_key: Some(i as u128 / 2),
            ..sent(i as f64 / 100.0)
        };
        (0..2 * n).map(row).collect()
    };
    for n in [1, 31, 32, 33, 500] {
        let found = metrics(&twins(n), &[]).communication_count_30d;
        assert_eq!(found, Some(n as i64), "{n} pairs");
    }
}

#[test]
fn the_last_meaningful_interaction_is_the_newest_of_meetings_calls_and_answered_mail() {
    let titled = |days| Meeting {
        title: Some("Kick-off".to_owned()),
        ..met(days, None)
    };
    let answered = |row: Interaction| Interaction {
        was_replied: true,
        ..row
    };
    let kind_of = |events: &[Interaction], meetings: &[Meeting]| {
        measured(events, meetings)
            .last_meaningful_interaction
            .map(|last| last.kind)
    };
    let call = |kind, days| event(kind, days_ago(days));
    use EventType as Kind;
    assert_eq!(
        kind_of(&[sent(1.0), received(2.0)], &[met(-1.0, None)]),
        None
    );
    assert_eq!(kind_of(&[call(Kind::MeetingScheduled, 1.0)], &[]), None);
    let table = [
        (vec![answered(sent(3.0))], vec![], Kind::EmailSent),
        (vec![answered(received(3.0))], vec![], Kind::EmailReceived),
        (
            vec![call(Kind::CallMade, 3.0), answered(sent(4.0))],
            vec![],
            Kind::CallMade,
        ),
        (
            vec![call(Kind::CallReceived, 3.0)],
            vec![titled(4.0)],
            Kind::CallReceived,
        ),
        (
            vec![call(Kind::MeetingHeld, 3.0)],
            vec![],
            Kind::MeetingHeld,
        ),
        (
            vec![call(Kind::CallMade, 3.0)],
            vec![titled(3.0)],
            Kind::MeetingHeld,
        ),
        (
            vec![answered(sent(400.0))],
            vec![titled(500.0)],
            Kind::EmailSent,
        ),
    ];
    for (events, meetings, expected) in table {
        assert_eq!(
            kind_of(&events, &meetings),
            Some(expected),
            "{events:?} {meetings:?}"
        );
    }
}

#[test]
fn the_last_meaningful_interaction_as_json() {
    let json = |events: &[Interaction], meetings: &[Meeting]| {
        serde_json::to_value(measured(events, meetings).last_meaningful_interaction).unwrap()
    };
    let meeting = Meeting {
        title: Some("Kick-off".to_owned()),
        ..met(1.0, None)
    };
    let expected = json!({"type": "meeting_held", "date": "2026-03-01T12:00:00Z",
                          "direction": null, "subject": "Kick-off"});
    assert_eq!(json(&[], &[meeting]), expected);
    let email = Interaction {
        at: just_before(days_ago(1.0)),
        was_replied: true,
        subject: Some("Offer".to_owned()),
        ..sent(1.0)
    };
    let expected = json!({"type": "email_sent", "date": "2026-03-01T11:59:59.999999Z",
                          "direction": "outbound", "subject": "Offer"});
    assert_eq!(json(&[email], &[]), expected);
    let held = Interaction {
        direction: Direction::Inbound,
        ..event(EventType::MeetingHeld, days_ago(1.0))
    };
    let expected = json!({"type": "meeting_held", "date": "2026-03-01T12:00:00Z",
                          "direction": null, "subject": null});
    assert_eq!(json(&[held], &[]), expected);
}

#[test]
fn instants_are_written_as_rfc_3339() {
    let table = [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00Z"),
        (4_107_542_399_000_000, "2100-02-28T23:59:59Z"),
        (4_107_542_400_000_000, "2100-03-01T00:00:00Z"),
        (-62_167_219_200_000_000, "0000-01-01T00:00:00Z"),
        (253_402_300_799_000_000, "9999-12-31T23:59:59Z"),
        (253_402_300_800_000_000, "+010000-01-01T00:00:00Z"),
        (-62_167_219_201_000_000, "-000001-12-31T23:59:59Z"),
    ];
    for (micros, expected) in table {
        assert_eq!(Instant(micros).to_rfc3339(), expected);
    }
}
