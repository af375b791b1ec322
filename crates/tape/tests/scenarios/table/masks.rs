//! Masks: what a dead branch does must not be seen, whichever branch was alive while tracing.

use crate::expression::{log_sum_exp, norm, select, stop_gradient, sum};
use crate::table::{Scenario, op, row};

const INFINITY: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

#[rustfmt::skip]
pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        op("select", [1.0, 2.0, 3.0],  [-1.0, 2.0, 3.0]).is(2.0, [0.0, 1.0, 0.0]).hessian([0.0; 9]),
        op("select", [-1.0, 2.0, 3.0], [1.0, 2.0, 3.0]).is(3.0, [0.0, 0.0, 1.0]).hessian([0.0; 9]),
        op("select", [0.0, 2.0, 3.0],  [1.0, 2.0, 3.0]).is(3.0, [0.0, 0.0, 1.0]).hessian([0.0; 9]),
        op("select", [NAN, 2.0, 3.0],  [1.0, 2.0, 3.0]).is(3.0, [0.0, 0.0, 1.0]).hessian([0.0; 9]),
        op("select", [1.0, 2.0, 3.0],  [NAN, 2.0, 3.0]).is(2.0, [0.0, 1.0, 0.0]).hessian([0.0; 9]),
        op("select", [1.0, 2.0, NAN],  [-1.0, 2.0, 3.0]).is(2.0, [0.0, 1.0, 0.0]).hessian([0.0; 9]),
        op("select", [1.0, 2.0, INFINITY], [-1.0, 2.0, 3.0]).is(2.0, [0.0, 1.0, 0.0]).hessian([0.0; 9]),
        op("select", [-1.0, NAN, 3.0], [1.0, 2.0, 3.0]).is(3.0, [0.0, 0.0, 1.0]).hessian([0.0; 9]),
        row("select of two slopes", |x| select(x[0], 2.0 * x[0], -3.0 * x[0]), [-1.0], [1.0]).is(3.0, [-3.0]).hessian([0.0]),
        row("select of two slopes, on the right", |x| select(x[0], 2.0 * x[0], -3.0 * x[0]), [1.0], [-1.0]).is(2.0, [2.0]).hessian([0.0]),
        row("select of two slopes, at the kink", |x| select(x[0], 2.0 * x[0], -3.0 * x[0]), [0.0], [1.0]).is(0.0, [-3.0]).hessian([0.0]),
        row("select of two parabolas, at the kink", |x| select(x[0], x[0] * x[0], -3.0 * x[0] * x[0]), [0.0], [1.0]).is(0.0, [0.0]).hessian([-6.0]),
        row("select of two curves", |x| select(x[0] - x[1], x[0] * x[1], x[0].powi(3)), [2.0, 3.0], [3.0, 2.0]).is(8.0, [12.0, 0.0]).hessian([12.0, 0.0, 0.0, 0.0]).third([6.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
        row("masked root, alive", |x| select(x[0], x[0].sqrt(), 0.0), [4.0], [-1.0]).is(2.0, [0.25]).hessian([-0.03125]),
        row("masked root, dead", |x| select(x[0], x[0].sqrt(), 0.0), [-1.0], [1.0]).is(0.0, [0.0]).hessian([0.0]),
        row("masked root, at 0", |x| select(x[0], x[0].sqrt(), 0.0), [0.0], [1.0]).is(0.0, [0.0]).hessian([0.0]),
        row("masked root of a square, at 0", |x| select(x[0], (x[0] * x[0]).sqrt(), 0.0), [0.0], [1.0]).is(0.0, [0.0]).hessian([0.0]),
        row("masked logarithm, dead", |x| select(x[0], x[0].ln(), x[0] * x[0]), [-2.0], [1.0]).is(4.0, [-4.0]).hessian([2.0]),
        row("masked logarithm, at 0", |x| select(x[0], x[0].ln(), x[0]), [0.0], [1.0]).is(0.0, [1.0]).hessian([0.0]),
        row("masked x·ln x, at 0", |x| select(x[0], x[0] * x[0].ln(), 0.0), [0.0], [2.0]).is(0.0, [0.0]).hessian([0.0]),
        row("masked x·ln x, alive", |x| select(x[0], x[0] * x[0].ln(), 0.0), [1.0], [0.0]).is(0.0, [1.0]).hessian([1.0]),
        row("masked quotient, at 0", |x| select(x[1].abs(), x[0] / x[1], x[0]), [3.0, 0.0], [3.0, 2.0]).is(3.0, [1.0, 0.0]).hessian([0.0; 4]),
        row("masked quotient, alive", |x| select(x[1].abs(), x[0] / x[1], x[0]), [3.0, 2.0], [3.0, 0.0]).is(1.5, [0.5, -0.75]).hessian([0.0, -0.25, -0.25, 0.75]),
        row("masked sin(x)/x, at 0", |x| select(x[0].abs(), x[0].sin() / x[0], 1.0 - x[0] * x[0] / 6.0), [0.0], [1.0]).is(1.0, [0.0]).hessian([-0.3333333333333333]),
        row("masked overflow, dead", |x| select(10.0 - x[0], x[0].exp(), x[0] + 1.0), [1000.0], [1.0]).is(1001.0, [1.0]).hessian([0.0]),
        row("masked asin, dead", |x| select(1.0 - x[0].abs(), x[0].asin(), x[0]), [2.0], [0.5]).is(2.0, [1.0]).hessian([0.0]),
        row("masked power, dead", |x| select(x[0], x[0].powf(x[1]), x[1]), [-1.0, 0.5], [2.0, 0.5]).is(0.5, [0.0, 1.0]).hessian([0.0; 4]),
        row("masked norm, at the origin", |x| select(x[0].abs() + x[1].abs(), norm(x), 0.0), [0.0, 0.0], [3.0, 4.0]).is(0.0, [0.0, 0.0]).hessian([0.0; 4]),
        row("masked NaN, dead", |x| select(x[0], x[1], x[0].sqrt().ln() * x[0]), [1.0, 2.0], [-1.0, 2.0]).is(2.0, [0.0, 1.0]).hessian([0.0; 4]),
        row("mask of a mask", |x| select(x[0], select(x[1], x[0] * x[1], x[0].ln()), select(x[1], x[1].ln(), x[0] + x[1])), [-1.0, -2.0], [1.0, 2.0])
            .is(-3.0, [1.0, 1.0]).hessian([0.0; 4]),
        row("mask by a computed number", |x| select(x[0] * x[1] - 1.0, x[0].powi(2), x[1].powi(2)), [0.5, 1.5], [2.0, 3.0]).is(2.25, [0.0, 3.0]).hessian([0.0, 0.0, 0.0, 2.0]),
        row("root of relu, dead", |x| x[0].relu().sqrt(), [-1.0], [1.0]).is(0.0, [0.0]).hessian([0.0]),
        row("root of relu, alive", |x| x[0].relu().sqrt(), [4.0], [-1.0]).is(2.0, [0.25]).hessian([-0.03125]),
        row("logarithm of relu, dead", |x| x[0].relu().ln() * 0.5 + x[1], [-1.0, 2.0], [1.0, 2.0]).is(-INFINITY, [0.0, 1.0]).hessian([0.0; 4]),
        row("root of a step", |x| x[0].floor().sqrt(), [0.5], [1.5]).is(0.0, [0.0]).hessian([0.0]),
        row("root behind max, dead", |x| x[0].sqrt().max(x[1]), [0.0, 1.0], [4.0, 1.0]).is(1.0, [0.0, 1.0]).hessian([0.0; 4]),
        row("root behind min, dead", |x| x[0].sqrt().min(x[1]), [4.0, -1.0], [4.0, 3.0]).is(-1.0, [0.0, 1.0]).hessian([0.0; 4]),
        row("root behind clamp, dead", |x| x[0].sqrt().clamp(1.0, 2.0), [0.0], [2.25]).is(1.0, [0.0]).hessian([0.0]),
        row("double where, the safe way", |x| { let safe = select(x[0], x[0], 1.0); select(x[0], safe.sqrt(), 0.0) }, [-1.0], [4.0]).is(0.0, [0.0]).hessian([0.0]),
        row("0 times a number", |x| 0.0 * x[0] + x[1], [3.0, 2.0], [1.0, 1.0]).is(2.0, [0.0, 1.0]).hessian([0.0; 4]),
        row("0 times a singular derivative", |x| 0.0 * x[0].sqrt() + x[1], [0.0, 2.0], [1.0, 1.0]).is(2.0, [0.0, 1.0]).hessian([0.0; 4]),
        row("stop_gradient", |x| stop_gradient(x[0]), [3.0], [1.0]).is(3.0, [0.0]).hessian([0.0]),
        row("stop_gradient of a factor", |x| x[0] * stop_gradient(x[0] * x[0]), [3.0], [1.0]).is(27.0, [9.0]).hessian([0.0]).third([0.0]),
        row("stop_gradient of a singular number", |x| stop_gradient(x[0].sqrt()) + x[1], [0.0, 2.0], [1.0, 1.0]).is(2.0, [0.0, 1.0]).hessian([0.0; 4]),
        row("stop_gradient of a kink", |x| x[0] * stop_gradient(x[0].abs()), [-3.0], [1.0]).is(-9.0, [3.0]).hessian([0.0]),
        row("stop_gradient of a bound", |x| x[0].max(stop_gradient(x[1] * x[1])), [1.0, 2.0], [5.0, 2.0]).is(4.0, [0.0, 0.0]).hessian([0.0; 4]),
        row("stop_gradient of a component that was 0", |x| norm(&[x[0], stop_gradient(x[1])]), [3.0, 4.0], [1.0, 0.0]).is(5.0, [0.6, 0.0]).hessian([0.128, 0.0, 0.0, 0.0]),
        row("stop_gradient of a term that was -0", |x| sum(&[x[0], stop_gradient(x[1])]).powi(3), [1.0, 2.0], [1.0, -0.0]).is(27.0, [27.0, 0.0]).hessian([18.0, 0.0, 0.0, 0.0]),
        row("stop_gradient of an exponent that was -∞", |x| log_sum_exp(&[x[0], stop_gradient(x[1])]), [0.0, 0.0], [1.0, -INFINITY]).is(core::f64::consts::LN_2, [0.5, 0.0]).hessian([0.25, 0.0, 0.0, 0.0]),
        row("stop_gradient of a denominator", |x| x[0] / stop_gradient(norm(x)), [3.0, 4.0], [0.0, 1.0]).is(0.6, [0.2, 0.0]).hessian([0.0; 4]),
    ]
}
