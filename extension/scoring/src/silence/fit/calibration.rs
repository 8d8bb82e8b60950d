//! Stage 2: the five coefficients, by Newton's method under a Gaussian prior at the defaults.

use super::features::Features;
use super::{Cancelled, HORIZONS_DAYS, OnProgress, Stage, report_progress};
use crate::silence::Constants;
use crate::silence::metrics::log_loss;
use crate::silence::model::weigh;
use crate::silence::renewal::logistic;

const MAX_ITERATIONS: u64 = 25;
/// The prior's precision; the intercept, which carries a deployment's base rate, is freer.
const PRECISION: [f64; 5] = [1.0, 10.0, 10.0, 10.0, 10.0];
/// Each row counts once, whatever the number of horizons it is seen at.
const WEIGHT: f64 = 1.0 / HORIZONS_DAYS.len() as f64;
const SMALL_STEP: f64 = 1e-9;
/// β1 and β2 hold the invariants: more silence, more risk.
const NOT_NEGATIVE: [usize; 2] = [1, 2];

type Vector = [f64; 5];
type Matrix = [Vector; 5];

/// The most probable coefficients with β1, β2 ≥ 0.
///
/// Where the free optimum has one of them below 0, it is held at 0 and the others learned anew.
pub(super) fn learn(features: &Features, progress: OnProgress<'_>) -> Result<Vector, Cancelled> {
    let mut held = [false; 5];
    loop {
        let mut start = Constants::default().beta;
        for index in NOT_NEGATIVE {
            start[index] = if held[index] { 0.0 } else { start[index] };
        }
        let beta = newton(features, start, &held, progress)?;
        match NOT_NEGATIVE.into_iter().find(|&index| beta[index] < 0.0) {
            Some(index) => held[index] = true,
            None => return Ok(beta),
        }
    }
}

fn newton(
    features: &Features,
    start: Vector,
    held: &[bool; 5],
    progress: OnProgress<'_>,
) -> Result<Vector, Cancelled> {
    let mut beta = start;
    let mut value = loss(features, &beta);
    for iteration in 0..MAX_ITERATIONS {
        report_progress(progress, Stage::Calibration, iteration, MAX_ITERATIONS)?;
        let Some(step) = newton_step(features, &beta, held) else {
            break;
        };
        let Some((next, next_value)) = damped(features, &beta, value, &step) else {
            break;
        };
        (beta, value) = (next, next_value);
        if step.iter().all(|component| component.abs() < SMALL_STEP) {
            break;
        }
    }
    Ok(beta)
}

/// The step, halved until the loss no longer rises.
fn damped(features: &Features, beta: &Vector, value: f64, step: &Vector) -> Option<(Vector, f64)> {
    let mut scale = 1.0;
    for _ in 0..20 {
        let next: Vector = std::array::from_fn(|i| beta[i] - scale * step[i]);
        let next_value = loss(features, &next);
        if next_value <= value {
            return Some((next, next_value));
        }
        scale *= 0.5;
    }
    None
}

/// Minus the log of the posterior, up to a constant.
fn loss(features: &Features, beta: &Vector) -> f64 {
    let mut sum = 0.0;
    for row in &features.0 {
        for horizon in 0..HORIZONS_DAYS.len() {
            let predicted = logistic(weigh(&row.terms(horizon), beta));
            sum += WEIGHT * log_loss(predicted, row.silent(horizon));
        }
    }
    let prior = Constants::default().beta;
    let distance = |i: usize| 0.5 * PRECISION[i] * (beta[i] - prior[i]).powi(2);
    sum + (0..5).map(distance).sum::<f64>()
}

/// Hessian⁻¹ · gradient over the coefficients that are not held.
fn newton_step(features: &Features, beta: &Vector, held: &[bool; 5]) -> Option<Vector> {
    let (mut gradient, mut hessian) = prior_terms(beta);
    for row in &features.0 {
        for horizon in 0..HORIZONS_DAYS.len() {
            let terms = row.terms(horizon);
            let predicted = logistic(weigh(&terms, beta));
            let error = WEIGHT * (predicted - f64::from(u8::from(row.silent(horizon))));
            let spread = WEIGHT * predicted * (1.0 - predicted);
            for i in 0..5 {
                gradient[i] += error * terms[i];
                for j in 0..=i {
                    hessian[i][j] += spread * terms[i] * terms[j];
                }
            }
        }
    }
    for index in (0..5).filter(|&index| held[index]) {
        hold(&mut gradient, &mut hessian, index);
    }
    solve(&hessian, &gradient)
}

fn prior_terms(beta: &Vector) -> (Vector, Matrix) {
    let prior = Constants::default().beta;
    let gradient = std::array::from_fn(|i| PRECISION[i] * (beta[i] - prior[i]));
    let diagonal = |i: usize, j: usize| if i == j { PRECISION[i] } else { 0.0 };
    (
        gradient,
        std::array::from_fn(|i| std::array::from_fn(|j| diagonal(i, j))),
    )
}

/// Takes one coefficient out of the equations: its step becomes 0.
fn hold(gradient: &mut Vector, hessian: &mut Matrix, index: usize) {
    gradient[index] = 0.0;
    hessian[index] = Vector::default();
    for row in hessian.iter_mut() {
        row[index] = 0.0;
    }
    hessian[index][index] = 1.0;
}

/// Solves a symmetric positive definite system by Cholesky; only the lower half is read.
fn solve(matrix: &Matrix, right: &Vector) -> Option<Vector> {
    let mut lower = Matrix::default();
    for i in 0..5 {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
            let rest = matrix[i][j] - known;
            if i == j && !(rest > 0.0 && rest.is_finite()) {
                return None;
            }
            lower[i][j] = if i == j {
                rest.sqrt()
            } else {
                rest / lower[j][j]
            };
        }
    }
    let mut half = Vector::default();
    for i in 0..5 {
        let known: f64 = (0..i).map(|k| lower[i][k] * half[k]).sum();
        half[i] = (right[i] - known) / lower[i][i];
    }
    let mut solution = Vector::default();
    for i in (0..5).rev() {
        let known: f64 = (i + 1..5).map(|k| lower[k][i] * solution[k]).sum();
        solution[i] = (half[i] - known) / lower[i][i];
    }
    Some(solution)
}
