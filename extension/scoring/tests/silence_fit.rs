//! The fit: what it learns, what it refuses to learn, and that it can be stopped.

use std::ops::ControlFlow;

use crm_health_scoring::silence::fit::{HeldOutBy, MAX_ROWS, MIN_ROWS, Stage, learn};
use crm_health_scoring::silence::{
    Cancelled, Constants, Decision, FitReport, History, KeepReason, Metrics, Progress, RowKey, fit,
};
use proptest::prelude::*;

const TODAY: i32 = 20_000;

fn fit_all(history: &History, in_use: &Constants) -> FitReport {
    let rows = history.monthly_rows(TODAY, MAX_ROWS);
    fit(history, &rows, in_use, |_| ControlFlow::Continue(())).expect("never cancelled")
}

/// A fixed sequence of numbers in 0–1.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Contacts who write back at their own pace until they stop for good: 40 users, 8 contacts each.
fn people(dropout: f64) -> History {
    let mut random = Random(7);
    let mut history = History::default();
    for user in 0..40 {
        for contact in 0..8 {
            let pace = 2.0 + 25.0 * random.next();
            let mut day = f64::from(TODAY) - 500.0;
            let mut events: Vec<(i32, bool)> = vec![(day as i32, false)];
            let mut alive = true;
            while day < f64::from(TODAY) {
                day += 1.0 - pace * (1.0 - random.next()).ln();
                alive = alive && random.next() > dropout;
                events.push((
                    day.min(f64::from(TODAY)) as i32,
                    alive && random.next() < 0.7,
                ));
            }
            history.add(user, 1_000 * user + contact, &events);
        }
        history.add(user, u64::MAX - user, &[(TODAY, false)]);
    }
    history
}

#[test]
fn a_fit_on_other_people_than_the_defaults_came_from_is_accepted() {
    let report = fit_all(&people(0.05), &Constants::default());
    assert_eq!(report.decision, Decision::Accept, "{report:?}");
    assert_eq!(report.constants.validate(), Ok(()));
    assert_ne!(report.constants, Constants::default());
    assert_eq!((report.users, report.pairs), (40, 320));
    let (by, held_out) = report.held_out.unwrap();
    assert_eq!(by, HeldOutBy::User);
    assert!(held_out * 10 > report.rows && held_out * 2 < report.rows);
    assert_eq!(
        report
            .metrics
            .iter()
            .map(|m| m.horizon_days)
            .collect::<Vec<_>>(),
        [7, 14, 30, 60]
    );
    for at in &report.metrics {
        assert!(at.fitted.log_loss < at.in_use.log_loss, "{at:?}");
        assert!(
            at.fitted.calibration_error < at.in_use.calibration_error,
            "{at:?}"
        );
        assert_eq!(at.fitted.rows as usize, held_out);
    }
    let (first, last) = report.cutoffs.unwrap();
    assert_eq!((TODAY - 60 - last, TODAY - 60 - first), (0, 330));
}

#[test]
fn the_same_fit_a_second_time_is_no_better_than_the_first() {
    let history = people(0.05);
    let first = fit_all(&history, &Constants::default());
    let second = fit_all(&history, &first.constants);
    assert_eq!(second.decision, Decision::Keep(KeepReason::NotBetter));
    assert_eq!(
        second.constants, first.constants,
        "the same data, the same fit"
    );
}

#[test]
fn under_a_hundred_rows_the_constants_in_use_are_kept() {
    let history = people(0.05);
    let rows = history.monthly_rows(TODAY, MAX_ROWS);
    let in_use = Constants {
        memory: 0.5,
        ..Constants::default()
    };
    for count in [0, 1, MIN_ROWS - 1] {
        let report = fit(&history, &rows[..count], &in_use, |_| {
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(report.decision, Decision::Keep(KeepReason::TooFewRows));
        assert_eq!((report.constants, report.rows), (in_use, count));
    }
}

/// 30 users whose contacts all wrote in the given rhythm until the given day.
fn alike(last_inbound: i32, outbound_until: i32) -> History {
    let mut history = History::default();
    for user in 0..30 {
        for contact in 0..5 {
            let inbound = (TODAY - 500..=last_inbound)
                .step_by(5)
                .map(|day| (day, true));
            let outbound = (TODAY - 498..=outbound_until)
                .step_by(4)
                .map(|day| (day, false));
            let events: Vec<(i32, bool)> = inbound.chain(outbound).collect();
            history.add(user, contact, &events);
        }
    }
    history
}

#[test]
fn where_all_contacts_are_silent_the_constants_in_use_are_kept() {
    let report = fit_all(&alike(TODAY - 480, TODAY), &Constants::default());
    assert!(report.rows >= MIN_ROWS);
    assert_eq!(report.decision, Decision::Keep(KeepReason::AllLabelsEqual));
    assert_eq!(report.constants, Constants::default());
}

#[test]
fn where_all_contacts_write_the_constants_in_use_are_kept() {
    let report = fit_all(&alike(TODAY, TODAY), &Constants::default());
    assert_eq!(report.decision, Decision::Keep(KeepReason::AllLabelsEqual));
}

#[test]
fn users_without_any_inbound_mail_leave_the_constants_in_use() {
    let report = fit_all(&alike(i32::MIN, TODAY), &Constants::default());
    assert!(report.rows >= MIN_ROWS);
    assert_eq!(report.decision, Decision::Keep(KeepReason::AllLabelsEqual));
}

#[test]
fn a_user_who_no_longer_writes_gives_no_rows() {
    let history = alike(TODAY, TODAY - 400);
    assert_eq!(history.monthly_rows(TODAY, MAX_ROWS).len(), 0);
}

#[test]
fn rows_need_three_events_before_their_cutoff() {
    let mut history = History::default();
    history.add(
        1,
        1,
        &[(TODAY - 400, false), (TODAY - 400, true), (TODAY, false)],
    );
    assert_eq!(
        history.monthly_rows(TODAY, MAX_ROWS),
        [],
        "two before the newest"
    );
    let three = [
        (TODAY - 100, true),
        (TODAY - 100, true),
        (TODAY - 100, false),
    ];
    let pair = history.add(1, 2, &three);
    let cutoffs = [TODAY - 90, TODAY - 60].map(|cutoff| RowKey { pair, cutoff });
    assert_eq!(history.monthly_rows(TODAY, MAX_ROWS), cutoffs);
}

#[test]
fn the_day_of_the_cutoff_belongs_to_the_future() {
    let mut history = History::default();
    let pair = history.add(1, 1, &[(10, false), (20, true), (30, true)]);
    let keys = [11, 20, 21, 31].map(|cutoff| RowKey { pair, cutoff });
    let mut seen = Vec::new();
    history.each_row(&keys, &Constants::default(), |_, row| {
        seen.push((
            row.streams.any.days,
            row.streams.inbound.days,
            row.wait_days,
        ));
    });
    assert_eq!(
        seen,
        [
            (1, 0, Some(9)),
            (1, 0, Some(0)),
            (2, 1, Some(9)),
            (3, 2, None)
        ]
    );
}

#[test]
fn few_users_are_held_out_by_contact() {
    let mut history = History::default();
    let mut random = Random(3);
    for contact in 0..80 {
        let stops = TODAY - (400.0 * random.next()) as i32;
        let inbound = (TODAY - 500..stops).step_by(9).map(|day| (day, true));
        let events: Vec<(i32, bool)> = inbound.chain([(TODAY, false)]).collect();
        history.add(1, contact, &events);
    }
    let report = fit_all(&history, &Constants::default());
    assert_eq!(
        report.held_out.map(|held_out| held_out.0),
        Some(HeldOutBy::Contact)
    );
}

#[test]
fn can_be_cancelled_in_every_stage() {
    let history = people(0.05);
    let rows = history.monthly_rows(TODAY, MAX_ROWS);
    for stage in [Stage::Gaps, Stage::Rows, Stage::Calibration, Stage::HeldOut] {
        let stop = |progress: Progress| {
            if progress.stage == stage {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        assert_eq!(
            fit(&history, &rows, &Constants::default(), stop),
            Err(Cancelled),
            "{stage:?}"
        );
    }
}

#[test]
fn progress_never_passes_its_total() {
    let history = people(0.05);
    let rows = history.monthly_rows(TODAY, MAX_ROWS);
    let mut calls = 0;
    let report = fit(&history, &rows, &Constants::default(), |progress| {
        calls += 1;
        assert!(progress.done <= progress.total, "{progress:?}");
        ControlFlow::Continue(())
    });
    assert!(report.is_ok() && calls > 5, "{calls}");
}

#[test]
fn the_limit_draws_an_even_share_whatever_the_order_of_the_pairs() {
    let draw = |reversed: bool| {
        let mut history = History::default();
        let mut contacts: Vec<u64> = (0..3_000).collect();
        if reversed {
            contacts.reverse();
        }
        for contact in contacts {
            history.add(
                1,
                contact,
                &[(TODAY - 100, true), (TODAY - 99, true), (TODAY - 98, true)],
            );
        }
        history.add(1, u64::MAX, &[(TODAY, false)]);
        let rows = history.monthly_rows(TODAY, 600);
        let mut contacts: Vec<u64> = rows.iter().map(|&row| history.contact(row)).collect();
        contacts.sort_unstable();
        contacts
    };
    let drawn = draw(false);
    assert!((480..=600).contains(&drawn.len()), "{}", drawn.len());
    let from_first_half = drawn.iter().filter(|&&contact| contact < 1_500).count() as f64;
    assert!((from_first_half / drawn.len() as f64 - 0.5).abs() < 0.1);
    if drawn.len() < 600 {
        assert_eq!(drawn, draw(true));
    }
}

#[test]
fn a_report_survives_json_without_a_nan() {
    let report = fit_all(&people(0.05), &Constants::default());
    let json = serde_json::to_value(&report).unwrap();
    // A NaN would turn into null; only empty bins and labels of one kind may be null.
    for at in &report.metrics {
        for metrics in [&at.fitted, &at.in_use] {
            let sums = metrics.brier + metrics.log_loss + metrics.calibration_error;
            assert!(sums.is_finite() && metrics.auc.is_some(), "{at:?}");
        }
    }
    let read: FitReport = serde_json::from_value(json).unwrap();
    assert_eq!(
        (read.decision, read.constants),
        (report.decision, report.constants)
    );
    assert_eq!(read, report);
}

#[test]
fn metrics_are_those_computed_by_hand() {
    let predictions = vec![
        (0.9, true),
        (0.8, false),
        (0.8, true),
        (0.3, false),
        (0.1, false),
    ];
    let metrics = Metrics::of(predictions).unwrap();
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found}");
    // Pairs of a hit above a miss: .9 over three, .8 over two and level with one.
    close(metrics.auc.unwrap(), 5.5 / 6.0);
    close(metrics.average_precision.unwrap(), (1.0 + 2.0 / 3.0) / 2.0);
    close(metrics.brier, (0.01 + 0.64 + 0.04 + 0.09 + 0.01) / 5.0);
    let loss = 0.9_f64.ln() + 0.2_f64.ln() + 0.8_f64.ln() + 0.7_f64.ln() + 0.9_f64.ln();
    close(metrics.log_loss, -loss / 5.0);
    close(
        metrics.calibration_error,
        (0.1 + 2.0 * 0.3 + 0.3 + 0.1) / 5.0,
    );
    close(metrics.base_rate, 0.4);
    assert_eq!(metrics.reliability[8].rows, 2);
    assert_eq!(metrics.reliability[8].observed_share, Some(0.5));
    assert_eq!(metrics.reliability[5].mean_predicted, None);
}

#[test]
fn metrics_of_nothing_or_of_no_probabilities_are_none() {
    assert_eq!(Metrics::of(Vec::new()), None);
    assert_eq!(Metrics::of(vec![(f64::NAN, true)]), None);
    assert_eq!(Metrics::of(vec![(1.1, true)]), None);
    let one_kind = Metrics::of(vec![(0.0, true), (1.0, true)]).unwrap();
    assert_eq!((one_kind.auc, one_kind.log_loss.is_finite()), (None, true));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever the events, what is learned is finite and keeps the promises of the model.
    #[test]
    fn learns_constants_in_their_ranges_or_none(
        pairs in prop::collection::vec(
            prop::collection::vec((TODAY - 700..TODAY + 10, any::<bool>()), 3..30), 10..30),
        jump in prop::option::of(any::<i32>()),
    ) {
        let mut history = History::default();
        for (index, mut events) in pairs.into_iter().enumerate() {
            events.extend(jump.map(|day| (day, true)));
            events.push((TODAY, false));
            history.add(index as u64 % 7, index as u64, &events);
        }
        let rows = history.monthly_rows(TODAY, MAX_ROWS);
        let learned = learn(&history, &rows, &mut |_| ControlFlow::Continue(())).unwrap();
        if let Some(constants) = learned {
            prop_assert_eq!(constants.validate(), Ok(()));
        }
    }
}
