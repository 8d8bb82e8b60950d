//! The silence model against its reference values, its promises, and input that goes wrong.

#[path = "silence_corpus/csv.rs"]
mod csv;

use crm_health_scoring::silence::renewal::Standing;
use crm_health_scoring::silence::{
    Constants, DEFAULT_GHOST_CUTOFF, Pushed, Stream, Streams, assess, days_until_predicted_ghost,
    ghost_probability, score_horizon_days,
};
use proptest::prelude::*;

const DEFAULTS: fn() -> Constants = Constants::default;

fn days(field: &str) -> Vec<i32> {
    field
        .split_whitespace()
        .map(|day| day.parse().expect("a day"))
        .collect()
}

#[test]
fn meets_the_reference_values() {
    let rows = csv::read(&csv::data_folder().join("ghost_vectors.csv"));
    assert_eq!(rows.len(), 16, "the reference has 16 cases");
    for row in rows {
        let inbound = days(&row[1]).into_iter().map(|day| (day, true));
        let outbound = days(&row[2]).into_iter().map(|day| (day, false));
        let events: Vec<(i32, bool)> = inbound.chain(outbound).collect();
        let today = days(&row[3])[0];
        let streams = Streams::from_days(&events, today, &DEFAULTS());
        let standing = Standing::inbound(&streams, today, &DEFAULTS()).expect("has events");
        let ghost = |horizon| ghost_probability(&streams, today, horizon, &DEFAULTS()).unwrap();
        let found = [
            standing.alive(),
            standing.longer_silences(),
            standing.silent_probability(30),
            ghost(30),
            ghost(60),
        ];
        for (found, expected) in found.into_iter().zip(&row[4..]) {
            let expected: f64 = expected.parse().expect("a number");
            assert!(
                (found - expected).abs() <= 1e-8,
                "{}: {found} not {expected}",
                row[0]
            );
        }
    }
}

#[test]
fn knows_nothing_of_a_contact_without_events() {
    let none = Streams::default();
    assert_eq!(ghost_probability(&none, 100, 30, &DEFAULTS()), None);
    assert_eq!(score_horizon_days(&none, 100, &DEFAULTS()), None);
    assert_eq!(
        days_until_predicted_ghost(&none, 100, 0.5, &DEFAULTS()),
        None
    );
    assert_eq!(assess(&none, 100, 0.5, &DEFAULTS()), None);
}

#[test]
fn ignores_events_after_today() {
    let with_future = Streams::from_days(&[(0, true), (7, false), (300, true)], 20, &DEFAULTS());
    let without = Streams::from_days(&[(0, true), (7, false)], 20, &DEFAULTS());
    assert_eq!(with_future, without);
}

#[test]
fn counts_a_thousand_events_on_one_day_once() {
    let events = [(5, true); 1_000];
    let streams = Streams::from_days(&events, 9, &DEFAULTS());
    assert_eq!(streams, Streams::from_days(&[(5, true)], 9, &DEFAULTS()));
}

#[test]
fn refuses_a_day_before_the_last_and_stays_as_it_was() {
    let mut stream = Stream::default();
    assert_eq!(stream.push(10, &DEFAULTS()), Pushed::NewDay);
    let before = stream;
    assert_eq!(stream.push(10, &DEFAULTS()), Pushed::SameDay);
    assert_eq!(stream.push(9, &DEFAULTS()), Pushed::OutOfOrder);
    assert_eq!(stream, before);
    let mut streams = Streams::default();
    assert_eq!(streams.push(10, false, &DEFAULTS()), Pushed::NewDay);
    assert_eq!(streams.push(9, true, &DEFAULTS()), Pushed::OutOfOrder);
    assert_eq!(streams.inbound.days, 0);
}

#[test]
fn an_inbound_event_after_an_outbound_one_of_the_same_day_counts() {
    let mut streams = Streams::default();
    assert_eq!(streams.push(10, false, &DEFAULTS()), Pushed::NewDay);
    assert_eq!(streams.push(10, true, &DEFAULTS()), Pushed::SameDay);
    assert_eq!((streams.inbound.days, streams.any.days), (1, 1));
}

#[test]
fn a_hundred_thousand_events_give_a_finite_probability() {
    let events: Vec<(i32, bool)> = (0..100_000).map(|i| (i / 3, i % 2 == 0)).collect();
    let streams = Streams::from_days(&events, 40_000, &DEFAULTS());
    assert_eq!(streams.any.days, 33_334);
    let probability = ghost_probability(&streams, 40_000, 30, &DEFAULTS()).unwrap();
    assert!(probability > 0.9 && probability <= 1.0, "{probability}");
}

#[test]
fn survives_a_clock_that_jumps_to_either_end_of_time() {
    let events = [(i32::MIN, true), (0, false), (i32::MAX, true)];
    let streams = Streams::from_days(&events, i32::MAX, &DEFAULTS());
    let end = assess(&streams, i32::MAX, 0.5, &DEFAULTS()).unwrap();
    assert!(
        end.probability.is_finite() && end.horizon_days == 60,
        "{end:?}"
    );
    // A clock set back: the last day lies in the future, and nobody is silent yet.
    let back = assess(&streams, i32::MIN, 0.5, &DEFAULTS()).unwrap();
    assert_eq!(back.silent_days, 0);
}

#[test]
fn the_score_horizon_is_three_usual_gaps_between_a_fortnight_and_two_months() {
    let weekly: Vec<(i32, bool)> = (0..11).map(|week| (7 * week, true)).collect();
    let daily: Vec<(i32, bool)> = (0..60).map(|day| (day, true)).collect();
    let quarterly: Vec<(i32, bool)> = (0..4).map(|quarter| (90 * quarter, true)).collect();
    let horizon = |events: &[(i32, bool)]| {
        score_horizon_days(
            &Streams::from_days(events, 400, &DEFAULTS()),
            400,
            &DEFAULTS(),
        )
    };
    let weekly_streams = Streams::from_days(&weekly, 400, &DEFAULTS());
    let gap = Standing::inbound(&weekly_streams, 400, &DEFAULTS())
        .unwrap()
        .median_gap_days();
    assert!((5.0..9.0).contains(&gap), "{gap}");
    assert_eq!(horizon(&weekly), Some((3.0 * gap).round() as u32));
    assert_eq!(horizon(&daily), Some(14));
    assert_eq!(horizon(&quarterly), Some(60));
}

#[test]
fn predicts_the_first_day_on_which_the_cutoff_is_reached() {
    let weekly: Vec<(i32, bool)> = (0..11).map(|week| (7 * week, week % 2 == 0)).collect();
    let streams = Streams::from_days(&weekly, 78, &DEFAULTS());
    let horizon = score_horizon_days(&streams, 78, &DEFAULTS()).unwrap();
    let reaches = |day: &u32| {
        let later = 78 + *day as i32;
        ghost_probability(&streams, later, horizon, &DEFAULTS()).unwrap() >= 0.5
    };
    let first = (1..=180).find(reaches);
    assert!(first.is_some_and(|day| day > 1), "{first:?}");
    assert_eq!(
        days_until_predicted_ghost(&streams, 78, 0.5, &DEFAULTS()),
        first
    );
    assert_eq!(
        assess(&streams, 78, 0.5, &DEFAULTS())
            .unwrap()
            .days_until_predicted_ghost,
        first
    );
    assert_eq!(
        days_until_predicted_ghost(&streams, 78, 1.0, &DEFAULTS()),
        None,
        "never"
    );
    assert_eq!(
        days_until_predicted_ghost(&streams, 400, 0.5, &DEFAULTS()),
        None,
        "already"
    );
}

#[test]
fn a_contact_first_written_to_yesterday_is_no_ghost_risk() {
    for inbound in [false, true] {
        let streams = Streams::from_days(&[(99, inbound)], 100, &DEFAULTS());
        let assessment = assess(&streams, 100, 0.5, &DEFAULTS()).unwrap();
        assert!(
            !assessment.is_ghost_risk,
            "inbound {inbound}: {assessment:?}"
        );
    }
}

#[test]
fn an_unanswered_first_mail_becomes_a_ghost_risk_after_a_fortnight() {
    let streams = Streams::from_days(&[(99, false)], 100, &DEFAULTS());
    let on = |day| assess(&streams, day, 0.5, &DEFAULTS()).unwrap();
    assert!(on(100).probability >= 0.5, "or this test says nothing");
    assert_eq!(on(100).days_until_predicted_ghost, Some(13));
    assert_eq!(
        (on(112).is_ghost_risk, on(113).is_ghost_risk),
        (false, true)
    );
}

#[test]
fn our_own_unanswered_mail_lowers_the_probability_as_docs_ghost_model_says() {
    // Every week for half a year, then silent for 60 days; our mails since, days ago.
    let percent = |ours: &[i32]| {
        let wrote = (0..26).map(|week| (1000 - 60 - 7 * week, true));
        let ours = ours.iter().map(|days_ago| (1000 - days_ago, false));
        let events: Vec<(i32, bool)> = wrote.chain(ours).collect();
        let streams = Streams::from_days(&events, 1000, &DEFAULTS());
        let said = assess(&streams, 1000, DEFAULT_GHOST_CUTOFF, &DEFAULTS()).unwrap();
        assert_eq!(said.is_ghost_risk, events.len() == 26, "{events:?}");
        said.percent()
    };
    assert_eq!(percent(&[]), 64);
    assert_eq!(percent(&[0]), 43);
    assert_eq!(percent(&[0, 5, 10, 15, 20, 25, 30, 35, 40, 45]), 36);
}

#[test]
fn refuses_constants_that_break_its_promises() {
    let broken = |change: fn(&mut Constants)| {
        let mut constants = DEFAULTS();
        change(&mut constants);
        constants.validate().map_err(|error| error.name)
    };
    assert_eq!(broken(|_| ()), Ok(()));
    assert_eq!(broken(|c| c.shape = 1.01), Err("shape"));
    assert_eq!(broken(|c| c.gap_prior = 0.0), Err("gap_prior"));
    assert_eq!(broken(|c| c.dropout_a = f64::NAN), Err("dropout_a"));
    assert_eq!(broken(|c| c.dropout_b = f64::INFINITY), Err("dropout_b"));
    assert_eq!(broken(|c| c.memory = 1.0), Err("memory"));
    assert_eq!(broken(|c| c.beta[0] = f64::NEG_INFINITY), Err("beta[0]"));
    assert_eq!(broken(|c| c.beta[1] = -0.1), Err("beta[1]"));
    assert_eq!(broken(|c| c.beta[2] = -0.1), Err("beta[2]"));
    assert_eq!(broken(|c| c.beta[3] = 51.0), Err("beta[3]"));
    assert_eq!(broken(|c| c.beta[4] = f64::NAN), Err("beta[4]"));
}

#[test]
fn constants_survive_json_and_refuse_unknown_keys() {
    let json = serde_json::to_string(&DEFAULTS()).unwrap();
    assert_eq!(
        serde_json::from_str::<Constants>(&json).unwrap(),
        DEFAULTS()
    );
    let unknown = json.replacen("shape", "shap", 1);
    assert!(
        serde_json::from_str::<Constants>(&unknown)
            .unwrap_err()
            .to_string()
            .contains("shap")
    );
}

#[test]
fn remembers_64_days_at_the_default_memory_and_more_with_a_longer_one() {
    let days = |memory| {
        Constants {
            memory,
            ..DEFAULTS()
        }
        .days_to_remember()
    };
    assert_eq!(DEFAULTS().days_to_remember(), 64);
    assert_eq!((days(0.0), days(Constants::MAX_MEMORY)), (2, 768));
}

fn any_constants() -> impl Strategy<Value = Constants> {
    let beta = [-3.0..3.0, 0.0..3.0, 0.0..3.0, -3.0..3.0, -3.0..3.0];
    let rest = (0.05..=1.0, 0.1..100.0, 0.01..10.0, 0.01..30.0, 0.0..=0.99);
    (rest, beta).prop_map(
        |((shape, gap_prior, dropout_a, dropout_b, memory), beta)| Constants {
            shape,
            gap_prior,
            dropout_a,
            dropout_b,
            memory,
            beta,
        },
    )
}

fn any_events() -> impl Strategy<Value = Vec<(i32, bool)>> {
    prop::collection::vec((-400..400_i32, any::<bool>()), 1..120)
}

proptest! {
    #[test]
    fn is_a_probability_that_never_grows_with_the_horizon(
        events in any_events(), constants in any_constants(), later in 0..2_000_i32, horizon in 0..400_u32,
    ) {
        let today = 400 + later;
        let streams = Streams::from_days(&events, today, &constants);
        let near = ghost_probability(&streams, today, horizon, &constants).unwrap();
        let far = ghost_probability(&streams, today, horizon + 1, &constants).unwrap();
        prop_assert!((0.0..=1.0).contains(&near));
        prop_assert!(far <= near + 1e-12, "{near} then {far}");
    }

    #[test]
    fn never_falls_while_the_silence_lasts(
        events in any_events(), constants in any_constants(), later in 0..2_000_i32, horizon in 0..400_u32,
    ) {
        let today = 400 + later;
        let streams = Streams::from_days(&events, today, &constants);
        let now = ghost_probability(&streams, today, horizon, &constants).unwrap();
        let then = ghost_probability(&streams, today + 1, horizon, &constants).unwrap();
        prop_assert!(then >= now - 1e-12, "{now} then {then}");
    }

    #[test]
    fn the_predicted_day_is_that_of_looking_at_every_day(
        events in any_events(), constants in any_constants(), later in 0..500_i32, cutoff in 0.0..=1.0,
    ) {
        let today = 400 + later;
        let streams = Streams::from_days(&events, today, &constants);
        let found = assess(&streams, today, cutoff, &constants).unwrap();
        let probability = |days: u32| {
            let day = today + days as i32;
            ghost_probability(&streams, day, found.horizon_days, &constants).unwrap()
        };
        let is_old = |days: u32| today + days as i32 - streams.any.first >= 14;
        let flagged = |days: u32| probability(days) >= cutoff && is_old(days);
        let first = (1..=180).find(|&days| flagged(days)).filter(|_| !found.is_ghost_risk);
        // On the cut-off itself, either side of it is right.
        let day = found.days_until_predicted_ghost;
        let on_the_edge = [first, day, day.map(|day| day - 1)]
            .into_iter()
            .flatten()
            .any(|days| (probability(days) - cutoff).abs() < 1e-9);
        prop_assert!(day == first || on_the_edge, "{day:?}, not {first:?}");
    }

    #[test]
    fn the_order_of_events_is_irrelevant(
        (sorted, shuffled) in any_events().prop_flat_map(|events| {
            (Just(events.clone()), Just(events).prop_shuffle())
        }),
    ) {
        let of = |events: &[(i32, bool)]| Streams::from_days(events, 400, &DEFAULTS());
        prop_assert_eq!(of(&sorted), of(&shuffled));
    }

    #[test]
    fn a_day_at_a_time_equals_all_at_once(mut events in any_events(), constants in any_constants()) {
        let rebuilt = Streams::from_days(&events, 400, &constants);
        events.sort_unstable();
        let mut grown = Streams::default();
        for &(day, inbound) in &events {
            prop_assert_ne!(grown.push(day, inbound, &constants), Pushed::OutOfOrder);
        }
        let mut inbound: Vec<i32> = events.iter().filter(|e| e.1).map(|e| e.0).collect();
        inbound.reverse();
        prop_assert_eq!(grown, rebuilt);
        prop_assert_eq!(Stream::from_days(&inbound, 400, &constants), rebuilt.inbound);
    }

    #[test]
    fn the_sums_are_those_of_the_equations(mut days in prop::collection::btree_set(-900..900_i32, 1..60)) {
        let constants = DEFAULTS();
        let stream = Stream::from_sorted(days.iter().copied(), &constants);
        let last = *days.last().unwrap();
        let (mut count, mut sum, mut weight) = (0.0, 0.0, 1.0);
        while let Some(day) = days.pop_last() {
            let Some(&before) = days.last() else { break };
            count += weight;
            sum += weight * (f64::from(day - before) - 0.5).powf(constants.shape);
            weight *= constants.memory;
        }
        prop_assert!((stream.gap_count - count).abs() < 1e-9);
        prop_assert!((stream.gap_sum - sum).abs() < 1e-6);
        prop_assert_eq!(stream.last, last);
    }

    #[test]
    fn the_days_to_remember_are_enough(
        days in prop::collection::btree_set(0..3_000_i32, 65..400),
    ) {
        let all: Vec<i32> = days.into_iter().collect();
        let recent = &all[all.len() - DEFAULTS().days_to_remember()..];
        let (first, count) = (all[0], all.len() as u32);
        let whole = Stream::from_sorted(all.iter().copied(), &DEFAULTS());
        let short = Stream::from_recent(recent, first, count, &DEFAULTS());
        prop_assert_eq!((short.days, short.first, short.last), (whole.days, whole.first, whole.last));
        let ghost = |stream| {
            let streams = Streams { inbound: stream, any: stream };
            ghost_probability(&streams, whole.last + 20, 30, &DEFAULTS()).unwrap()
        };
        prop_assert!((ghost(whole) - ghost(short)).abs() < 2e-3);
    }
}
