//! The ghost signals of the mail: unanswered, unopened, and conversations left.

use crm_health_scoring::ghost::SignalType;
use crm_health_scoring::interaction::{Direction, EventType, Instant, Interaction};
use crm_health_scoring::relationship::{RelationshipInputs, measure};
use serde_json::json;

use crate::fixtures::{NOW, days_ago, event, just_before, received, sent, times};

use crate::ghost_signals::{CRITICAL, HIGH, MEDIUM, severity, signal};

fn replied(row: Interaction) -> Interaction {
    Interaction {
        was_replied: true,
        ..row
    }
}

fn opened(row: Interaction) -> Interaction {
    Interaction {
        was_opened: true,
        ..row
    }
}

#[test]
fn email_no_response_wants_two_unanswered_emails_in_14_days() {
    let old = event(EventType::EmailSent, just_before(days_ago(14.0)));
    let table = [
        (vec![sent(1.0)], None),
        (vec![sent(1.0), replied(sent(2.0))], None),
        (
            vec![
                sent(1.0),
                received(2.0),
                event(EventType::CallMade, days_ago(2.0)),
            ],
            None,
        ),
        (vec![sent(1.0), old.clone()], None),
        (vec![sent(1.0), sent(-1.0)], None),
        (vec![sent(1.0), sent(14.0)], HIGH),
        (vec![sent(1.0), sent(2.0), replied(sent(3.0)), old], HIGH),
        (vec![sent(1.0), sent(2.0), sent(3.0)], CRITICAL),
    ];
    for (events, expected) in table {
        let found = severity(SignalType::EmailNoResponse, &events, &[]);
        assert_eq!(found, expected, "{events:?}");
    }
}

#[test]
fn email_no_response_brings_its_numbers() {
    let newest = Interaction {
        subject: Some("Any news?".to_owned()),
        ..sent(3.5)
    };
    let events = [sent(5.0), newest, replied(sent(1.0))];
    let found = signal(SignalType::EmailNoResponse, &events, &[]).unwrap();
    let expected = json!({"unreplied_count": 2, "days_since_last_email": 3,
                          "last_email_subject": "Any news?"});
    assert_eq!(found.signal_data, expected);
    let sentence = "2 e-mails of the last 14 days without a reply, the newest 3 days ago.";
    assert_eq!(found.signal_context, sentence);
}

/// `count` e-mails sent then, the first `open` of which were opened.
pub(crate) fn mailing(days: f64, open: usize, count: usize) -> Vec<Interaction> {
    let mut rows = times(open, || opened(sent(days)));
    rows.extend(times(count - open, || sent(days)));
    rows
}

#[test]
fn email_opens_declined_compares_30_days_with_the_30_before() {
    let table = [
        // old opened, old sent, new opened, new sent
        ((10, 10), (7, 10), None),
        ((10, 10), (61, 100), None),
        ((10, 10), (6, 10), MEDIUM),
        ((10, 10), (41, 100), MEDIUM),
        ((10, 10), (4, 10), HIGH),
        ((10, 10), (1, 10), HIGH),
        ((10, 10), (0, 10), CRITICAL),
        ((2, 10), (2, 10), None),
        ((3, 10), (19, 100), MEDIUM), // under 20 % is enough
        ((1, 10), (3, 20), None),     // 10 % rose to 15 %
        ((1, 100), (1, 99), None),    // rose by a hair
        ((1, 10), (1, 10), MEDIUM),   // as low as before
        ((0, 10), (1, 10), None),     // rose from none
        ((0, 10), (0, 10), CRITICAL), // never opened
        ((0, 10), (10, 10), None),
        ((2, 2), (1, 2), MEDIUM),
        ((1, 1), (0, 2), None), // too few before
        ((2, 2), (0, 1), None), // too few now
    ];
    for (old, new, expected) in table {
        let events = [mailing(45.0, old.0, old.1), mailing(5.0, new.0, new.1)].concat();
        let found = severity(SignalType::EmailOpensDeclined, &events, &[]);
        assert_eq!(found, expected, "{old:?} then {new:?}");
    }
}

#[test]
fn email_opens_declined_windows_meet_at_30_days_and_end_at_60() {
    let at = |at: Instant, was_opened| Interaction {
        was_opened,
        ..event(EventType::EmailSent, at)
    };
    let (thirty, sixty) = (days_ago(30.0), days_ago(60.0));
    let rows =
        |new: Instant, old: Instant| [at(new, false), at(new, false), at(old, true), at(old, true)];
    let wanted = SignalType::EmailOpensDeclined;
    assert_eq!(
        severity(wanted, &rows(thirty, just_before(thirty)), &[]),
        CRITICAL
    );
    assert_eq!(severity(wanted, &rows(thirty, sixty), &[]), CRITICAL);
    assert_eq!(
        severity(wanted, &rows(thirty, just_before(sixty)), &[]),
        None
    );
    assert_eq!(severity(wanted, &rows(thirty, thirty), &[]), None);
}

#[test]
fn email_opens_declined_needs_tracking_and_brings_its_numbers() {
    let events = [mailing(45.0, 3, 4), mailing(5.0, 1, 3)].concat();
    let found = signal(SignalType::EmailOpensDeclined, &events, &[]).unwrap();
    let expected = json!({"historical_open_rate": 75, "recent_open_rate": 33,
                          "decline_percent": 42, "recent_emails_count": 3});
    assert_eq!(found.signal_data, expected);
    assert_eq!(
        found.signal_context,
        "33 % of the e-mails of 30 days opened, 75 % before."
    );
    let untracked = RelationshipInputs {
        interactions: &events,
        meetings: &[],
        opens_tracked: false,
        total_deal_value: 0.0,
        at_risk_deal_value: 0.0,
    };
    let names: Vec<SignalType> = measure(&untracked, NOW)
        .signals
        .iter()
        .map(|s| s.signal_type)
        .collect();
    assert!(
        !names.contains(&SignalType::EmailOpensDeclined),
        "{names:?}"
    );
}

fn in_thread(key: u128, position: i32, row: Interaction) -> Interaction {
    Interaction {
        thread_key: Some(key),
        thread_position: Some(position),
        ..row
    }
}

/// Three e-mails of one thread, the last one sent `days` ago.
pub(crate) fn thread(days: f64, position: i32) -> Vec<Interaction> {
    vec![
        in_thread(1, 0, sent(days + 2.0)),
        in_thread(1, 1, received(days + 1.0)),
        in_thread(1, position, sent(days)),
    ]
}

#[test]
fn thread_dropout_by_age() {
    let table = [
        (4.99, None),
        (5.0, MEDIUM),
        (9.99, MEDIUM),
        (10.0, HIGH),
        (12.0, HIGH),
    ];
    for (days, expected) in table {
        let found = severity(SignalType::ThreadDropout, &thread(days, 2), &[]);
        assert_eq!(found, expected, "{days} days");
    }
    // With the last 12.1 days old the first is beyond the 14 days.
    assert_eq!(
        severity(SignalType::ThreadDropout, &thread(12.1, 2), &[]),
        None
    );
}

#[test]
fn thread_dropout_wants_a_thread_of_three_whose_last_word_is_ours() {
    let found = |events: &[Interaction]| severity(SignalType::ThreadDropout, events, &[]);
    assert_eq!(found(&thread(6.0, 1)), None, "second in its thread");
    assert_eq!(found(&thread(6.0, 2)[1..]), None, "two e-mails");
    let mut rows = thread(6.0, 2);
    rows.push(in_thread(1, 3, received(5.5)));
    assert_eq!(found(&rows), None, "they had the last word");
    rows.push(in_thread(1, 4, sent(5.0)));
    assert_eq!(found(&rows), MEDIUM);
    let mut apart = thread(6.0, 2);
    apart[0].thread_key = Some(2);
    assert_eq!(found(&apart), None, "two threads");
    let mut loose = thread(6.0, 2);
    loose.iter_mut().for_each(|row| row.thread_key = None);
    assert_eq!(found(&loose), None, "no thread at all");
    let mut call = thread(6.0, 2);
    call[0].event_type = EventType::CallMade;
    assert_eq!(found(&call), None, "a call is no e-mail");
    let mut system = thread(6.0, 2);
    system[2].direction = Direction::System;
    assert_eq!(found(&system), None, "the last word is software's");
}

#[test]
fn thread_dropout_counts_positions_where_the_source_does_not() {
    let mut rows = thread(6.0, 2);
    rows.iter_mut().for_each(|row| row.thread_position = None);
    let found = signal(SignalType::ThreadDropout, &rows, &[]).unwrap();
    assert_eq!(found.signal_data["thread_position"], json!(2));
}

#[test]
fn thread_dropout_names_the_thread_left_longest() {
    let mut rows = thread(6.0, 2);
    rows.extend(thread(8.0, 7).into_iter().map(|row| Interaction {
        thread_key: Some(9),
        ..row
    }));
    rows.last_mut().unwrap().subject = Some("Contract".to_owned());
    let found = signal(SignalType::ThreadDropout, &rows, &[]).unwrap();
    let expected = json!({"thread_length": 3, "days_since_last": 8, "thread_position": 7,
                          "last_subject": "Contract"});
    assert_eq!(found.signal_data, expected);
    let sentence = "A conversation of 3 e-mails was left unanswered 8 days ago.";
    assert_eq!(found.signal_context, sentence);
}
