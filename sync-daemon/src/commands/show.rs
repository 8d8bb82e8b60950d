//! What people see: columns, times, a progress bar on a terminal.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use indicatif::{ProgressBar, ProgressStyle};

use crate::mailbox::Step;
use crate::run::OnStep;

const TEMPLATE: &str = "{elapsed_precise} {bar:30} {pos}/{len} messages {per_sec}";

/// The bar, and what moves it.
pub(super) fn progress_bar() -> (ProgressBar, OnStep) {
    let bar = if stderr().is_terminal() {
        ProgressBar::new(0)
    } else {
        ProgressBar::hidden()
    };
    if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
        bar.set_style(style);
    }
    let moved = bar.clone();
    let on_step = move |step: &Step| match step {
        Step::Discovered(count) => moved.inc_length(u64::try_from(*count).unwrap_or_default()),
        Step::Stored(count) => moved.inc(u64::try_from(*count).unwrap_or_default()),
    };
    (bar, Arc::new(on_step))
}

/// Prints rows under titles, each column as wide as it must be.
pub(super) fn print_columns<const N: usize>(
    titles: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) {
    let titles = titles.map(str::to_owned);
    let rows: Vec<[String; N]> = std::iter::once(titles).chain(rows).collect();
    let width = |column: usize| {
        rows.iter()
            .map(|r| r[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    for row in &rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        println!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// To the second, or a dash.
pub(super) fn time(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(|| "-".to_owned(), |t| t.format("%F %TZ").to_string())
}
