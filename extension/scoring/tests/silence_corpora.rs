//! The probabilities hold on mail, and on people, that the fit has never seen.

mod silence_corpus;

use crm_health_scoring::silence::Metrics;
use silence_corpus::{Corpus, csv};

/// Fits on four fifths of the users, judges on the rest, all rows at 30 days.
fn assert_holds(name: &str, rows: usize, auc: f64) {
    let corpus = Corpus::read(&csv::data_folder(), name);
    assert_eq!(corpus.rows.len(), rows, "rows of {name}");
    let fitted = corpus.fitted_without_the_rows_user();
    let probabilities = corpus.probabilities(&fitted, 30);
    let labels = corpus.rows.iter().map(|row| row.silent_30);
    let found = Metrics::of(probabilities.into_iter().zip(labels).collect()).unwrap();
    let found_auc = found.auc.expect("labels of both kinds");
    assert!(
        (found_auc - auc).abs() <= 0.005,
        "AUC on {name}: {found_auc}, not {auc}"
    );
    let error = found.calibration_error;
    assert!(error <= 0.02, "calibration error on {name}: {error}");
}

#[test]
fn holds_on_enron() {
    assert_holds("enron", 8_991, 0.804);
}

#[test]
fn holds_on_radoslaw() {
    assert_holds("radoslaw", 10_789, 0.824);
}

#[test]
fn holds_on_w3c() {
    assert_holds("w3c", 18_325, 0.885);
}

/// The day arithmetic of the rows agrees with labels that were computed to the second.
#[test]
fn labels_agree_with_those_of_the_data() {
    for name in ["enron", "radoslaw", "w3c"] {
        let corpus = Corpus::read(&csv::data_folder(), name);
        let keys: Vec<_> = corpus.rows.iter().map(|row| row.key).collect();
        let mut expected = corpus.rows.iter();
        corpus
            .history
            .each_row(&keys, &Default::default(), |_, row| {
                let labels = expected.next().expect("as many rows as labels");
                let found = (row.silent(30), row.silent(60));
                assert_eq!(found, (labels.silent_30, labels.silent_60), "{name}");
            });
        assert!(expected.next().is_none());
    }
}

/// What the contract names is read here too, so that a column that moved does not go unnoticed.
#[test]
fn beats_the_simple_formula_and_the_rules_with_the_defaults_alone() {
    for name in ["enron", "radoslaw", "w3c"] {
        let corpus = Corpus::read(&csv::data_folder(), name);
        let constants = vec![Default::default(); corpus.rows.len()];
        for (horizon_days, active_only) in [(30, false), (30, true), (60, false), (60, true)] {
            let label = |i: usize| {
                let row = &corpus.rows[i];
                if horizon_days == 30 {
                    row.silent_30
                } else {
                    row.silent_60
                }
            };
            let auc = |of: &dyn Fn(usize) -> f64| {
                let chosen = (0..corpus.rows.len())
                    .filter(|&i| corpus.rows[i].active_90 || !active_only)
                    .map(|i| (of(i), label(i)));
                Metrics::of(chosen.collect())
                    .and_then(|metrics| metrics.auc)
                    .unwrap()
            };
            let model = corpus.probabilities(&constants, horizon_days);
            let ours = auc(&|i| model[i]);
            let best = auc(&|i| corpus.rows[i].simple).max(auc(&|i| corpus.rows[i].rules));
            assert!(
                ours > best + 0.03,
                "{name}, {horizon_days} days: {ours} against {best}"
            );
        }
    }
}
