//! The fit: what it learns, what it refuses to learn, and that it can be stopped.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use crm_health_scoring::silence::fit::{
    HeldOutBy, HorizonMetrics, MAX_ROWS, MIN_ROWS, Stage, learn,
};
use crm_health_scoring::silence::{
    Cancelled, Constants, Decision, FitReport, History, KeepReason, Progress, fit,
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

/// Contacts who write back at their own pace until they stop for good: 30 users, 6 contacts each.
fn people(dropout: f64) -> History {
    let mut random = Random(7);
    let mut history = History::default();
    for user in 0..30 {
        for contact in 0..6 {
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

/// The people and what is learned from them, once for all tests.
static PEOPLE: LazyLock<(History, FitReport)> = LazyLock::new(|| {
    let history = people(0.05);
    let report = fit_all(&history, &Constants::default());
    (history, report)
});

#[test]
fn a_fit_on_other_people_than_the_defaults_came_from_is_accepted() {
    let (_, report) = &*PEOPLE;
    assert_eq!(report.decision, Decision::Accept, "{report:?}");
    assert_eq!(report.constants.validate(), Ok(()));
    assert_ne!(report.constants, Constants::default());
    assert_eq!((report.users, report.pairs), (30, 180));
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
        assert_eq!(at.fitted.rows as usize, held_out);
    }
    let error = |of: fn(&HorizonMetrics) -> f64| report.metrics.iter().map(of).sum::<f64>();
    let fitted = error(|at| at.fitted.calibration_error);
    let in_use = error(|at| at.in_use.calibration_error);
    assert!(fitted < 0.7 * in_use, "{fitted}, {in_use}");
    let (first, last) = report.cutoffs.unwrap();
    assert_eq!((TODAY - 60 - last, TODAY - 60 - first), (0, 330));
}

#[test]
fn the_same_fit_a_second_time_is_no_better_than_the_first() {
    let (history, first) = &*PEOPLE;
    let second = fit_all(history, &first.constants);
    assert_eq!(second.decision, Decision::Keep(KeepReason::NotBetter));
    assert_eq!(
        second.constants, first.constants,
        "the same data, the same fit"
    );
}

#[test]
fn under_a_hundred_rows_the_constants_in_use_are_kept() {
    let (history, _) = &*PEOPLE;
    let rows = history.monthly_rows(TODAY, MAX_ROWS);
    let in_use = Constants {
        memory: 0.5,
        ..Constants::default()
    };
    for count in [0, 1, MIN_ROWS - 1] {
        let report = fit(history, &rows[..count], &in_use, |_| {
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
    let (history, _) = &*PEOPLE;
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
            fit(history, &rows, &Constants::default(), stop),
            Err(Cancelled),
            "{stage:?}"
        );
    }
}

#[test]
fn progress_never_passes_its_total() {
    let (history, _) = &*PEOPLE;
    let rows = history.monthly_rows(TODAY, MAX_ROWS);
    let mut calls = 0;
    let report = fit(history, &rows, &Constants::default(), |progress| {
        calls += 1;
        assert!(progress.done <= progress.total, "{progress:?}");
        ControlFlow::Continue(())
    });
    assert!(report.is_ok() && calls > 5, "{calls}");
}

#[test]
fn a_report_survives_json_without_a_nan() {
    let (_, report) = &*PEOPLE;
    let json = serde_json::to_value(report).unwrap();
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
    assert_eq!(&read, report);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

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
