//! The weighted sum that makes an overall score, in exact integer arithmetic.

use crate::number::clamp_score;

/// The five components of a model: their names and weights.
pub(crate) type Weights = [(&'static str, i64); 5];

/// round(Σ w·c / Σ w), halves up, 0 to 100.
pub(crate) fn overall(weights: &Weights, scores: &[i32; 5]) -> i32 {
    let usable = usable(weights);
    let total: i128 = usable.iter().sum();
    let sum: i128 = usable
        .iter()
        .zip(scores)
        .map(|(w, score)| w * i128::from(*score))
        .sum();
    clamp_score((2 * sum + total).div_euclid(2 * total) as i64)
}

/// The part of the overall score that each component decides; they sum to 1.
pub(crate) fn shares(weights: &Weights) -> [f64; 5] {
    let usable = usable(weights);
    let total: i128 = usable.iter().sum();
    usable.map(|weight| weight as f64 / total as f64)
}

/// Weights that can be divided by. Those that `Config::validate` refuses still give a score:
/// a negative one counts as zero, and if none is left all count alike.
fn usable(weights: &Weights) -> [i128; 5] {
    let clamped = weights.map(|(_, weight)| i128::from(weight.max(0)));
    if clamped == [0; 5] { [1; 5] } else { clamped }
}
