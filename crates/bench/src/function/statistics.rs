//! Log densities, a filter and a small network.

use num_traits::Float;

use super::constant as c;

/// The log-likelihood of a Kalman filter with two states and 50 observations, by two log variances and a damping.
pub fn kalman<T: Float>(x: &[T]) -> T {
    let (process, noise, damping) = (x[0].exp(), x[1].exp(), x[2]);
    let (mut level, mut trend): (T, T) = (c(0.0), c(0.0));
    let (mut p00, mut p01, mut p11): (T, T, T) = (c(1.0), c(0.0), c(1.0));
    let mut sum: T = c(0.0);
    for time in 0..50_i32 {
        let observed = (f64::from(time) * 0.3).sin() + 0.1 * f64::from((time * 7919) % 13);
        let (level_ahead, trend_ahead) = (level + trend, damping * trend);
        let r00 = p00 + c::<T>(2.0) * p01 + p11 + process;
        let r01 = damping * (p01 + p11);
        let r11 = damping * damping * p11 + process;
        let error = c::<T>(observed) - level_ahead;
        let variance = r00 + noise;
        let (gain0, gain1) = (r00 / variance, r01 / variance);
        (level, trend) = (level_ahead + gain0 * error, trend_ahead + gain1 * error);
        (p00, p01, p11) = (r00 - gain0 * r00, r01 - gain0 * r01, r11 - gain1 * r01);
        sum = sum - c::<T>(0.5) * (variance.ln() + error * error / variance);
    }
    sum
}

/// The log density of the eight schools (Rubin 1981), not centred: mean, log deviation, and eight standardised effects.
pub fn eight_schools<T: Float>(x: &[T]) -> T {
    const EFFECTS: [f64; 8] = [28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0];
    const ERRORS: [f64; 8] = [15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0];
    let (mean, log_deviation) = (x[0], x[1]);
    let deviation = log_deviation.exp();
    let half: T = c(-0.5);
    let scaled = mean / c(5.0);
    let cauchy = (c::<T>(1.0) + deviation * deviation / c(25.0)).ln();
    let mut sum = half * scaled * scaled - cauchy + log_deviation;
    for ((&effect, &observed), &error) in x[2..].iter().zip(&EFFECTS).zip(&ERRORS) {
        let z = (c::<T>(observed) - (mean + deviation * effect)) / c(error);
        sum = sum + half * effect * effect + half * z * z;
    }
    sum
}

/// The negative log-likelihood of a logistic regression of 20 coefficients, over 50 rows.
pub fn logistic_regression<T: Float>(x: &[T]) -> T {
    (0..50_i32).fold(c(0.0), |sum, row| {
        let logit = x.iter().zip(0_i32..).fold(c::<T>(0.0), |sum, (&x, column)| {
            sum + c::<T>(f64::from((row * 31 + column * 17) % 19) / 9.0 - 1.0) * x
        });
        let sign = if row % 3 == 0 { -1.0 } else { 1.0 };
        sum + (c::<T>(1.0) + (c::<T>(sign) * logit).exp()).ln()
    })
}

/// The squared error of a network with ten inputs, ten hidden units (tanh) and one output, on one row.
pub fn neural_network<T: Float>(parameters: &[T]) -> T {
    let (hidden, last) = parameters.split_at(110);
    let mut output = last[10];
    for (unit, &weight) in hidden.chunks_exact(11).zip(last) {
        let weighted = unit[..10]
            .iter()
            .zip(0_i32..)
            .fold(unit[10], |sum, (&w, input)| sum + w * c(f64::from(input) * 0.2 - 0.9));
        output = output + weight * weighted.tanh();
    }
    let error = output - c(0.7);
    error * error
}
