//! A progress bar on a terminal; nothing where there is none.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;

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
