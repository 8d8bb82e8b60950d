//! Rounding, comparing and averaging as every formula of the model does it.
//!
//! Stored sentiments and hours are decimals. In binary 0.4 − 0.3 is a little more than 0.1, and a
//! score must not hinge on that: differences below a billionth are none.

const TOLERANCE: f64 = 1e-9;

/// Rounds to the nearest whole number, halves up. Saturates; NaN gives 0.
pub(crate) fn round_half_up(value: f64) -> i64 {
    (value + 0.5 + TOLERANCE).floor() as i64
}

/// Whether `value` lies above `limit` by more than rounding noise.
pub(crate) fn above(value: f64, limit: f64) -> bool {
    value - limit > TOLERANCE
}

/// Whether `value` lies below `limit` by more than rounding noise.
pub(crate) fn below(value: f64, limit: f64) -> bool {
    limit - value > TOLERANCE
}

/// The mean of the values; `None` of none, or where it is beyond what a number holds.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), v| (sum + v, count + 1));
    (count > 0)
        .then(|| sum / f64::from(count))
        .filter(|mean| mean.is_finite())
}

/// A duration in hours or days; negative and non-finite values are missing.
pub(crate) fn duration(value: Option<f64>) -> Option<f64> {
    value.filter(|v| v.is_finite() && *v >= 0.0)
}

/// A habit to compare with: a duration that is not zero.
pub(crate) fn baseline(value: Option<f64>) -> Option<f64> {
    duration(value).filter(|v| *v > 0.0)
}

/// A sentiment within −1 to 1; non-finite values are missing.
pub(crate) fn sentiment(value: Option<f64>) -> Option<f64> {
    value.filter(|v| v.is_finite()).map(|v| v.clamp(-1.0, 1.0))
}

/// 100 · part / whole, halves up; `None` of nothing. Both are counts, `part` at most `whole`.
pub(crate) fn percent(part: i64, whole: i64) -> Option<i64> {
    (whole > 0).then(|| (200 * part + whole).div_euclid(2 * whole))
}

/// Points clamped to the range of a score, 0 to 100.
pub(crate) fn clamp_score(points: i64) -> i32 {
    points.clamp(0, 100) as i32
}

/// The points of the first step that `value` reaches; steps descend.
pub(crate) fn at_least(value: i64, steps: &[(i64, i64)], otherwise: i64) -> i64 {
    steps
        .iter()
        .find(|(least, _)| value >= *least)
        .map_or(otherwise, |(_, points)| *points)
}

/// The points of the first step that `value` does not exceed; steps ascend.
pub(crate) fn at_most(value: i64, steps: &[(i64, i64)], otherwise: i64) -> i64 {
    steps
        .iter()
        .find(|(most, _)| value <= *most)
        .map_or(otherwise, |(_, points)| *points)
}

/// [`at_most`] for measured values.
pub(crate) fn at_most_measured(value: f64, steps: &[(f64, i64)], otherwise: i64) -> i64 {
    steps
        .iter()
        .find(|(most, _)| !above(value, *most))
        .map_or(otherwise, |(_, points)| *points)
}

/// [`at_least`] for measured values.
pub(crate) fn at_least_measured(value: f64, steps: &[(f64, i64)], otherwise: i64) -> i64 {
    steps
        .iter()
        .find(|(least, _)| !below(value, *least))
        .map_or(otherwise, |(_, points)| *points)
}
