//! What holds of measures for any rows: order means nothing, duplicates count once, the future and
//! the absurd do no harm.

use crm_health_scoring::deal::{self, DealInputs, DealMetrics};
use crm_health_scoring::interaction::{Direction, EventType, Instant, Interaction, Meeting};
use crm_health_scoring::relationship::{self, Measured, Ordered, RelationshipInputs};
use proptest::option;
use proptest::prelude::*;

use crate::fixtures::{HOUR, NOW};

/// Instants around now: few enough to coincide often, and now and then an absurd one.
fn instant() -> impl Strategy<Value = Instant> {
    prop_oneof![
        9 => (-100..2_400_i64).prop_map(|hours| Instant(NOW.0 - hours * HOUR)),
        1 => any::<i64>().prop_map(Instant),
    ]
}

fn sentiment() -> impl Strategy<Value = Option<f64>> {
    option::of(prop_oneof![9 => -1.0..1.0, 1 => any::<f64>()])
}

fn word() -> impl Strategy<Value = Option<String>> {
    proptest::sample::select(&[None, Some("a"), Some("b")]).prop_map(|w| w.map(str::to_owned))
}

prop_compose! {
    fn interaction()(
        at in instant(),
        event_type in proptest::sample::select(EventType::ALL),
        direction in proptest::sample::select(Direction::ALL),
        external_key in option::of(0..40_u128),
        thread_key in option::of(0..3_u128),
        thread_position in option::of(0..5_i32),
        flags in (any::<bool>(), any::<bool>()),
        response_time_hours in option::of(prop_oneof![9 => 0.0..200.0, 1 => any::<f64>()]),
        sentiment in sentiment(),
        subject in word(),
    ) -> Interaction {
        Interaction {
            at, id: 0, event_type, direction, external_key, thread_key, thread_position,
            was_replied: flags.0, was_opened: flags.1, response_time_hours, sentiment, subject,
        }
    }
}

prop_compose! {
    fn meeting()(
        start in instant(),
        sentiment in sentiment(),
        title in word(),
    ) -> Meeting {
        Meeting { start, id: 0, sentiment, title }
    }
}

/// Events with ids of their own: both sides of where duplicates are found by hashing.
fn interactions(most: usize) -> impl Strategy<Value = Vec<Interaction>> {
    proptest::collection::vec(interaction(), 0..most).prop_map(|mut rows| {
        rows.iter_mut().zip(1..).for_each(|(row, id)| row.id = id);
        rows
    })
}

fn meetings() -> impl Strategy<Value = Vec<Meeting>> {
    proptest::collection::vec(meeting(), 0..8).prop_map(|mut rows| {
        rows.iter_mut().zip(1..).for_each(|(row, id)| row.id = id);
        rows
    })
}

fn with_shuffled<T: Clone + std::fmt::Debug>(
    rows: Vec<T>,
) -> impl Strategy<Value = (Vec<T>, Vec<T>)> {
    (Just(rows.clone()), Just(rows).prop_shuffle())
}

fn inputs<'a>(interactions: &'a [Interaction], meetings: &'a [Meeting]) -> RelationshipInputs<'a> {
    RelationshipInputs {
        interactions,
        meetings,
        opens_tracked: true,
        total_deal_value: 0.0,
        at_risk_deal_value: 0.0,
    }
}

fn measure(interactions: &[Interaction], meetings: &[Meeting]) -> (Measured, DealMetrics) {
    let contact = inputs(interactions, meetings);
    let deal = DealInputs {
        stage: None,
        stage_since: None,
        emails: interactions,
        meetings,
        activity_count_30d: 0,
        last_activity: None,
    };
    (
        relationship::measure(&contact, NOW),
        deal::measure(&deal, NOW),
    )
}

proptest! {
    #[test]
    fn the_order_of_rows_means_nothing(
        (rows, shuffled) in interactions(160).prop_flat_map(with_shuffled),
        (met, met_shuffled) in meetings().prop_flat_map(with_shuffled),
    ) {
        prop_assert_eq!(measure(&rows, &met), measure(&shuffled, &met_shuffled));
    }

    #[test]
    fn copies_of_an_external_id_count_once(
        rows in interactions(60),
        met in meetings(),
        which in proptest::collection::vec((any::<prop::sample::Index>(), 0..50_i64), 0..40),
    ) {
        // A copy has an id of its own, later than all; it may have been recorded earlier.
        let mut doubled = rows.clone();
        for ((index, hours), id) in which.into_iter().zip(1_000..) {
            let Some(row) = (!rows.is_empty()).then(|| index.get(&rows)) else { continue };
            if row.external_key.is_some() && row.at <= NOW {
                let at = Instant(row.at.0.saturating_sub(hours * HOUR));
                doubled.push(Interaction { id, at, ..row.clone() });
            }
        }
        prop_assert_eq!(measure(&rows, &met), measure(&doubled, &met));
    }

    #[test]
    fn rows_handed_in_twice_count_once(rows in interactions(60), met in meetings()) {
        let twice = [rows.clone(), rows.clone()].concat();
        let met_twice = [met.clone(), met.clone()].concat();
        prop_assert_eq!(measure(&rows, &met), measure(&twice, &met_twice));
    }

    #[test]
    fn only_the_subjects_of_cited_events_are_told(rows in interactions(160), met in meetings()) {
        let cited: Vec<u128> = Ordered::new(inputs(&rows, &met), NOW).cited().map(|row| row.id).collect();
        let mut bare = rows.clone();
        for row in bare.iter_mut().filter(|row| !cited.contains(&row.id)) {
            row.subject = None;
        }
        prop_assert_eq!(measure(&rows, &met), measure(&bare, &met));
    }

    #[test]
    fn future_events_change_nothing(rows in interactions(60), met in meetings()) {
        let past: Vec<Interaction> = rows.iter().filter(|row| row.at <= NOW).cloned().collect();
        prop_assert_eq!(measure(&rows, &met), measure(&past, &met));
    }

    #[test]
    fn measures_stay_in_their_ranges(rows in interactions(160), met in meetings()) {
        let (contact, deal) = measure(&rows, &met);
        let m = &contact.metrics;
        for percent in [m.response_rate_percent, m.email_open_rate_percent].into_iter().flatten() {
            prop_assert!((0..=100).contains(&percent));
        }
        for sentiment in [m.avg_sentiment, deal.avg_sentiment].into_iter().flatten() {
            prop_assert!((-1.0..=1.0).contains(&sentiment));
        }
        let habits = [
            m.baseline_response_time_hours,
            m.baseline_contact_frequency_days,
            m.baseline_meeting_frequency_days,
        ];
        prop_assert!(habits.into_iter().flatten().all(|habit| habit > 0.0 && habit.is_finite()));
        prop_assert!(m.days_since_last_contact.is_none_or(|days| days >= 0));
        prop_assert!(contact.email_count_30d <= m.communication_count_30d.unwrap_or(0));
    }

    #[test]
    fn each_signal_is_said_once_with_all_its_numbers(rows in interactions(160), met in meetings()) {
        let (contact, _) = measure(&rows, &met);
        prop_assert!(contact.signals.is_sorted_by(|a, b| a.signal_type < b.signal_type));
        for signal in &contact.signals {
            let keys = signal.signal_data.as_object().map_or(0, serde_json::Map::len);
            prop_assert!(keys == 3 || keys == 4, "{:?}", signal);
            prop_assert!(signal.signal_context.ends_with('.'));
        }
    }
}
