//! Operations on slices, and sums over items.

use crate::expression::{dot, log_sum_exp, norm, sum, weighted_sum};
use crate::function::{c, function};
use crate::table::{Scenario, generic, row};

const INFINITY: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

#[rustfmt::skip]
pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        row("sum of three", |x| sum(x), [1.0, 2.0, 3.0], [0.0; 3]).is(6.0, [1.0; 3]).hessian([0.0; 9]),
        row("sum of one", |x| sum(x), [2.0], [0.0]).is(2.0, [1.0]).hessian([0.0]),
        row("sum of nothing", |x| x[0] + sum(&[]), [2.0], [0.0]).is(2.0, [1.0]).hessian([0.0]),
        row("sum of a repeated term", |x| sum(&[x[0], x[0], x[0] * x[0]]), [3.0], [1.0]).is(15.0, [8.0]).hessian([2.0]),
        row("sum with constants", |x| sum(&[x[0], 2.0.into(), x[1], 3.0.into()]), [1.0, 2.0], [0.0; 2]).is(8.0, [1.0; 2]).hessian([0.0; 4]),
        row("sum of products", |x| sum(&[x[0] * x[1], x[1] * x[2], x[0].sin()]), [0.5, 2.0, 3.0], [0.0; 3]).figures(),
        row("sum with an infinite term", |x| sum(x), [1.0, INFINITY], [0.0; 2]).is(INFINITY, [1.0; 2]).hessian([0.0; 4]),
        row("weighted_sum of three", |x| weighted_sum(&[0.5, -1.0, 0.0], x), [1.0, 2.0, 3.0], [0.0; 3]).is(-1.5, [0.5, -1.0, 0.0]).hessian([0.0; 9]),
        row("weighted_sum of curved terms", |x| weighted_sum(&[0.5, -3.0, 0.25], &[x[0].exp(), x[1].sin(), x[0] * x[1]]), [0.5, 2.0], [0.0; 2]).figures(),
        row("weighted_sum with a weight of 0 on a singular term", |x| weighted_sum(&[0.0, 1.0], &[x[0].sqrt(), x[1]]), [0.0, 2.0], [1.0; 2]).is(2.0, [0.0, 1.0]).hessian([0.0; 4]),
        row("dot of two slices", |x| dot(&x[..2], &x[2..]), [1.0, 2.0, 3.0, 4.0], [0.0; 4]).figures(),
        row("dot with itself", |x| dot(x, x), [1.0, -2.0, 3.0], [0.0; 3]).figures(),
        row("dot of curved slices", |x| dot(&[x[0].sin(), x[1].exp()], &[x[1], x[0]]), [0.5, -1.5], [0.0; 2]).figures(),
        row("dot with constants", |x| dot(&[x[0], 5.0.into()], &[4.0.into(), x[0]]), [1.0], [0.0]).is(9.0, [9.0]).hessian([0.0]),
        row("dot with a product of 0 and infinity", |x| dot(&x[..2], &x[2..]), [0.0, 1.0, INFINITY, 2.0], [1.0, 2.0, 3.0, 4.0]).is(NAN, [NAN, 2.0, NAN, 1.0]),
        row("dot at the origin", |x| dot(x, x), [0.0; 2], [1.0; 2]).is(0.0, [0.0; 2]).hessian([2.0, 0.0, 0.0, 2.0]),
        row("norm of three", |x| norm(x), [2.0, 3.0, 6.0], [0.0; 3]).figures(),
        row("norm of one", |x| norm(x), [-2.0], [1.0]).figures(),
        row("norm of large numbers", |x| norm(x), [3e200, 4e200], [0.0; 2]).figures(),
        row("norm of small numbers", |x| norm(x), [3e-200, 4e-200], [1.0; 2]).figures(),
        row("norm at the origin", |x| norm(x), [0.0; 3], [2.0, 3.0, 6.0]).is(0.0, [0.0; 3]).hessian([NAN; 9]),
        row("norm at the origin of two", |x| norm(x), [0.0; 2], [3.0, 4.0]).is(0.0, [0.0; 2]).hessian([NAN; 4]),
        row("norm with a component of 0", |x| norm(x), [0.0, 2.0], [0.0; 2]).is(2.0, [0.0, 1.0]).hessian([0.5, 0.0, 0.0, 0.0]),
        row("norm of infinity", |x| norm(x), [INFINITY, 2.0], [0.0; 2]).only_first(),
        // The convention that a norm has slope 0 at the origin makes its square flat there: `dot` is the way to a square.
        row("square of norm, at the origin", |x| norm(x).powi(2), [0.0; 2], [1.0; 2]).is(0.0, [0.0; 2]).only_first(),
        row("log_sum_exp of three", |x| log_sum_exp(x), [1.0, 2.0, 0.5], [0.0, 0.0, 9.0]).figures(),
        row("log_sum_exp of huge terms", |x| log_sum_exp(x), [1000.0, 999.0, 998.0], [0.0; 3]).figures(),
        // A weight that is nearly 1 says little about the others, unlike `log_add_exp`'s.
        row("log_sum_exp of one sure term", |x| log_sum_exp(x), [60.0, 0.0, -10.0], [0.0; 3]).figures().scale(1.0),
        row("log_sum_exp of equal terms", |x| log_sum_exp(x), [5.0, 5.0], [1.0, 0.0]).figures(),
        row("log_sum_exp of one term", |x| log_sum_exp(x), [-1000.0], [3.0]).is(-1000.0, [1.0]).hessian([0.0]),
        row("log_sum_exp of infinity and 1", |x| log_sum_exp(x), [INFINITY, 1.0], [0.0, 1.0]).is(INFINITY, [1.0, 0.0]).hessian([0.0; 4]),
        row("log_sum_exp of -infinity and 1", |x| log_sum_exp(x), [-INFINITY, 1.0], [0.0, 1.0]).is(1.0, [0.0, 1.0]).hessian([0.0; 4]),
        row("log_sum_exp of two infinities", |x| log_sum_exp(x), [INFINITY, 1.0, INFINITY], [0.0, 1.0, 2.0]).is(INFINITY, [0.5, 0.0, 0.5]),
        row("log_sum_exp of -infinities", |x| log_sum_exp(x), [-INFINITY, -INFINITY], [0.0, 1.0]).is(-INFINITY, [0.5, 0.5]),
        row("log_sum_exp traced at infinity", |x| log_sum_exp(x), [0.0, 0.0], [INFINITY, 1.0]).is(std::f64::consts::LN_2, [0.5, 0.5]).hessian([0.25, -0.25, -0.25, 0.25]),
        row("log_sum_exp with NaN", |x| log_sum_exp(x), [NAN, 1.0], [0.0, 1.0]),
        row("log_sum_exp with constants", |x| log_sum_exp(&[x[0], 0.0.into()]), [0.0], [50.0]).is(std::f64::consts::LN_2, [0.5]).hessian([0.25]).third([0.0]),
        generic("sum of squares by sum_over", function!(|x| tape::sum_over([(1.0, 3.0), (2.0, 5.0), (0.5, -1.0)], |(a, b)| (x[0] * c(a) - c(b)).powi(2))), [2.0], [0.0]).figures(),
        generic("sum of exponentials by sum_over", function!(|x| tape::sum_over([-1.0, 0.0, 2.0], |a| (x[0] * c(a) + x[1]).exp())), [0.5, -0.25], [0.0; 2]).figures(),
        generic("sum of absolute errors by sum_over", function!(|x| tape::sum_over([1.0, 2.0, 4.0], |a| (x[0] - c(a)).abs())), [3.0], [0.0]).is(4.0, [1.0]).hessian([0.0]),
        generic("sum_over of nothing", function!(|x| x[0] * x[0] + tape::sum_over([], |(): ()| x[0])), [3.0], [0.0]).is(9.0, [6.0]).hessian([2.0]),
        generic("sum_over of constants", function!(|x| x[0] * tape::sum_over([1.0, 2.0], |a| c(a))), [3.0], [0.0]).is(9.0, [3.0]).hessian([0.0]),
        generic("sum_over of sum_overs", function!(|x| tape::sum_over([1.0, 2.0], |a| tape::sum_over([3.0, 4.0], |b| (x[0] * c(a)).powi(2) * c(b)))), [0.5], [0.0]).is(8.75, [35.0]).hessian([70.0]),
        generic("sum_over of masked roots", function!(|x| tape::sum_over([-1.0, 4.0], |a| { let y = x[0] * c(a); tape::select(y, y.sqrt(), c(0.0)) })), [1.0], [-1.0]).is(2.0, [1.0]).hessian([-0.5]),
        generic("max over a slice by sum_over", function!(|x| tape::sum_over(0..3, |i| x[i].max(x[(i + 1) % 3]))), [1.0, 2.0, 3.0], [3.0, 1.0, 2.0]).is(8.0, [0.0, 1.0, 2.0]).hessian([0.0; 9]),
    ]
}
