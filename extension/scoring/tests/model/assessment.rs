//! What the signals of a contact amount to, on both sides of every threshold.

use crm_health_scoring::ghost::{
    ContextTrigger, RecommendedAction, Severity, SignalType, assess, assess_signals,
};
use crm_health_scoring::relationship::{RelationshipInputs, measure};

use crate::fixtures::{NOW, sent};

use Severity::{Critical, High, Low, Medium};

fn of(severities: &[Severity]) -> Vec<(SignalType, Severity)> {
    severities
        .iter()
        .map(|severity| (SignalType::SentimentDeclining, *severity))
        .collect()
}

#[test]
fn probability_adds_the_score_and_every_signal() {
    let table: &[(Option<i64>, &[Severity], i32)] = &[
        (None, &[], 0),
        (Some(50), &[], 0),
        (Some(49), &[], 20),
        (Some(30), &[], 20),
        (Some(29), &[], 40),
        (Some(i64::MIN), &[], 40),
        (Some(100), &[Low], 0),
        (Some(100), &[Medium], 5),
        (Some(100), &[High], 15),
        (Some(100), &[Critical], 25),
        (Some(40), &[Critical, High, Medium, Low], 65),
        (Some(0), &[Critical, Critical, Critical], 100), // 115
        (None, &[High, High], 30),
    ];
    for (overall, severities, expected) in table {
        let found = assess(*overall, &of(severities)).ghost_probability_percent;
        assert_eq!(found, *expected, "{overall:?} with {severities:?}");
    }
}

#[test]
fn action_and_days_follow_the_probability() {
    use RecommendedAction::{InterveneNow, InterveneSoon, Monitor, Urgent};
    type Row = (
        Option<i64>,
        &'static [Severity],
        i32,
        RecommendedAction,
        Option<i32>,
    );
    let table: &[Row] = &[
        (None, &[Critical], 25, Monitor, None),
        (None, &[High, High], 30, InterveneSoon, None),
        (Some(0), &[Medium], 45, InterveneSoon, None),
        (None, &[Critical, Critical], 50, InterveneNow, Some(5)),
        (Some(0), &[High], 55, InterveneNow, Some(5)), // 4.5 rounds up
        (Some(0), &[High, High], 70, InterveneNow, Some(3)),
        (None, &[Critical, Critical, Critical], 75, Urgent, Some(3)), // 2.5 rounds up
        (Some(0), &[Critical, Critical, Medium], 95, Urgent, Some(1)),
        (Some(0), &[Critical, Critical, High], 100, Urgent, Some(1)), // never 0
    ];
    for (overall, severities, probability, action, days) in table {
        let found = assess(*overall, &of(severities));
        assert_eq!(
            found.ghost_probability_percent, *probability,
            "{severities:?}"
        );
        assert_eq!(found.recommended_action, *action, "{severities:?}");
        assert_eq!(found.days_until_predicted_ghost, *days, "{severities:?}");
    }
}

#[test]
fn a_ghost_risk_needs_a_signal_and_half_the_probability() {
    let table: &[(Option<i64>, &[Severity], bool)] = &[
        (Some(0), &[], false),
        (Some(0), &[Medium], false),              // 45
        (Some(0), &[Medium, Medium], true),       // 50
        (Some(100), &[Critical, High], false),    // 40
        (Some(100), &[Critical, Critical], true), // 50
    ];
    for (overall, severities, expected) in table {
        let found = assess(*overall, &of(severities)).is_ghost_risk;
        assert_eq!(found, *expected, "{overall:?} with {severities:?}");
    }
}

#[test]
fn the_highest_severity_is_the_gravest() {
    let table: &[(&[Severity], Option<Severity>)] = &[
        (&[], None),
        (&[Low], Some(Low)),
        (&[Low, Medium], Some(Medium)),
        (&[High, Medium], Some(High)),
        (&[Low, Critical, High], Some(Critical)),
    ];
    for (severities, expected) in table {
        assert_eq!(assess(None, &of(severities)).highest_severity, *expected);
    }
}

#[test]
fn the_context_is_the_first_that_matches() {
    use ContextTrigger::{
        EmailOpensStopped, GeneralGhosting, MeetingRescheduled, MultipleFollowupsIgnored,
    };
    use SignalType as Is;
    let table: &[(&[SignalType], Option<ContextTrigger>)] = &[
        (&[], None),
        (&[Is::SentimentDeclining], Some(GeneralGhosting)),
        (
            &[Is::ResponseTimeIncreased, Is::EngagementPatternBreak],
            Some(GeneralGhosting),
        ),
        (
            &[Is::EmailOpensDeclined, Is::SentimentDeclining],
            Some(EmailOpensStopped),
        ),
        (
            &[Is::EmailOpensDeclined, Is::EmailNoResponse],
            Some(MultipleFollowupsIgnored),
        ),
        (
            &[Is::ThreadDropout, Is::EmailOpensDeclined],
            Some(MultipleFollowupsIgnored),
        ),
        (
            &[Is::EmailNoResponse, Is::MeetingRescheduledRepeatedly],
            Some(MeetingRescheduled),
        ),
    ];
    for (kinds, expected) in table {
        let signals: Vec<_> = kinds.iter().map(|kind| (*kind, High)).collect();
        assert_eq!(
            assess(Some(80), &signals).context_trigger,
            *expected,
            "{kinds:?}"
        );
    }
}

#[test]
fn detected_signals_are_assessed_as_their_pairs_are() {
    let interactions = [sent(1.0), sent(2.0)];
    let inputs = RelationshipInputs {
        interactions: &interactions,
        meetings: &[],
        opens_tracked: false,
        total_deal_value: 0.0,
        at_risk_deal_value: 0.0,
    };
    let detected = measure(&inputs, NOW).signals;
    let expected = assess(Some(20), &[(SignalType::EmailNoResponse, High)]);
    assert_eq!(assess_signals(Some(20), &detected), expected);
}
