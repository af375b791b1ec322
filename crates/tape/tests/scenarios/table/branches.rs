//! Branches: a program of one path gives its numbers or refuses; everything that traces anew gives the right ones.

use crate::function::{Ordered, branches, c};
use crate::table::{Scenario, branching};

#[rustfmt::skip]
pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        branching("if x > 0", branches!(|x| if x[0] > 0.0 { x[0] * x[0] } else { c::<T>(-3.0) * x[0] }), [-2.0], [1.0]).is(6.0, [-3.0]).hessian([0.0]),
        branching("if x > 0, on the right", branches!(|x| if x[0] > 0.0 { x[0] * x[0] } else { c::<T>(-3.0) * x[0] }), [2.0], [-1.0]).is(4.0, [4.0]).hessian([2.0]).third([0.0]),
        branching("if x > 0, at the jump", branches!(|x| if x[0] > 0.0 { x[0] * x[0] } else { c::<T>(-3.0) * x[0] }), [0.0], [1.0]).is(0.0, [-3.0]).hessian([0.0]),
        branching("if x > 0, the same path", branches!(|x| if x[0] > 0.0 { x[0] * x[0] } else { c::<T>(-3.0) * x[0] }), [2.0], [1.0]).is(4.0, [4.0]).hessian([2.0]),
        branching("if x < y", branches!(|x| if x[0] < x[1] { x[0] * x[1] } else { x[0] - x[1] }), [1.0, 2.0], [2.0, 1.0]).is(2.0, [2.0, 1.0]).hessian([0.0, 1.0, 1.0, 0.0]),
        branching("if x = 0", branches!(|x| if x[0] == 0.0 { c::<T>(1.0) - x[0] * x[0] / c::<T>(6.0) } else { x[0].sin() / x[0] }), [0.0], [1.0]).is(1.0, [0.0]).hessian([-1.0 / 3.0]),
        branching("if x >= 0 of a computed number", branches!(|x| if x[0] * x[1] >= 1.0 { x[0].powi(2) } else { x[1].powi(3) }), [0.5, 1.5], [2.0, 1.0]).is(3.375, [0.0, 6.75]).hessian([0.0, 0.0, 0.0, 9.0]),
        branching("a comparison with NaN", branches!(|x| if x[0] > 0.0 { x[1] } else { x[1] * x[1] }), [f64::NAN, 3.0], [1.0, 2.0]).is(9.0, [0.0, 6.0]).hessian([0.0, 0.0, 0.0, 2.0]),
        branching("a loop that ends by a comparison", branches!(|x| newton_root(x[0])), [2.0], [30.0]).is(std::f64::consts::SQRT_2, [0.3535533905932738]).within(1e-5),
        branching("a loop of halvings", branches!(|x| { let mut y = x[0]; while y > 1.0 { y *= c(0.5); } y * y }), [6.0], [40.0]).is(0.5625, [0.1875]).hessian([0.03125]),
        branching("sorting", branches!(|x| { let mut y = x.to_vec(); y.sort_by(|a, b| a.partial_cmp(b).unwrap()); y[1] * y[2] }), [3.0, 1.0, 2.0], [1.0, 2.0, 3.0])
            .is(6.0, [2.0, 0.0, 3.0]).hessian([0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]),
        branching("the maximum by comparisons", branches!(|x| x.iter().copied().reduce(|a, b| if b > a { b } else { a }).unwrap().powi(2)), [1.0, 3.0, 2.0], [5.0, 3.0, 2.0])
            .is(9.0, [0.0, 6.0, 0.0]).hessian([0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0]),
        branching("pieces of a spline", branches!(|x| if x[0] < 1.0 { x[0].powi(3) } else if x[0] < 2.0 { c::<T>(2.0) * x[0] - c(1.0) } else { x[0].exp2() }), [0.5], [1.5]).is(0.125, [0.75]).hessian([3.0]),
        branching("a branch on a branch's result", branches!(|x| { let y = if x[0] > x[1] { x[0] } else { x[1] * x[1] }; if y > 4.0 { y * y } else { y } }), [1.0, 3.0], [2.0, 1.0])
            .is(81.0, [0.0, 108.0]).hessian([0.0, 0.0, 0.0, 108.0]),
        branching("a branch beside a kink", branches!(|x| if x[0] > 0.0 { x[1].abs() } else { x[1].relu() * x[1] }), [-1.0, -2.0], [1.0, 2.0]).is(0.0, [0.0, 0.0]).hessian([0.0; 4]),
        branching("a branch beside a kink, the same path", branches!(|x| if x[0] > 0.0 { x[1].abs() * x[1] } else { x[1] }), [1.0, -2.0], [1.0, 2.0]).is(-4.0, [0.0, 4.0]).hessian([0.0, 0.0, 0.0, -2.0]),
        branching("a branch on the plain number", branches!(|x| if x[0].primal() > 0.0 { x[0] * x[0] } else { c::<T>(-3.0) * x[0] }), [-2.0], [1.0]).is(6.0, [-3.0]).hessian([0.0]),
        branching("a branch on the plain number, on the right", branches!(|x| if x[0].primal() > 0.0 { x[0] * x[0] } else { c::<T>(-3.0) * x[0] }), [2.0], [-1.0]).is(4.0, [4.0]).hessian([2.0]),
        branching("a constant made of the plain number", branches!(|x| c::<T>(x[0].primal()) * x[0]), [2.0], [-1.0]).is(4.0, [2.0]).hessian([0.0]),
        branching("a power by the plain number", branches!(|x| x[0].powi(x[1].primal() as i32)), [2.0, 3.0], [2.0, 2.0]).is(8.0, [12.0, 0.0]).hessian([12.0, 0.0, 0.0, 0.0]),
    ]
}

fn newton_root<T: Ordered>(x: T) -> T {
    let mut root = x;
    while (root * root - x).abs() > c::<T>(1e-6) * x {
        root = c::<T>(0.5) * (root + x / root);
    }
    root
}
