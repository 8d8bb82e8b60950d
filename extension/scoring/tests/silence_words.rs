//! What is said of a silence: facts about the contact's own days, expectations named as such.

use crm_health_scoring::silence::stream::Day;
use crm_health_scoring::silence::{Assessment, Constants, Streams, assess};

fn assessed(events: &[(Day, bool)], today: Day) -> Assessment {
    let constants = Constants::default();
    let streams = Streams::from_days(events, today, &constants);
    assess(&streams, today, 0.5, &constants).expect("there is an event")
}

/// With the contact's days at hand.
fn sentence(events: &[(Day, bool)], today: Day) -> String {
    let mut events = events.to_vec();
    events.sort_unstable();
    assessed(&events, today)
        .with_days(&events, today)
        .sentence()
}

/// Days on which the contact wrote, the last one `silent` days before day 1000.
fn every(gap: Day, count: Day, silent: Day) -> Vec<(Day, bool)> {
    (0..count)
        .map(|n| (1000 - silent - gap * n, true))
        .collect()
}

fn without_outlook(sentence: &str) -> &str {
    sentence.rsplit_once("; ").expect("an outlook").0
}

#[test]
fn a_sentence_names_facts_and_then_the_outlook() {
    assert_eq!(
        sentence(&every(7, 11, 30), 1000),
        "usually writes every 7 days, silent for 30 days; all of their last 8 silences were shorter; \
         53 % likely to stay silent for the next 19 days"
    );
}

#[test]
fn the_usual_gap_and_the_silences_are_the_contacts_own() {
    let table = [
        (
            every(1, 365, 0),
            "usually writes every day, last wrote today",
        ),
        (
            every(1, 365, 1),
            "usually writes every day, silent for 1 day; none of their last 88 silences was shorter",
        ),
        (
            every(30, 12, 29),
            "wrote every 30 days on average, silent for 29 days; none of their last 2 silences was shorter",
        ),
        (
            every(20, 12, 21),
            "usually writes every 20 days, silent for 21 days; all of their last 3 silences were shorter",
        ),
        // Gaps of 4, 9, 4, 6 and 8 days.
        (
            [7, 11, 20, 24, 30, 38]
                .map(|ago| (1000 - ago, true))
                .to_vec(),
            "usually writes every 6 days, silent for 7 days; 3 of their last 5 silences were shorter",
        ),
        (
            [5, 9, 18, 24, 32].map(|ago| (1000 - ago, true)).to_vec(),
            "usually writes every 7 days, silent for 5 days; 1 of their last 4 silences was shorter",
        ),
    ];
    for (events, expected) in table {
        assert_eq!(without_outlook(&sentence(&events, 1000)), expected);
    }
}

#[test]
fn days_that_anyone_wrote_and_days_ahead_are_no_words_of_the_contact() {
    let mut events = every(10, 6, 5);
    events.extend(every(1, 80, 0).iter().map(|(day, _)| (*day, false)));
    events.extend([(1001, true), (995, true)]);
    assert_eq!(
        without_outlook(&sentence(&events, 1000)),
        "usually writes every 10 days, silent for 5 days; none of their last 5 silences was shorter"
    );
}

#[test]
fn what_only_the_model_tells_is_told_as_expected() {
    // The days lie before the last 90, or are not at hand.
    let quarterly = every(90, 6, 1);
    assert_eq!(
        without_outlook(&sentence(&quarterly, 1000)),
        "wrote every 90 days on average, silent for 1 day; shorter than nearly all expected silences"
    );
    let long = every(7, 40, 200);
    assert_eq!(
        without_outlook(&sentence(&long, 1000)),
        "wrote every 7 days on average, silent for 200 days; longer than nearly all expected silences"
    );
    let weekly = every(7, 11, 10);
    assert_eq!(
        without_outlook(&assessed(&weekly, 1000).sentence()),
        "wrote every 7 days on average, silent for 10 days; longer than 6 of 10 expected silences"
    );
}

#[test]
fn of_a_few_days_there_is_an_expectation_and_no_comparison() {
    assert_eq!(
        without_outlook(&sentence(&every(1, 2, 5), 1000)),
        "wrote on 2 days, expected about every 9 days, silent for 5 days"
    );
    assert_eq!(
        without_outlook(&sentence(&every(1, 3, 0), 1000)),
        "wrote on 3 days, expected about every 6 days, last wrote today"
    );
}

#[test]
fn of_one_day_or_none_it_is_said_when_that_was() {
    let table = [
        ((955, true), "wrote on one day only, 45 days ago"),
        ((999, true), "wrote on one day only, 1 day ago"),
        ((1000, true), "wrote on one day only, today"),
        ((999, false), "never wrote, first contacted 1 day ago"),
        ((1000, false), "never wrote, first contacted today"),
    ];
    for (event, expected) in table {
        assert_eq!(without_outlook(&sentence(&[event], 1000)), expected);
    }
}

#[test]
fn nothing_is_certain() {
    let said = |probability| {
        let said = Assessment {
            probability,
            ..assessed(&[(0, true)], 20)
        };
        let sentence = said.sentence();
        assert!(
            sentence.contains(&format!("; {} likely", said.chance())),
            "{sentence}"
        );
        said.chance()
    };
    let table = [
        (1.0, "over 99 %"),
        (0.995, "over 99 %"),
        (0.994, "99 %"),
        (0.005, "1 %"),
        (0.0049, "under 1 %"),
        (0.0, "under 1 %"),
    ];
    for (probability, expected) in table {
        assert_eq!(said(probability), expected, "{probability}");
    }
}

#[test]
fn the_days_at_hand_change_no_number() {
    let events = every(5, 30, 12);
    let (plain, with) = (
        assessed(&events, 1000),
        assessed(&events, 1000).with_days(&events, 1000),
    );
    assert_eq!(Assessment { own: None, ..with }, plain);
}
