//! A small quasi-Newton minimiser: BFGS with a numeric gradient and a backtracking line search.
//!
//! For a handful of parameters and a smooth objective. The result is never worse than the start.

/// Half the width of the central differences.
const STEP: f64 = 1e-4;
/// The search ends when the gradient is this small, …
const SMALL_GRADIENT: f64 = 1e-6;
/// … or an iteration gains no more than this.
const SMALL_GAIN: f64 = 1e-10;

type Point<const N: usize> = [f64; N];

/// Minimises `objective` from `start`; `on_iteration` may end the search with an error.
pub(crate) fn minimise<const N: usize, E>(
    mut objective: impl FnMut(&Point<N>) -> f64,
    start: Point<N>,
    max_iterations: u64,
    mut on_iteration: impl FnMut(u64) -> Result<(), E>,
) -> Result<Point<N>, E> {
    let mut point = start;
    let mut value = objective(&point);
    let mut slope = gradient(&mut objective, &point);
    let mut inverse = identity();
    for iteration in 0..max_iterations {
        on_iteration(iteration)?;
        if dot(&slope, &slope).sqrt() < SMALL_GRADIENT {
            break;
        }
        let direction = descent(&mut inverse, &slope);
        let Some((next, next_value)) =
            line_search(&mut objective, &point, value, &slope, &direction)
        else {
            break;
        };
        let next_slope = gradient(&mut objective, &next);
        update(
            &mut inverse,
            &difference(&next, &point),
            &difference(&next_slope, &slope),
        );
        let gain = value - next_value;
        (point, value, slope) = (next, next_value, next_slope);
        if gain < SMALL_GAIN {
            break;
        }
    }
    Ok(point)
}

fn gradient<const N: usize>(
    objective: &mut impl FnMut(&Point<N>) -> f64,
    point: &Point<N>,
) -> Point<N> {
    std::array::from_fn(|i| {
        let mut probe = *point;
        probe[i] = point[i] + STEP;
        let above = objective(&probe);
        probe[i] = point[i] - STEP;
        (above - objective(&probe)) / (2.0 * STEP)
    })
}

/// The quasi-Newton direction, or steepest descent where curvature misled it.
fn descent<const N: usize>(inverse: &mut [Point<N>; N], slope: &Point<N>) -> Point<N> {
    let direction: Point<N> = std::array::from_fn(|i| -dot(&inverse[i], slope));
    if dot(&direction, slope) < 0.0 {
        return direction;
    }
    *inverse = identity();
    slope.map(|component| -component)
}

/// Halves the step until the objective falls enough (Armijo); a NaN never counts as a fall.
fn line_search<const N: usize>(
    objective: &mut impl FnMut(&Point<N>) -> f64,
    point: &Point<N>,
    value: f64,
    slope: &Point<N>,
    direction: &Point<N>,
) -> Option<(Point<N>, f64)> {
    let length = dot(direction, direction).sqrt();
    let mut scale = (2.0 / length).min(1.0);
    for _ in 0..40 {
        let next: Point<N> = std::array::from_fn(|i| point[i] + scale * direction[i]);
        let next_value = objective(&next);
        if next_value <= value + 1e-4 * scale * dot(direction, slope) {
            return Some((next, next_value));
        }
        scale *= 0.5;
    }
    None
}

/// The BFGS update of the inverse Hessian; skipped where the curvature is not positive.
fn update<const N: usize>(inverse: &mut [Point<N>; N], step: &Point<N>, change: &Point<N>) {
    let curvature = dot(step, change);
    if curvature <= 1e-12 {
        return;
    }
    let moved: Point<N> = std::array::from_fn(|i| dot(&inverse[i], change));
    let stretch = 1.0 + dot(change, &moved) / curvature;
    for i in 0..N {
        for j in 0..N {
            inverse[i][j] += stretch * step[i] * step[j] / curvature
                - (moved[i] * step[j] + step[i] * moved[j]) / curvature;
        }
    }
}

fn identity<const N: usize>() -> [Point<N>; N] {
    std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))))
}

fn dot<const N: usize>(left: &Point<N>, right: &Point<N>) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

fn difference<const N: usize>(left: &Point<N>, right: &Point<N>) -> Point<N> {
    std::array::from_fn(|i| left[i] - right[i])
}

#[cfg(test)]
mod tests {
    use super::minimise;

    #[test]
    fn finds_the_floor_of_a_curved_valley() {
        let valley = |p: &[f64; 2]| (1.0 - p[0]).powi(2) + 100.0 * (p[1] - p[0] * p[0]).powi(2);
        let found = minimise(valley, [-1.2, 1.0], 200, |_| Ok::<(), ()>(())).unwrap();
        assert!(
            (found[0] - 1.0).abs() < 1e-3 && (found[1] - 1.0).abs() < 1e-3,
            "{found:?}"
        );
    }

    #[test]
    fn stays_at_the_start_where_the_objective_is_not_a_number() {
        let found = minimise(
            |_: &[f64; 2]| f64::NAN,
            [3.0, 4.0],
            10,
            |_| Ok::<(), ()>(()),
        );
        assert_eq!(found, Ok([3.0, 4.0]));
    }

    #[test]
    fn ends_when_the_callback_says_so() {
        let found = minimise(|p: &[f64; 1]| p[0] * p[0], [3.0], 10, |_| Err("enough"));
        assert_eq!(found, Err("enough"));
    }
}
