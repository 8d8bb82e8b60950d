//! Which rows the silence model learns from and is judged on, and how its probabilities are judged.

use crm_health_scoring::silence::fit::MAX_ROWS;
use crm_health_scoring::silence::{Constants, History, Metrics, RowKey, backtest};

const TODAY: i32 = 20_000;

#[test]
fn a_user_who_no_longer_writes_gives_no_rows() {
    let mut history = History::default();
    let inbound = (TODAY - 500..TODAY).step_by(5).map(|day| (day, true));
    let events: Vec<(i32, bool)> = inbound.chain([(TODAY - 400, false)]).collect();
    history.add(1, 1, &events);
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
fn the_third_event_must_fall_before_the_day_of_the_cutoff() {
    let mut history = History::default();
    let pair = history.add(1, 1, &[(10, true), (20, true), (30, false), (99, false)]);
    let cutoffs = history.rows_at(&[29, 30, 31], 60, MAX_ROWS);
    assert_eq!(cutoffs, [RowKey { pair, cutoff: 31 }]);
}

#[test]
fn a_contact_who_writes_on_the_last_day_of_the_horizon_was_not_silent() {
    let mut history = History::default();
    let pair = history.add(1, 1, &[(10, true), (20, true)]);
    let rows = [RowKey { pair, cutoff: 15 }];
    history.each_row(&rows, &Constants::default(), |_, row| {
        assert_eq!(
            (row.silent(5), row.silent(6)),
            (true, false),
            "days 15 to 19, then 20"
        );
    });
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
fn a_backtest_scores_what_was_known_then() {
    let mut history = History::default();
    for contact in 0..40 {
        let stops = TODAY - 200 + 5 * (contact % 20);
        let inbound = (TODAY - 500..stops).step_by(4).map(|day| (day, true));
        let events: Vec<(i32, bool)> = inbound.chain([(TODAY, false)]).collect();
        history.add(1, contact as u64, &events);
    }
    let rows = history.rows_at(&[TODAY - 150, TODAY - 120], 30, MAX_ROWS);
    assert_eq!(rows.len(), 80);
    let metrics = backtest(&history, &rows, 30, &Constants::default()).unwrap();
    let silent =
        |row: &&RowKey| 5 * (history.contact(**row) as i32 % 20) - 200 + TODAY <= row.cutoff;
    let expected = rows.iter().filter(silent).count() as f64 / 80.0;
    assert!(
        (metrics.base_rate - expected).abs() < 0.06,
        "{} not {expected}",
        metrics.base_rate
    );
    assert!(
        metrics.auc.unwrap() > 0.95,
        "who stopped is easily told: {metrics:?}"
    );
    assert_eq!(backtest(&history, &[], 30, &Constants::default()), None);
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
