//! Mechanics and differential equations.

use super::sum;
use crate::number::Elementary;

/// The squared distance of a robot arm's hand from a target, by its joints' angles.
pub fn arm<T: Elementary>(angles: &[T]) -> T {
    let mut hand = [0.0, 0.0, 0.1].map(|coordinate| T::constant(angles[0], coordinate));
    for (joint, &angle) in angles.iter().enumerate().rev() {
        let (sine, cosine) = (angle.sin(), angle.cos());
        let length = 0.3 + 0.01 * joint as f64;
        let [x, y, z] = hand;
        hand = if joint % 2 == 0 {
            [cosine * x - sine * y, sine * x + cosine * y, z + length]
        } else {
            [cosine * x + sine * z, y, cosine * z - sine * x + length]
        };
    }
    let target = [0.5, 0.2, 0.9];
    sum(hand.iter().zip(target).map(|(&x, t)| (x - t) * (x - t)))
}

/// Prey and predators after 100 steps of the classical Runge–Kutta method, by four rates and two starts.
pub fn lotka_volterra<T: Elementary>(x: &[T]) -> T {
    let slope = |u: T, v: T| (x[0] * u - x[1] * u * v, x[2] * u * v - x[3] * v);
    let mut at = (x[4], x[5]);
    for _ in 0..LOTKA_VOLTERRA_STEPS {
        let (u, v) = at;
        let (a, b) = slope(u, v);
        let (c, d) = slope(u + a * (0.5 * STEP), v + b * (0.5 * STEP));
        let (e, f) = slope(u + c * (0.5 * STEP), v + d * (0.5 * STEP));
        let (g, i) = slope(u + e * STEP, v + f * STEP);
        at = (
            u + (a + c * 2.0 + e * 2.0 + g) * (STEP / 6.0),
            v + (b + d * 2.0 + f * 2.0 + i) * (STEP / 6.0),
        );
    }
    at.0 * at.0 + at.1
}

pub const LOTKA_VOLTERRA_STEPS: usize = 100;
/// The length of a step.
pub const STEP: f64 = 0.05;

/// Ten steps of the implicit Euler method for five coupled, damped oscillators, one Newton iteration each: a 5 × 5 system,
/// eliminated without pivoting.
pub fn implicit_euler<T: Elementary>(start: &[T]) -> T {
    const N: usize = 5;
    const H: f64 = 0.1;
    let constant = |value: f64| T::constant(start[0], value);
    let mut u: [T; N] = core::array::from_fn(|i| start[i]);
    for _ in 0..10 {
        // f(u)ᵢ = uᵢ₋₁ − 2uᵢ + uᵢ₊₁ − uᵢ³; the matrix is 1 − h·f′(u).
        let at = |i: usize| u[i % N];
        let f: [T; N] = core::array::from_fn(|i| {
            at(i + N - 1) - at(i) * 2.0 + at(i + 1) - at(i) * at(i) * at(i)
        });
        let mut a: [[T; N]; N] = core::array::from_fn(|i| {
            core::array::from_fn(|j| {
                if i == j {
                    (at(i) * 3.0 * at(i) + 2.0) * H + 1.0
                } else if (i + 1) % N == j || (j + 1) % N == i {
                    constant(-H)
                } else {
                    constant(0.0)
                }
            })
        });
        let mut b = f.map(|f| f * H);
        for k in 0..N {
            for i in k + 1..N {
                let factor = a[i][k] / a[k][k];
                let pivot = a[k];
                for (below, above) in a[i][k + 1..].iter_mut().zip(&pivot[k + 1..]) {
                    *below = *below - factor * *above;
                }
                b[i] = b[i] - factor * b[k];
            }
        }
        for k in (0..N).rev() {
            let known = (k + 1..N).fold(b[k], |sum, j| sum - a[k][j] * b[j]);
            b[k] = known / a[k][k];
        }
        u = core::array::from_fn(|i| u[i] + b[i]);
    }
    sum(u.iter().map(|&u| u * u))
}

/// sin E for Kepler's equation E − e·sin E = M, by Newton's method until a step is small.
pub fn kepler<T: Elementary>(x: &[T]) -> T {
    let (mean, eccentricity) = (x[0], x[1]);
    let mut anomaly = mean;
    loop {
        let residual = anomaly - eccentricity * anomaly.sin() - mean;
        let step = residual / (eccentricity * anomaly.cos()).subtract_from(1.0);
        anomaly = anomaly - step;
        if step.is_within(1e-10) {
            return anomaly.sin();
        }
    }
}

/// Rosenbrock's function, chained.
pub fn rosenbrock<T: Elementary>(x: &[T]) -> T {
    x.windows(2).fold(T::constant(x[0], 0.0), |sum, pair| {
        let (valley, slope) = (pair[1] - pair[0] * pair[0], pair[0].subtract_from(1.0));
        sum + valley * 100.0 * valley + slope * slope
    })
}
