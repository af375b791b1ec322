//! Log densities, a filter and a small network.

use super::sum;
use crate::number::Elementary;

/// The log-likelihood of a Kalman filter with two states and 50 observations, by two log variances and a damping.
pub fn kalman<T: Elementary>(x: &[T]) -> T {
    let (process, noise, damping) = (x[0].exp(), x[1].exp(), x[2]);
    let constant = |value: f64| T::constant(damping, value);
    let (mut level, mut trend) = (constant(0.0), constant(0.0));
    let (mut p00, mut p01, mut p11) = (constant(1.0), constant(0.0), constant(1.0));
    sum((0..50_i32).map(|time| {
        let observed = (f64::from(time) * 0.3).sin() + 0.1 * f64::from((time * 7919) % 13);
        let (level_ahead, trend_ahead) = (level + trend, damping * trend);
        let r00 = p00 + p01 * 2.0 + p11 + process;
        let r01 = damping * (p01 + p11);
        let r11 = damping * damping * p11 + process;
        let error = level_ahead.subtract_from(observed);
        let variance = r00 + noise;
        let (gain0, gain1) = (r00 / variance, r01 / variance);
        (level, trend) = (level_ahead + gain0 * error, trend_ahead + gain1 * error);
        (p00, p01, p11) = (r00 - gain0 * r00, r01 - gain0 * r01, r11 - gain1 * r01);
        (variance.ln() + error * error / variance) * -0.5
    }))
}

pub const EFFECTS: [f64; 8] = [28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0];
pub const ERRORS: [f64; 8] = [15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0];

/// The log density of the eight schools (Rubin 1981), not centred: mean, log deviation, and eight standardised effects.
pub fn eight_schools<T: Elementary>(x: &[T]) -> T {
    let (mean, log_deviation) = (x[0], x[1]);
    let deviation = log_deviation.exp();
    let scaled = mean / 5.0;
    let cauchy = (deviation * deviation / 25.0 + 1.0).ln();
    let prior = scaled * -0.5 * scaled - cauchy + log_deviation;
    x[2..].iter().zip(&EFFECTS).zip(&ERRORS).fold(prior, |sum, ((&effect, &observed), &error)| {
        let z = (mean + deviation * effect).subtract_from(observed) / error;
        sum + effect * -0.5 * effect + z * -0.5 * z
    })
}

/// The negative log-likelihood of a logistic regression of 20 coefficients, over 50 rows.
pub fn logistic_regression<T: Elementary>(x: &[T]) -> T {
    sum((0..50_i32).map(|row| {
        let logit = sum(x.iter().zip(0_i32..).map(|(&x, column)| x * feature(row, column)));
        ((logit * sign(row)).exp() + 1.0).ln()
    }))
}

/// What a row says of a coefficient.
pub fn feature(row: i32, column: i32) -> f64 {
    f64::from((row * 31 + column * 17) % 19) / 9.0 - 1.0
}

/// A third of the rows are of the one kind.
pub fn sign(row: i32) -> f64 {
    if row % 3 == 0 { -1.0 } else { 1.0 }
}

/// The squared error of a network with ten inputs, ten hidden units (tanh) and one output, on one row.
pub fn neural_network<T: Elementary>(parameters: &[T]) -> T {
    let (hidden, last) = parameters.split_at(110);
    let mut output = last[10];
    for (unit, &weight) in hidden.chunks_exact(11).zip(last) {
        let weighted =
            unit[..10].iter().zip(0_i32..).fold(unit[10], |sum, (&w, i)| sum + w * input(i));
        output = output + weight * weighted.tanh();
    }
    let error = output - 0.7;
    error * error
}

/// An input of the network.
pub fn input(index: i32) -> f64 {
    f64::from(index) * 0.2 - 0.9
}
