//! Operations of one's own: among others, behind masks, and with decisions inside that a trace must not keep.

use crate::expression::{Symbol, own, select};
use crate::own::Own;
use crate::table::{Scenario, row};

fn three(x: impl Into<Symbol>, y: impl Into<Symbol>, output: usize) -> Symbol {
    own(Own::Three, &[x.into(), y.into()], output)
}

fn steps(x: Symbol) -> Symbol {
    own(Own::Steps, &[x], 0)
}

fn calling(x: Symbol, y: Symbol) -> Symbol {
    own(Own::Calling, &[x, y], 0)
}

#[rustfmt::skip]
pub(super) fn scenarios() -> Vec<Scenario> {
    let (sine, cosine) = (2.0_f64.sin(), 2.0_f64.cos());
    let e = 0.5_f64.exp();
    vec![
        row("own product", |x| three(x[0], x[1], 0), [2.0, 3.0], [1.0, 1.0]).is(6.0, [3.0, 2.0]).hessian([0.0, 1.0, 1.0, 0.0]).third([0.0; 8]),
        row("own sine", |x| three(x[0], 1.0, 1), [2.0], [0.3]).is(sine, [cosine]).hessian([-sine]).third([-cosine]),
        row("all results of one call", |x| three(x[0], x[1], 0) + three(x[0], x[1], 1) + three(x[0], x[1], 2), [2.0, 0.5], [0.1, 0.2])
            .is(1.0 + sine + e, [0.5 + cosine, 2.0 + e]).hessian([-sine, 1.0, 1.0, e]).third([-cosine, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, e]),
        row("own product of one number", |x| three(x[0], x[0], 0), [3.0], [1.0]).is(9.0, [6.0]).hessian([2.0]).third([0.0]),
        row("own product of an own sine", |x| three(three(x[0], 1.0, 1), x[1], 0), [2.0, 0.5], [1.0, 1.0])
            .is(0.5 * sine, [0.5 * cosine, sine]).hessian([-0.5 * sine, cosine, cosine, 0.0]).within(1e-13),
        row("own function of a square", |x| three(x[0] * x[0], x[0], 0), [2.0], [1.0]).is(8.0, [12.0]).hessian([12.0]).third([6.0]),
        row("a cell of steps", |x| steps(x[0]), [3.25], [1.5]).is(0.1875, [1.5]).hessian([6.0]).third([0.0]),
        row("a cell below 0", |x| steps(x[0]), [-1.5], [7.25]).is(-0.5, [-2.0]).hessian([-4.0]).third([0.0]),
        row("a cell by a computed number", |x| steps(x[0] * x[1]), [1.5, 1.5], [0.5, 0.5]).is(0.125, [1.5, 1.5]).hessian([9.0, 10.0, 10.0, 9.0]),
        row("an operation that calls another", |x| calling(x[0], x[1]), [2.0, 0.5], [1.0, 1.0])
            .is(0.5 * sine, [0.5 * cosine, sine]).hessian([-0.5 * sine, cosine, cosine, 0.0]).third([-0.5 * cosine, -sine, -sine, 0.0, -sine, 0.0, 0.0, 0.0]).within(1e-13),
        row("own product, masked away", |x| select(x[0], x[1], three(x[0], x[1], 0)), [1.0, 2.0], [-1.0, 2.0]).is(2.0, [0.0, 1.0]).hessian([0.0; 4]),
        row("own product, masked in", |x| select(x[0], x[1], three(x[0], x[1], 0)), [-1.0, 2.0], [1.0, 2.0]).is(-2.0, [2.0, -1.0]).hessian([0.0, 1.0, 1.0, 0.0]),
        row("own product behind a kink", |x| three(x[0].abs(), x[1], 0), [-2.0, 3.0], [2.0, 3.0]).is(6.0, [-3.0, 2.0]).hessian([0.0, -1.0, -1.0, 0.0]),
        row("own exponential as a constant", |x| x[0] * crate::expression::stop_gradient(three(x[0], x[1], 2)), [2.0, 0.5], [1.0, 1.0]).is(2.0 * e, [e, 0.0]).hessian([0.0; 4]),
    ]
}
