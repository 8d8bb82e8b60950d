//! Stage 1: c, α, a, b and δ, from the silences of at most 6,000 rows.
//!
//! Minimises the log-loss of P0 over 14, 30 and 60 days under a weak prior. Maximum likelihood of
//! the gaps would be the textbook way; its probabilities are less well calibrated.

use std::collections::HashMap;

use super::bfgs::minimise;
use super::{Cancelled, OnProgress, Stage, report_progress};
use crate::silence::history::{mix, silent};
use crate::silence::metrics::log_loss;
use crate::silence::renewal::logistic;
use crate::silence::{Constants, History, RowKey};

const MAX_ROWS: usize = 6_000;
const MAX_ITERATIONS: u64 = 60;
const HORIZONS_DAYS: [u32; 3] = [14, 30, 60];

/// A row's oldest gaps beyond this many weigh nothing at any δ that is allowed.
const MAX_GAPS: usize = 512;

/// The prior of (ln c, ln α, ln a, ln b, logit δ): means as (c, α, a, b, δ), then deviations.
const PRIOR: [f64; 5] = [0.72, 12.0, 0.25, 1.2, 0.9];
const PRIOR_DEVIATIONS: [f64; 5] = [0.25, 1.0, 1.0, 1.0, 1.0];

/// Learns the five constants; the second stage's coefficients stay at the defaults.
pub(super) fn learn(
    history: &History,
    rows: &[RowKey],
    progress: OnProgress<'_>,
) -> Result<Constants, Cancelled> {
    let sample = Sample::draw(history, rows);
    let start = prior_point();
    let mut powers = Vec::new();
    let objective = |point: &[f64; 5]| sample.loss(point, &mut powers);
    let best = minimise(objective, start, MAX_ITERATIONS, |iteration| {
        report_progress(progress, Stage::Gaps, iteration, MAX_ITERATIONS)
    })?;
    Ok(constants_at(&best))
}

fn prior_point() -> [f64; 5] {
    let [c, alpha, a, b, memory] = PRIOR;
    [
        c.ln(),
        alpha.ln(),
        a.ln(),
        b.ln(),
        (memory / (1.0 - memory)).ln(),
    ]
}

/// The constants at a point of the search, kept inside their ranges.
fn constants_at(point: &[f64; 5]) -> Constants {
    let positive = |z: f64| z.exp().clamp(Constants::POSITIVE.0, Constants::POSITIVE.1);
    Constants {
        shape: point[0].exp().clamp(Constants::MIN_SHAPE, 1.0),
        gap_prior: positive(point[1]),
        dropout_a: positive(point[2]),
        dropout_b: positive(point[3]),
        memory: logistic(point[4]).min(Constants::MAX_MEMORY),
        ..Constants::default()
    }
}

/// One row, with every count of days replaced by its place in the table of powers.
struct SampleRow {
    gaps: std::ops::Range<usize>,
    /// R.
    silence: usize,
    /// R + H for each horizon.
    ahead: [usize; HORIZONS_DAYS.len()],
    /// m = n − 1.
    returns: f64,
    silent: [bool; HORIZONS_DAYS.len()],
}

/// The rows of the first stage. A search asks for the same few hundred powers again and again.
#[derive(Default)]
struct Sample {
    rows: Vec<SampleRow>,
    gaps: Vec<u32>,
    /// The distinct counts of days, less ½.
    bases: Vec<f64>,
    places: HashMap<i64, usize>,
}

impl Sample {
    /// An even share of the rows, the same for the same ids and days.
    fn draw(history: &History, rows: &[RowKey]) -> Self {
        let mut drawn: Vec<(u64, RowKey)> = rows
            .iter()
            .map(|&row| (draw_key(history, row), row))
            .collect();
        if drawn.len() > MAX_ROWS {
            drawn.select_nth_unstable(MAX_ROWS);
            drawn.truncate(MAX_ROWS);
        }
        drawn.sort_unstable();
        let mut sample = Self::default();
        for (_, row) in drawn {
            sample.add(history, row);
        }
        sample
    }

    fn add(&mut self, history: &History, row: RowKey) {
        let days: Vec<i32> = history.inbound_days_before(row).collect();
        let Some(since) = days
            .last()
            .copied()
            .or_else(|| history.first_day_before(row))
        else {
            return;
        };
        let start = self.gaps.len();
        let recent = &days[days.len().saturating_sub(MAX_GAPS + 1)..];
        for pair in recent.windows(2) {
            let place = self.place(i64::from(pair[1]) - i64::from(pair[0]));
            self.gaps.push(u32::try_from(place).unwrap_or(u32::MAX));
        }
        let silence = (i64::from(row.cutoff) - i64::from(since)).max(1);
        let wait_days = history.wait_days_after(row);
        let row = SampleRow {
            gaps: start..self.gaps.len(),
            silence: self.place(silence),
            ahead: HORIZONS_DAYS.map(|horizon| self.place(silence + i64::from(horizon))),
            returns: days.len().saturating_sub(1) as f64,
            silent: HORIZONS_DAYS.map(|horizon| silent(wait_days, horizon)),
        };
        self.rows.push(row);
    }

    fn place(&mut self, days: i64) -> usize {
        let bases = &mut self.bases;
        *self.places.entry(days).or_insert_with(|| {
            bases.push(days as f64 - 0.5);
            bases.len() - 1
        })
    }

    /// The mean log-loss at a point, summed over the horizons, and the prior's share of it.
    fn loss(&self, point: &[f64; 5], powers: &mut Vec<f64>) -> f64 {
        let constants = constants_at(point);
        powers.clear();
        powers.extend(self.bases.iter().map(|base| base.powf(constants.shape)));
        let data: f64 = self
            .rows
            .iter()
            .map(|row| self.row_loss(row, &constants, powers))
            .sum();
        let centre = prior_point();
        let distance = |i: usize| ((point[i] - centre[i]) / PRIOR_DEVIATIONS[i]).powi(2);
        let prior = 0.5 * (0..5).map(distance).sum::<f64>();
        (data + prior) / self.rows.len().max(1) as f64
    }

    /// The same equations as [`crate::silence::renewal`], over tabulated powers.
    fn row_loss(&self, row: &SampleRow, constants: &Constants, powers: &[f64]) -> f64 {
        let (mut count, mut scale) = (0.0, 0.0);
        for &gap in &self.gaps[row.gaps.clone()] {
            count = constants.memory * count + 1.0;
            scale = constants.memory * scale + powers[gap as usize];
        }
        count += 1.0;
        scale += constants.gap_prior;
        let elapsed = powers[row.silence];
        let log_ratio = count * (elapsed / scale).ln_1p();
        let odds = (constants.dropout_b + row.returns).ln() - constants.dropout_a.ln() - log_ratio;
        let alive = logistic(odds);
        let loss = |i: usize| {
            let growth = (powers[row.ahead[i]] - elapsed).max(0.0) / (scale + elapsed);
            let word = -(-count * growth.ln_1p()).exp_m1();
            log_loss(1.0 - alive * word, row.silent[i])
        };
        (0..HORIZONS_DAYS.len()).map(loss).sum()
    }
}

fn draw_key(history: &History, row: RowKey) -> u64 {
    let pair = mix(mix(history.user(row)) ^ history.contact(row));
    mix(pair ^ u64::from(row.cutoff.cast_unsigned()) ^ (1 << 40))
}

#[cfg(test)]
mod tests {
    use super::{HORIZONS_DAYS, Sample, constants_at, prior_point};
    use crate::silence::metrics::log_loss;
    use crate::silence::renewal::Standing;
    use crate::silence::{History, RowKey};

    /// The search tabulates powers for speed; it must minimise what the score then says.
    #[test]
    fn the_objective_is_the_log_loss_of_the_score() {
        let mut history = History::default();
        let writes = (0..40).map(|i| (3 * i + i * i % 7, i % 3 != 0));
        history.add(1, 1, &writes.collect::<Vec<_>>());
        history.add(1, 2, &[(0, false), (9, false), (80, true)]);
        history.add(2, 1, &[(5, true)]);
        let row = |(pair, cutoff)| RowKey { pair, cutoff };
        let rows = [(0, 30), (0, 61), (0, 140), (1, 20), (1, 90), (2, 40)].map(row);
        let constants = constants_at(&prior_point());
        let mut expected = 0.0;
        history.each_row(&rows, &constants, |key, row| {
            let standing = Standing::inbound(&row.streams, key.cutoff, &constants).unwrap();
            for horizon in HORIZONS_DAYS {
                let silent = row.silent(horizon);
                expected += log_loss(standing.silent_probability(horizon), silent) / 6.0;
            }
        });
        let found = Sample::draw(&history, &rows).loss(&prior_point(), &mut Vec::new());
        assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
    }
}
