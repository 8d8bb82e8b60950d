//! How right were probabilities? Ranking, distance and calibration against what came true.

use serde::{Deserialize, Serialize};

/// One tenth of the probabilities: what was said, and how often it came true.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// The bin's lower bound, 0–1; included.
    pub from: f64,
    /// The bin's upper bound, 0–1; included in the last bin only.
    pub to: f64,
    /// How many probabilities fell into it.
    pub rows: u64,
    /// Their mean; `None` where there are none.
    pub mean_predicted: Option<f64>,
    /// The share, 0–1, that came true; `None` where there are none.
    pub observed_share: Option<f64>,
}

/// How right a set of probabilities was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// How many probabilities.
    pub rows: u64,
    /// The share, 0–1, of rows that came true.
    pub base_rate: f64,
    /// Area under the ROC curve, 0–1, ties counted half; `None` where all labels are equal.
    pub auc: Option<f64>,
    /// Average precision, 0–1, ties taken together; `None` where nothing came true.
    pub average_precision: Option<f64>,
    /// Mean squared distance, 0–1.
    pub brier: f64,
    /// Mean negative log-likelihood in nats, with probabilities kept 10⁻¹² away from 0 and 1.
    pub log_loss: f64,
    /// Expected calibration error, 0–1, over ten bins of equal width.
    pub calibration_error: f64,
    /// The ten bins.
    pub reliability: Vec<ReliabilityBin>,
}

/// Minus the log of the probability given to what happened, in nats.
#[must_use]
pub(crate) fn log_loss(probability: f64, came_true: bool) -> f64 {
    let given = if came_true {
        probability
    } else {
        1.0 - probability
    };
    -given.max(1e-12).ln()
}

impl Metrics {
    /// Judges (probability, came true) pairs; `None` for no pairs or a probability outside 0–1.
    #[must_use]
    pub fn of(mut predictions: Vec<(f64, bool)>) -> Option<Self> {
        let in_range = predictions.iter().all(|(p, _)| (0.0..=1.0).contains(p));
        if predictions.is_empty() || !in_range {
            return None;
        }
        predictions.sort_unstable_by(|left, right| right.0.total_cmp(&left.0));
        let rows = predictions.len() as f64;
        let mean = |value: fn(f64, bool) -> f64| {
            predictions
                .iter()
                .map(|&(p, hit)| value(p, hit))
                .sum::<f64>()
                / rows
        };
        let reliability = reliability(&predictions);
        Some(Self {
            rows: predictions.len() as u64,
            base_rate: mean(|_, hit| f64::from(u8::from(hit))),
            auc: auc(&predictions),
            average_precision: average_precision(&predictions),
            brier: mean(|p, hit| (p - f64::from(u8::from(hit))).powi(2)),
            log_loss: mean(log_loss),
            calibration_error: calibration_error(&reliability, rows),
            reliability,
        })
    }
}

/// Groups of equal probability, highest first, as (came true, did not).
fn tie_groups(descending: &[(f64, bool)]) -> impl Iterator<Item = (f64, f64)> + '_ {
    descending
        .chunk_by(|left, right| left.0 == right.0)
        .map(|group| {
            let hits = group.iter().filter(|(_, hit)| *hit).count();
            (hits as f64, (group.len() - hits) as f64)
        })
}

fn auc(descending: &[(f64, bool)]) -> Option<f64> {
    let (mut hits_above, mut misses_above, mut area) = (0.0, 0.0, 0.0);
    for (hits, misses) in tie_groups(descending) {
        area += misses * (hits_above + 0.5 * hits);
        hits_above += hits;
        misses_above += misses;
    }
    let pairs = hits_above * misses_above;
    (pairs > 0.0).then(|| area / pairs)
}

fn average_precision(descending: &[(f64, bool)]) -> Option<f64> {
    let (mut hits_above, mut above, mut sum) = (0.0, 0.0, 0.0);
    for (hits, misses) in tie_groups(descending) {
        hits_above += hits;
        above += hits + misses;
        sum += hits * hits_above / above;
    }
    (hits_above > 0.0).then(|| sum / hits_above)
}

fn reliability(predictions: &[(f64, bool)]) -> Vec<ReliabilityBin> {
    let mut sums = [(0_u64, 0.0, 0.0); 10];
    for &(p, hit) in predictions {
        let bin = &mut sums[((p * 10.0) as usize).min(9)];
        bin.0 += 1;
        bin.1 += p;
        bin.2 += f64::from(u8::from(hit));
    }
    let bin = |(index, (rows, predicted, hits)): (usize, (u64, f64, f64))| {
        let mean = |sum: f64| (rows > 0).then(|| sum / rows as f64);
        ReliabilityBin {
            from: index as f64 / 10.0,
            to: (index + 1) as f64 / 10.0,
            rows,
            mean_predicted: mean(predicted),
            observed_share: mean(hits),
        }
    };
    sums.into_iter().enumerate().map(bin).collect()
}

fn calibration_error(bins: &[ReliabilityBin], rows: f64) -> f64 {
    let error = |bin: &ReliabilityBin| {
        let distance = bin.mean_predicted? - bin.observed_share?;
        Some(distance.abs() * bin.rows as f64 / rows)
    };
    bins.iter().filter_map(error).sum()
}
