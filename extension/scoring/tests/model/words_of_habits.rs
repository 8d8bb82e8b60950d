//! How often something usually happens, as a person would say it.

use crm_health_scoring::config::Config;
use crm_health_scoring::ghost::SignalType;
use crm_health_scoring::interaction::Interaction;
use crm_health_scoring::relationship::{self, RelationshipMetrics};

use crate::fixtures::received;
use crate::ghost_signals::signal;

fn said(habit_days: f64) -> [String; 2] {
    let metrics = RelationshipMetrics {
        communication_count_30d: Some(7),
        meeting_count_30d: Some(3),
        baseline_contact_frequency_days: Some(habit_days),
        baseline_meeting_frequency_days: Some(habit_days),
        ..Default::default()
    };
    let config = Config::default();
    let score = relationship::score(&metrics, &config);
    let rows = relationship::explain(&metrics, &score, &config);
    let habit = |index: usize| {
        let reason = &rows[index].reason;
        reason.rsplit(", ").next().unwrap_or_default().to_owned()
    };
    [habit(0), habit(4)]
}

#[test]
fn a_habit_is_told_in_days_or_times_a_day() {
    let table = [
        (30.0, "usually one every 30 days."),
        (1.06, "usually one every 1.1 days."),
        (1.04, "usually one every day."),
        (0.96, "usually one every day."),
        (0.94, "usually more than once a day."),
        (0.67, "usually more than once a day."),
        (0.5, "usually 2 times a day."),
        (0.04, "usually 25 times a day."),
        (0.000_01, "usually more than 100 times a day."),
    ];
    for (days, expected) in table {
        assert_eq!(said(days), [expected, expected], "{days}");
    }
}

#[test]
fn a_silence_is_set_against_the_habit_in_the_same_words() {
    let every = |gap: f64, last: f64| -> Vec<Interaction> {
        (0..20)
            .map(|n| received(last + gap * f64::from(n)))
            .collect()
    };
    let table = [
        (
            every(0.25, 2.0),
            "No contact for 2 days, usually 4 times a day.",
        ),
        (every(1.0, 3.0), "No contact for 3 days, usually every day."),
    ];
    for (events, expected) in table {
        let found = signal(SignalType::EngagementPatternBreak, &events, &[]).unwrap();
        assert_eq!(found.signal_context, expected);
    }
}
