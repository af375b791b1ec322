//! Mechanics and differential equations.

use num_traits::Float;

use super::constant as c;

/// The squared distance of a robot arm's hand from a target, by its joints' angles.
pub fn arm<T: Float>(angles: &[T]) -> T {
    let mut hand: [T; 3] = [c(0.0), c(0.0), c(0.1)];
    for (joint, &angle) in angles.iter().enumerate().rev() {
        let (sine, cosine) = (angle.sin(), angle.cos());
        let length: T = c(0.3 + 0.01 * joint as f64);
        let [x, y, z] = hand;
        hand = if joint % 2 == 0 {
            [cosine * x - sine * y, sine * x + cosine * y, z + length]
        } else {
            [cosine * x + sine * z, y, cosine * z - sine * x + length]
        };
    }
    let target = [0.5, 0.2, 0.9].map(c::<T>);
    hand.iter().zip(target).fold(c(0.0), |sum, (&x, t)| sum + (x - t) * (x - t))
}

/// Prey and predators after 100 steps of the classical Runge–Kutta method, by four rates and two starts.
pub fn lotka_volterra<T: Float>(x: &[T]) -> T {
    let slope = |u: T, v: T| (x[0] * u - x[1] * u * v, x[2] * u * v - x[3] * v);
    let (h, half, two, sixth) = (c::<T>(0.05), c::<T>(0.5), c::<T>(2.0), c::<T>(1.0 / 6.0));
    let (mut u, mut v) = (x[4], x[5]);
    for _ in 0..100 {
        let (a, b) = slope(u, v);
        let (c, d) = slope(u + h * half * a, v + h * half * b);
        let (e, f) = slope(u + h * half * c, v + h * half * d);
        let (g, i) = slope(u + h * e, v + h * f);
        u = u + h * sixth * (a + two * c + two * e + g);
        v = v + h * sixth * (b + two * d + two * f + i);
    }
    u * u + v
}

/// Ten steps of the implicit Euler method for five coupled, damped oscillators, one Newton iteration each: a 5 × 5 system,
/// eliminated without pivoting.
pub fn implicit_euler<T: Float>(start: &[T]) -> T {
    const N: usize = 5;
    let h: T = c(0.1);
    let mut u: [T; N] = core::array::from_fn(|i| start[i]);
    for _ in 0..10 {
        // f(u)ᵢ = uᵢ₋₁ − 2uᵢ + uᵢ₊₁ − uᵢ³; the matrix is 1 − h·f′(u).
        let at = |i: usize| u[i % N];
        let f: [T; N] = core::array::from_fn(|i| {
            at(i + N - 1) - c::<T>(2.0) * at(i) + at(i + 1) - at(i) * at(i) * at(i)
        });
        let mut a: [[T; N]; N] = core::array::from_fn(|i| {
            core::array::from_fn(|j| {
                if i == j {
                    c::<T>(1.0) + h * (c::<T>(2.0) + c::<T>(3.0) * at(i) * at(i))
                } else if (i + 1) % N == j || (j + 1) % N == i {
                    -h
                } else {
                    c(0.0)
                }
            })
        });
        let mut b = f.map(|f| h * f);
        for k in 0..N {
            for i in k + 1..N {
                let factor = a[i][k] / a[k][k];
                for j in k + 1..N {
                    a[i][j] = a[i][j] - factor * a[k][j];
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
    u.iter().fold(c(0.0), |sum, &u| sum + u * u)
}

/// sin E for Kepler's equation E − e·sin E = M, by Newton's method until a step is small.
pub fn kepler<T: Float>(x: &[T]) -> T {
    let (mean, eccentricity) = (x[0], x[1]);
    let mut anomaly = mean;
    loop {
        let residual = anomaly - eccentricity * anomaly.sin() - mean;
        let step = residual / (c::<T>(1.0) - eccentricity * anomaly.cos());
        anomaly = anomaly - step;
        if step.abs() < c(1e-10) {
            return anomaly.sin();
        }
    }
}

/// Rosenbrock's function, chained.
pub fn rosenbrock<T: Float>(x: &[T]) -> T {
    x.windows(2).fold(c(0.0), |sum, pair| {
        let (valley, slope) = (pair[1] - pair[0] * pair[0], c::<T>(1.0) - pair[0]);
        sum + c::<T>(100.0) * valley * valley + slope * slope
    })
}
