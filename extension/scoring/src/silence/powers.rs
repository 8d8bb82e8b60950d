//! (days − ½)^c, which the model asks for again and again: the middle of the day on which a gap ended.

use std::sync::LazyLock;

/// A year and the longest horizons: what is asked for nearly always.
const TABULATED: usize = 512;

/// ln(days − ½), from one day on.
static LOGARITHMS: LazyLock<[f64; TABULATED]> =
    LazyLock::new(|| std::array::from_fn(|days| (days.max(1) as f64 - 0.5).ln()));

/// (days − ½)^shape of whole days, one or more; the same for the same days, always.
#[inline]
pub(super) fn middle_power(days: i64, shape: f64) -> f64 {
    let logarithm = usize::try_from(days)
        .ok()
        .and_then(|days| LOGARITHMS.get(days));
    logarithm.map_or_else(
        || (days as f64 - 0.5).powf(shape),
        |logarithm| (shape * logarithm).exp(),
    )
}
