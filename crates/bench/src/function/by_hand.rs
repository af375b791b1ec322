//! Values and gradients as a person writes them: what differentiation by a machine has to be measured against.
//!
//! Each takes the point and room for the gradient, and returns the value.

use core::f64::consts::{FRAC_1_SQRT_2, PI};

use super::dynamics::{LOTKA_VOLTERRA_STEPS, STEP};
use super::finance::{
    DENSITY_AT_0, LIBOR_DRAWS, LIBOR_PERIOD, LIBOR_RATES, P, POLYNOMIAL, strikes_at,
};
use super::statistics::{EFFECTS, ERRORS, feature, input, sign};

pub fn black_scholes(x: &[f64], gradient: &mut [f64]) -> f64 {
    greeks(x, gradient, |x| {
        // Φ = 1 − q(u)·ϕ(x) with u = 1/(1 + p·x), so Φ′ = (q′(u)·p·u² + x·q(u))·ϕ(x).
        let u = 1.0 / (1.0 + P * x);
        let (mut q, mut slope) = (0.0, 0.0);
        for a in POLYNOMIAL {
            slope = slope * u + q;
            q = q * u + a;
        }
        let density = (-0.5 * x * x).exp() * DENSITY_AT_0;
        (1.0 - q * density, (slope * P * u * u + x * q) * density)
    })
}

pub fn black_scholes_by_erf(x: &[f64], gradient: &mut [f64]) -> f64 {
    greeks(x, gradient, |x| {
        let density = (-0.5 * x * x).exp() / (2.0 * PI).sqrt();
        (0.5 * (1.0 + libm::erf(x * FRAC_1_SQRT_2)), density)
    })
}

/// The price of a call, by a normal distribution with its density.
fn greeks(x: &[f64], gradient: &mut [f64], normal: impl Fn(f64) -> (f64, f64)) -> f64 {
    let &[spot, strike, rate, volatility, time] = x else { panic!("five inputs") };
    let root = time.sqrt();
    let deviation = volatility * root;
    let d1 = ((spot / strike).ln() + (rate + 0.5 * volatility * volatility) * time) / deviation;
    let d2 = d1 - deviation;
    let discounted = strike * (-rate * time).exp();
    let ((n1, density1), (n2, density2)) = (normal(d1), normal(d2));
    // The adjoints of d₁ and d₂. Only with the exact density would they cancel.
    let (of_d1, of_d2) = (spot * density1, -discounted * density2);
    let of_both = (of_d1 + of_d2) / deviation;
    // What d₁ is divided by, and what d₂ subtracts.
    let of_deviation = -d1 * of_both - of_d2;
    gradient[0] = n1 + of_both / spot;
    gradient[1] = -(discounted * n2 + of_both) / strike;
    gradient[2] = discounted * time * n2 + of_both * time;
    gradient[3] = of_both * volatility * time + of_deviation * root;
    gradient[4] = discounted * rate * n2
        + of_both * (rate + 0.5 * volatility * volatility)
        + of_deviation * 0.5 * volatility / root;
    spot * n1 - discounted * n2
}

/// The adjoint of the Runge–Kutta method, from the last step to the first. The points of every step are kept.
pub fn lotka_volterra(x: &[f64], gradient: &mut [f64]) -> f64 {
    let &[birth, predation, growth, death, u, v] = x else { panic!("six inputs") };
    let slope = |u: f64, v: f64| (birth * u - predation * u * v, growth * u * v - death * v);
    // The four points that a step asks for slopes at, and the next start.
    let stages = |u: f64, v: f64| {
        let (a, b) = slope(u, v);
        let second = (u + 0.5 * STEP * a, v + 0.5 * STEP * b);
        let (c, d) = slope(second.0, second.1);
        let third = (u + 0.5 * STEP * c, v + 0.5 * STEP * d);
        let (e, f) = slope(third.0, third.1);
        let fourth = (u + STEP * e, v + STEP * f);
        let (g, i) = slope(fourth.0, fourth.1);
        let next = (
            u + STEP / 6.0 * (a + 2.0 * c + 2.0 * e + g),
            v + STEP / 6.0 * (b + 2.0 * d + 2.0 * f + i),
        );
        ([(u, v), second, third, fourth], next)
    };
    let mut steps = [[(0.0, 0.0); 4]; LOTKA_VOLTERRA_STEPS];
    let mut at = (u, v);
    for points in &mut steps {
        (*points, at) = stages(at.0, at.1);
    }

    let mut rates = [0.0; 4];
    // The adjoint of a slope at a point becomes the adjoint of the point.
    let mut pull = |(u, v): (f64, f64), (of_u, of_v): (f64, f64)| {
        rates[0] += of_u * u;
        rates[1] -= of_u * u * v;
        rates[2] += of_v * u * v;
        rates[3] -= of_v * v;
        (
            of_u * (birth - predation * v) + of_v * growth * v,
            of_v * (growth * u - death) - of_u * predation * u,
        )
    };
    let mut adjoint = (2.0 * at.0, 1.0);
    for points in steps.into_iter().rev() {
        let mut of_start = adjoint;
        let mut of_point = (0.0, 0.0);
        for ((point, weight), reach) in
            points.into_iter().zip([1.0, 2.0, 2.0, 1.0]).zip([0.5, 0.5, 1.0, 0.0]).rev()
        {
            // A slope counts in the mean of the step, and in the next point.
            let of_slope = (
                STEP / 6.0 * weight * adjoint.0 + reach * STEP * of_point.0,
                STEP / 6.0 * weight * adjoint.1 + reach * STEP * of_point.1,
            );
            of_point = pull(point, of_slope);
            of_start = (of_start.0 + of_point.0, of_start.1 + of_point.1);
        }
        adjoint = of_start;
    }
    gradient[..4].copy_from_slice(&rates);
    (gradient[4], gradient[5]) = adjoint;
    at.0 * at.0 + at.1
}

/// By the theorem of the implicit function: dE = (dM + sin E·de)/(1 − e·cos E).
pub fn kepler(x: &[f64], gradient: &mut [f64]) -> f64 {
    let &[mean, eccentricity] = x else { panic!("two inputs") };
    let mut anomaly = mean;
    loop {
        let (sine, cosine) = anomaly.sin_cos();
        let step = (anomaly - eccentricity * sine - mean) / (1.0 - eccentricity * cosine);
        anomaly -= step;
        if step.abs() < 1e-10 {
            break;
        }
    }
    let (sine, cosine) = anomaly.sin_cos();
    gradient[0] = cosine / (1.0 - eccentricity * cosine);
    gradient[1] = gradient[0] * sine;
    sine
}

pub fn eight_schools(x: &[f64], gradient: &mut [f64]) -> f64 {
    let (mean, log_deviation) = (x[0], x[1]);
    let deviation = log_deviation.exp();
    let square = deviation * deviation / 25.0;
    let mut sum = -0.02 * mean * mean - (1.0 + square).ln() + log_deviation;
    let (mut of_mean, mut of_deviation) = (0.0, 0.0);
    for i in 0..8 {
        let effect = x[2 + i];
        let z = (EFFECTS[i] - (mean + deviation * effect)) / ERRORS[i];
        sum -= 0.5 * (effect * effect + z * z);
        let slope = z / ERRORS[i];
        of_mean += slope;
        of_deviation += slope * effect;
        gradient[2 + i] = slope * deviation - effect;
    }
    gradient[0] = of_mean - 0.04 * mean;
    gradient[1] = of_deviation * deviation - 2.0 * square / (1.0 + square) + 1.0;
    sum
}

pub fn logistic_regression(x: &[f64], gradient: &mut [f64]) -> f64 {
    gradient.fill(0.0);
    let mut sum = 0.0;
    for row in 0..50 {
        let mut features = [0.0; 20];
        let mut logit = 0.0;
        for ((slot, &x), column) in features.iter_mut().zip(x).zip(0_i32..) {
            *slot = feature(row, column);
            logit += *slot * x;
        }
        let odds = (sign(row) * logit).exp();
        sum += (1.0 + odds).ln();
        let residual = sign(row) * odds / (1.0 + odds);
        for (slope, feature) in gradient.iter_mut().zip(features) {
            *slope += residual * feature;
        }
    }
    sum
}

/// Backpropagation.
pub fn neural_network(x: &[f64], gradient: &mut [f64]) -> f64 {
    let (hidden, last) = x.split_at(110);
    let mut outputs = [0.0; 10];
    let mut sum = last[10];
    for ((unit, &weight), output) in hidden.chunks_exact(11).zip(last).zip(&mut outputs) {
        let weighted =
            unit[..10].iter().zip(0_i32..).fold(unit[10], |sum, (&w, i)| sum + w * input(i));
        *output = weighted.tanh();
        sum += weight * *output;
    }
    let error = sum - 0.7;
    let (of_hidden, of_last) = gradient.split_at_mut(110);
    for (index, unit) in of_hidden.chunks_exact_mut(11).enumerate() {
        of_last[index] = 2.0 * error * outputs[index];
        let slope = 2.0 * error * last[index] * (1.0 - outputs[index] * outputs[index]);
        for (w, i) in unit[..10].iter_mut().zip(0_i32..) {
            *w = slope * input(i);
        }
        unit[10] = slope;
    }
    of_last[10] = 2.0 * error;
    error * error
}

pub fn rosenbrock(x: &[f64], gradient: &mut [f64]) -> f64 {
    let (mut sum, mut before) = (0.0, 0.0);
    for (pair, slot) in x.windows(2).zip(gradient.iter_mut()) {
        let (valley, slope) = (pair[1] - pair[0] * pair[0], 1.0 - pair[0]);
        sum += 100.0 * valley * valley + slope * slope;
        *slot = before - 400.0 * valley * pair[0] - 2.0 * slope;
        before = 200.0 * valley;
    }
    gradient[x.len() - 1] = before;
    sum
}

/// The adjoint of Giles and Glasserman: a path is kept, and walked back, from the last rate to the first in each step.
pub fn libor_swaptions(x: &[f64], gradient: &mut [f64]) -> f64 {
    const STEPS: usize = 40;
    let (start, volatilities) = x.split_at(LIBOR_RATES);
    let draws = &LIBOR_DRAWS[..STEPS];
    // The rates before each step, and after the last; the drifts of each step.
    let mut rates = vec![[0.0; LIBOR_RATES]; STEPS + 1];
    let mut drifts = vec![[0.0; LIBOR_RATES]; STEPS];
    rates[0].copy_from_slice(start);
    for step in 0..STEPS {
        let shock = LIBOR_PERIOD.sqrt() * draws[step];
        let now = rates[step];
        let next = &mut rates[step + 1];
        *next = now;
        let mut drift = 0.0;
        for i in step + 1..LIBOR_RATES {
            let volatility = volatilities[i - step - 1];
            let scaled = LIBOR_PERIOD * volatility;
            drift += scaled * now[i] / (1.0 + LIBOR_PERIOD * now[i]);
            drifts[step][i] = drift;
            next[i] = now[i] * (scaled * drift + volatility * (shock - 0.5 * scaled)).exp();
        }
    }

    let last = &rates[STEPS];
    let (mut bonds, mut of_bonds) = ([0.0; STEPS], [0.0; STEPS]);
    let (mut bond, mut annuity, mut paid) = (1.0, 0.0, 0.0);
    // What each annuity's adjoint adds to that of the bonds up to it.
    let mut of_annuities = [0.0; STEPS];
    for (i, &rate) in last[STEPS..].iter().enumerate() {
        bond /= 1.0 + LIBOR_PERIOD * rate;
        annuity += LIBOR_PERIOD * bond;
        bonds[i] = bond;
        for strike in strikes_at(i + 1) {
            let swap = 1.0 - bond - strike * annuity;
            if swap > 0.0 {
                paid += 100.0 * swap;
                of_bonds[i] -= 100.0;
                of_annuities[i] -= 100.0 * strike * LIBOR_PERIOD;
            }
        }
    }
    let discount = last[..STEPS].iter().fold(1.0, |product, l| product / (1.0 + LIBOR_PERIOD * l));

    let mut adjoints = [0.0; LIBOR_RATES];
    let (mut of_later, mut of_annuity) = (0.0, 0.0);
    for i in (0..STEPS).rev() {
        of_annuity += of_annuities[i];
        of_later += (of_bonds[i] + of_annuity) * bonds[i];
        let rate = last[STEPS + i];
        adjoints[STEPS + i] = -discount * of_later * LIBOR_PERIOD / (1.0 + LIBOR_PERIOD * rate);
        adjoints[i] = -discount * paid * LIBOR_PERIOD / (1.0 + LIBOR_PERIOD * last[i]);
    }
    let (of_rates, of_volatilities) = gradient.split_at_mut(LIBOR_RATES);
    of_volatilities.fill(0.0);
    for step in (0..STEPS).rev() {
        let shock = LIBOR_PERIOD.sqrt() * draws[step];
        let (now, next) = (&rates[step], &rates[step + 1]);
        let mut of_drift = 0.0;
        for i in (step + 1..LIBOR_RATES).rev() {
            let volatility = volatilities[i - step - 1];
            let scaled = LIBOR_PERIOD * volatility;
            let of_exponent = adjoints[i] * next[i];
            of_drift += of_exponent * scaled;
            let growth = 1.0 / (1.0 + LIBOR_PERIOD * now[i]);
            of_volatilities[i - step - 1] += of_exponent
                * (LIBOR_PERIOD * drifts[step][i] + shock - scaled)
                + of_drift * LIBOR_PERIOD * now[i] * growth;
            adjoints[i] = of_exponent / now[i] + of_drift * scaled * growth * growth;
        }
    }
    of_rates.copy_from_slice(&adjoints);
    paid * discount
}
