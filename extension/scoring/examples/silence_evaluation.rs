//! How right is the silence model on mail it has never seen?
//!
//! `cargo run --release --example silence_evaluation -- [data folder]` reads three public mail
//! corpora, fits on four fifths of the users, judges on the last fifth, and prints ranking and
//! calibration beside the simple formula and the rules; then precision and recall over the
//! cut-offs for a ghost risk, and what a score, an event and a large fit cost on this machine.

#[path = "../tests/silence_corpus/mod.rs"]
mod silence_corpus;

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use crm_health_scoring::silence::fit::MAX_ROWS;
use crm_health_scoring::silence::{
    Constants, History, Metrics, Streams, assess, fit, ghost_probability, score_horizon_days,
};
use silence_corpus::{Corpus, LabelledRow};

const CORPORA: [&str; 3] = ["enron", "radoslaw", "w3c"];

fn main() {
    let given = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = given.unwrap_or_else(silence_corpus::csv::data_folder);
    for name in CORPORA {
        let corpus = Corpus::read(&folder, name);
        let fitted = corpus.fitted_without_the_rows_user();
        let defaults = vec![Constants::default(); corpus.rows.len()];
        println!(
            "\n## {name}: {} rows, fitted without the row's user",
            corpus.rows.len()
        );
        println!("constants of the first fold: {:?}", fitted[0]);
        print_accuracy(&corpus, &fitted, &defaults);
        print_cutoffs(&corpus, &fitted, "fitted");
        print_cutoffs(&corpus, &defaults, "defaults");
    }
    print_costs();
}

/// The metrics of every model on every slice of the rows.
fn print_accuracy(corpus: &Corpus, fitted: &[Constants], defaults: &[Constants]) {
    println!("| H | rows | model | AUC | AP | Brier | log-loss | ECE |");
    println!("|---|---|---|---|---|---|---|---|");
    for horizon_days in [30, 60] {
        let models = [
            ("fitted", corpus.probabilities(fitted, horizon_days)),
            ("defaults", corpus.probabilities(defaults, horizon_days)),
            (
                "simple formula",
                corpus.rows.iter().map(|row| row.simple).collect(),
            ),
            ("rules", corpus.rows.iter().map(|row| row.rules).collect()),
        ];
        for (slice, only_active) in [("all", false), ("active90", true)] {
            for (model, probabilities) in &models {
                let predictions = labelled(corpus, probabilities, horizon_days, only_active);
                print_line(horizon_days, slice, model, predictions);
            }
        }
    }
}

fn labelled(
    corpus: &Corpus,
    probabilities: &[f64],
    horizon_days: u32,
    only_active: bool,
) -> Vec<(f64, bool)> {
    let label = |row: &LabelledRow| {
        if horizon_days == 30 {
            row.silent_30
        } else {
            row.silent_60
        }
    };
    let rows = corpus.rows.iter().zip(probabilities);
    let chosen = rows.filter(|(row, _)| row.active_90 || !only_active);
    chosen
        .map(|(row, &probability)| (probability, label(row)))
        .collect()
}

fn print_line(horizon_days: u32, slice: &str, model: &str, predictions: Vec<(f64, bool)>) {
    let metrics = Metrics::of(predictions).expect("rows, and probabilities in 0 to 1");
    println!(
        "| {horizon_days} | {slice} | {model} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} |",
        metrics.auc.unwrap_or(f64::NAN),
        metrics.average_precision.unwrap_or(f64::NAN),
        metrics.brier,
        metrics.log_loss,
        metrics.calibration_error,
    );
}

/// Precision and recall of "ghost risk" at the horizon of the score table, contact by contact.
fn print_cutoffs(corpus: &Corpus, constants: &[Constants], model: &str) {
    for (slice, only_active) in [("all", false), ("active90", true)] {
        let mut predictions = Vec::new();
        for (row, constants) in corpus.rows.iter().zip(constants) {
            if only_active && !row.active_90 {
                continue;
            }
            corpus.history.each_row(&[row.key], constants, |key, seen| {
                predictions.push(at_score_horizon(&seen.streams, key.cutoff, constants, seen));
            });
        }
        let error = Metrics::of(predictions.clone()).map_or(f64::NAN, |m| m.calibration_error);
        println!("at H*, {model}, {slice}: ECE {error:.3}; cutoff precision recall F1 flagged");
        for cutoff in [0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9] {
            print_cutoff(&predictions, cutoff);
        }
    }
}

fn at_score_horizon(
    streams: &Streams,
    cutoff: i32,
    constants: &Constants,
    row: &crm_health_scoring::silence::history::Row,
) -> (f64, bool) {
    let horizon_days = score_horizon_days(streams, cutoff, constants).expect("rows have events");
    let probability = ghost_probability(streams, cutoff, horizon_days, constants);
    (
        probability.expect("rows have events"),
        row.silent(horizon_days),
    )
}

fn print_cutoff(predictions: &[(f64, bool)], cutoff: f64) {
    let flagged = predictions.iter().filter(|(p, _)| *p >= cutoff).count() as f64;
    let hits = predictions
        .iter()
        .filter(|(p, silent)| *p >= cutoff && *silent)
        .count() as f64;
    let silent = predictions.iter().filter(|(_, silent)| *silent).count() as f64;
    let (precision, recall) = (hits / flagged, hits / silent);
    let f1 = 2.0 * precision * recall / (precision + recall);
    let share = flagged / predictions.len() as f64;
    println!("  {cutoff:.2} {precision:.3} {recall:.3} {f1:.3} {share:.3}");
}

/// Nanoseconds a score and an event take, and seconds a fit of four million events takes.
fn print_costs() {
    let constants = Constants::default();
    let events: Vec<(i32, bool)> = (0..200).map(|i| (i * 3 + i % 5, i % 2 == 0)).collect();
    let streams = Streams::from_days(&events, 700, &constants);
    println!("\n## Costs");
    let probability = |i: i32| ghost_probability(&streams, 600 + i % 365, 30, &constants);
    println!(
        "a probability: {:.0} ns",
        nanoseconds(1_000_000, |i| black_box(probability(i)))
    );
    let assessment = |i: i32| assess(&streams, 600 + i % 365, 0.5, &constants);
    println!(
        "an assessment: {:.0} ns",
        nanoseconds(300_000, |i| black_box(assessment(i)))
    );
    let mut growing = Streams::default();
    let push = |i: i32| black_box(&mut growing).push(i * 3 + i % 3, i % 2 == 0, &constants);
    println!(
        "an event on a new day: {:.0} ns",
        nanoseconds(10_000_000, push)
    );
    print_fit_cost();
}

fn nanoseconds<T>(times: i32, mut work: impl FnMut(i32) -> T) -> f64 {
    let start = Instant::now();
    for i in 0..times {
        black_box(work(i));
    }
    start.elapsed().as_nanos() as f64 / f64::from(times)
}

fn print_fit_cost() {
    let start = Instant::now();
    let history = four_million_events();
    let added = start.elapsed();
    let rows = history.monthly_rows(20_000, MAX_ROWS);
    let report = fit(&history, &rows, &Constants::default(), |_| {
        ControlFlow::Continue(())
    })
    .expect("never cancelled");
    println!(
        "4,000,000 events of {} pairs added in {added:.1?}, {} rows fitted {:.1?} after the start",
        history.pairs(),
        report.rows,
        start.elapsed(),
    );
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        println!(
            "{}",
            status
                .lines()
                .find(|line| line.starts_with("VmHWM"))
                .unwrap_or("")
        );
    }
}

/// 100,000 pairs of 1,000 users, 40 events each, at their own pace, some of whom stop.
fn four_million_events() -> History {
    let mut history = History::default();
    let mut state = 1_u64;
    for pair in 0..100_000_u64 {
        let pace = 1 + (random(&mut state) % 40) as i32;
        let mut day = 20_000 - 40 * pace + (random(&mut state) % 60) as i32 - 45;
        let mut events = Vec::with_capacity(40);
        for _ in 0..40 {
            day += (random(&mut state) % (2 * pace as u64)) as i32;
            events.push((day, random(&mut state).is_multiple_of(2)));
        }
        history.add(pair % 1_000, pair, &events);
    }
    history
}

fn random(state: &mut u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}
