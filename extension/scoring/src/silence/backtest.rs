//! The past scored as it would have been then, against what came true.

use super::{Constants, History, Metrics, RowKey, ghost_probability};

/// How right these constants were on `rows` (ascending; see [`History::rows_at`]) about silence over
/// `horizon_days`; `None` where no row has an event before its cut-off.
#[must_use]
pub fn backtest(
    history: &History,
    rows: &[RowKey],
    horizon_days: u32,
    constants: &Constants,
) -> Option<Metrics> {
    let mut predictions = Vec::with_capacity(rows.len());
    history.each_row(rows, constants, |key, row| {
        let said = ghost_probability(&row.streams, key.cutoff, horizon_days, constants);
        predictions.extend(said.map(|probability| (probability, row.silent(horizon_days))));
    });
    Metrics::of(predictions)
}
