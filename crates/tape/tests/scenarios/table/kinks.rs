//! Kinks and ties: at them, beside them, and traced on the other side.

use crate::expression::{Symbol, log_sum_exp};
use crate::table::{Scenario, op, row};

const INFINITY: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

#[rustfmt::skip]
pub(super) fn scenarios() -> Vec<Scenario> {
    let flat = ["signum", "floor", "ceil", "round", "trunc"];
    let steps = flat.into_iter().flat_map(|name| {
        [[1.5, -2.5], [-1.5, 2.0], [2.0, 1.5], [0.0, -1.5], [-0.0, 3.5], [2.5, 0.0], [-0.5, 0.5], [1e300, -1.5], [1e-300, -1.0]]
            .map(|[x, other]| op(name, [x], [other]).is(step(name, x), [0.0]).hessian([0.0]))
    });
    let others = vec![
        op("abs",  [2.0],       [-3.0]).is(2.0,   [1.0]).hessian([0.0]),
        op("abs",  [-2.0],      [3.0]).is(2.0,    [-1.0]).hessian([0.0]),
        op("abs",  [-2.0],      [0.0]).is(2.0,    [-1.0]).hessian([0.0]),
        op("abs",  [0.0],       [-3.0]).is(0.0,   [0.0]).hessian([0.0]),
        op("abs",  [-0.0],      [3.0]).is(0.0,    [0.0]).hessian([0.0]),
        op("abs",  [1e-300],    [-1.0]).is(1e-300, [1.0]).hessian([0.0]),
        op("abs",  [-INFINITY], [1.0]).is(INFINITY, [-1.0]).hessian([0.0]),
        op("relu", [2.0],       [-3.0]).is(2.0,   [1.0]).hessian([0.0]),
        op("relu", [-2.0],      [3.0]).is(0.0,    [0.0]).hessian([0.0]),
        op("relu", [2.0],       [0.0]).is(2.0,    [1.0]).hessian([0.0]),
        op("relu", [0.0],       [3.0]).is(0.0,    [0.0]).hessian([0.0]),
        op("relu", [-0.0],      [3.0]).is(0.0,    [0.0]).hessian([0.0]),
        op("relu", [1e-300],    [-1.0]).is(1e-300, [1.0]).hessian([0.0]),
        op("relu", [INFINITY],  [-1.0]).is(INFINITY, [1.0]).hessian([0.0]),
        op("relu", [-INFINITY], [1.0]).is(0.0,    [0.0]).hessian([0.0]),

        op("max",  [2.0, 1.0],  [1.0, 2.0]).is(2.0, [1.0, 0.0]).hessian([0.0; 4]),
        op("max",  [1.0, 2.0],  [2.0, 1.0]).is(2.0, [0.0, 1.0]).hessian([0.0; 4]),
        op("max",  [1.0, 2.0],  [3.0, 3.0]).is(2.0, [0.0, 1.0]).hessian([0.0; 4]),
        op("max",  [2.0, 2.0],  [1.0, 2.0]).is(2.0, [0.5, 0.5]).hessian([0.0; 4]),
        op("max",  [-0.0, 0.0], [1.0, 2.0]).is(0.0, [0.5, 0.5]).hessian([0.0; 4]),
        op("max",  [NAN, 1.0],  [2.0, 1.0]).is(1.0, [0.0, 1.0]).hessian([0.0; 4]),
        op("max",  [1.0, NAN],  [1.0, 2.0]).is(1.0, [1.0, 0.0]).hessian([0.0; 4]),
        op("max",  [2.0, 1.0],  [NAN, 1.0]).is(2.0, [1.0, 0.0]).hessian([0.0; 4]),
        op("max",  [INFINITY, INFINITY], [1.0, 2.0]).is(INFINITY, [0.5, 0.5]).hessian([0.0; 4]),
        op("max",  [-INFINITY, -1.0], [2.0, 1.0]).is(-1.0, [0.0, 1.0]).hessian([0.0; 4]),
        op("min",  [2.0, 1.0],  [1.0, 2.0]).is(1.0, [0.0, 1.0]).hessian([0.0; 4]),
        op("min",  [1.0, 2.0],  [2.0, 1.0]).is(1.0, [1.0, 0.0]).hessian([0.0; 4]),
        op("min",  [1.0, 2.0],  [3.0, 3.0]).is(1.0, [1.0, 0.0]).hessian([0.0; 4]),
        op("min",  [2.0, 2.0],  [1.0, 2.0]).is(2.0, [0.5, 0.5]).hessian([0.0; 4]),
        op("min",  [NAN, 1.0],  [2.0, 3.0]).is(1.0, [0.0, 1.0]).hessian([0.0; 4]),
        op("min",  [1.0, NAN],  [2.0, 1.0]).is(1.0, [1.0, 0.0]).hessian([0.0; 4]),
        op("min",  [INFINITY, 1.0], [0.0, 1.0]).is(1.0, [0.0, 1.0]).hessian([0.0; 4]),
        row("max of a number and itself", |x| x[0].max(x[0]), [2.0], [-3.0]).is(2.0, [1.0]).hessian([0.0]),
        row("max at a tie with a constant", |x| x[0].max(2.0), [2.0], [1.0]).is(2.0, [0.5]).hessian([0.0]),
        row("max with a constant, above", |x| x[0].max(2.0), [3.0], [1.0]).is(3.0, [1.0]).hessian([0.0]),
        row("max with a constant, below", |x| x[0].max(2.0), [1.0], [3.0]).is(2.0, [0.0]).hessian([0.0]),
        row("min with a constant", |x| x[0].min(2.0), [3.0], [1.0]).is(2.0, [0.0]).hessian([0.0]),
        row("max of a square and a cube", |x| (x[0] * x[0]).max(x[0].powi(3)), [2.0], [0.5]).is(8.0, [12.0]).hessian([12.0]).third([6.0]),
        row("max of a square and a cube on the other side", |x| (x[0] * x[0]).max(x[0].powi(3)), [0.5], [2.0]).is(0.25, [1.0]).hessian([2.0]).third([0.0]),
        row("the largest of five", |x| x.iter().copied().reduce(Symbol::max).unwrap(), [1.0, 5.0, 3.0, -2.0, 4.0], [5.0, 1.0, 2.0, 3.0, 4.0])
            .is(5.0, [0.0, 1.0, 0.0, 0.0, 0.0]).hessian([0.0; 25]),
        row("the smallest of five", |x| x.iter().copied().reduce(Symbol::min).unwrap(), [1.0, 5.0, 3.0, -2.0, 4.0], [-5.0, 1.0, 2.0, 3.0, 4.0])
            .is(-2.0, [0.0, 0.0, 0.0, 1.0, 0.0]).hessian([0.0; 25]),
        row("the range of three", |x| x[0].max(x[1]).max(x[2]) - x[0].min(x[1]).min(x[2]), [1.0, 3.0, 2.0], [3.0, 2.0, 1.0])
            .is(2.0, [-1.0, 1.0, 0.0]).hessian([0.0; 9]),

        row("clamp between constants, inside", |x| x[0].clamp(0.0, 1.0), [0.5], [5.0]).is(0.5, [1.0]).hessian([0.0]),
        row("clamp between constants, above", |x| x[0].clamp(0.0, 1.0), [5.0], [0.5]).is(1.0, [0.0]).hessian([0.0]),
        row("clamp between constants, below", |x| x[0].clamp(0.0, 1.0), [-5.0], [0.5]).is(0.0, [0.0]).hessian([0.0]),
        row("clamp between constants, at the upper", |x| x[0].clamp(0.0, 1.0), [1.0], [0.5]).is(1.0, [0.0]).hessian([0.0]),
        row("clamp between constants, at the lower", |x| x[0].clamp(0.0, 1.0), [0.0], [0.5]).is(0.0, [0.0]).hessian([0.0]),
        row("clamp between constants, inside, traced at the bound", |x| x[0].clamp(0.0, 1.0), [0.5], [1.0]).is(0.5, [1.0]).hessian([0.0]),
        row("clamp of NaN", |x| x[0].clamp(0.0, 1.0), [NAN], [0.5]),
        row("clamp of a square", |x| (x[0] * x[0]).clamp(0.0, 1.0), [0.5], [2.0]).is(0.25, [1.0]).hessian([2.0]),
        row("clamp of a square, above", |x| (x[0] * x[0]).clamp(0.0, 1.0), [2.0], [0.5]).is(1.0, [0.0]).hessian([0.0]),
        op("clamp", [2.0, 1.0, 3.0], [0.0, 1.0, 3.0]).is(2.0, [1.0, 0.0, 0.0]).hessian([0.0; 9]),
        op("clamp", [0.0, 1.0, 3.0], [2.0, 1.0, 3.0]).is(1.0, [0.0, 1.0, 0.0]).hessian([0.0; 9]),
        op("clamp", [4.0, 1.0, 3.0], [2.0, 1.0, 3.0]).is(3.0, [0.0, 0.0, 1.0]).hessian([0.0; 9]),
        op("clamp", [1.0, 1.0, 3.0], [2.0, 1.0, 3.0]).is(1.0, [0.0, 1.0, 0.0]).hessian([0.0; 9]),
        op("clamp", [3.0, 1.0, 3.0], [2.0, 1.0, 3.0]).is(3.0, [0.0, 0.0, 1.0]).hessian([0.0; 9]),
        row("clamp below itself", |x| x[0].clamp(0.0, x[0]), [5.0], [2.0]).is(5.0, [1.0]).hessian([0.0]),
        row("clamp above itself", |x| x[0].clamp(x[0], 9.0), [4.0], [2.0]).is(4.0, [1.0]).hessian([0.0]),
        row("clamp between squares", |x| x[0].clamp(x[1] * x[1], x[2] * x[2]), [5.0, 1.0, 2.0], [2.0, 1.0, 2.0])
            .is(4.0, [0.0, 0.0, 4.0]).hessian([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0]),

        row("abs of a product", |x| (x[0] * x[1]).abs(), [2.0, -3.0], [2.0, 3.0]).is(6.0, [3.0, -2.0]).hessian([0.0, -1.0, -1.0, 0.0]),
        row("abs of a square at its kink", |x| (x[0] * x[0]).abs(), [0.0], [1.0]).is(0.0, [0.0]).hessian([0.0]),
        row("x times |x|", |x| x[0] * x[0].abs(), [-2.0], [3.0]).is(-4.0, [4.0]).hessian([-2.0]).third([0.0]),
        row("x times |x|, on the right", |x| x[0] * x[0].abs(), [2.0], [-3.0]).is(4.0, [4.0]).hessian([2.0]).third([0.0]),
        row("relu times x", |x| x[0].relu() * x[0], [-1.0], [1.0]).is(0.0, [0.0]).hessian([0.0]).third([0.0]),
        row("relu times x, on the right", |x| x[0].relu() * x[0], [1.5], [-1.0]).is(2.25, [3.0]).hessian([2.0]).third([0.0]),
        row("relu squared", |x| x[0].relu().powi(2), [1.5], [-1.0]).is(2.25, [3.0]).hessian([2.0]).third([0.0]),
        row("leaky relu", |x| x[0].max(0.25 * x[0]), [-2.0], [1.0]).is(-0.5, [0.25]).hessian([0.0]),
        row("absolute error", |x| (x[0] - x[1]).abs(), [0.0, 1.0], [0.0, -1.0]).is(1.0, [-1.0, 1.0]).hessian([0.0; 4]),
        row("hinge loss, inside the margin", |x| (1.0 - x[0] * x[1]).relu(), [0.5, 1.0], [3.0, 1.0]).is(0.5, [-1.0, -0.5]).hessian([0.0, -1.0, -1.0, 0.0]),
        row("hinge loss, outside the margin", |x| (1.0 - x[0] * x[1]).relu(), [3.0, 1.0], [0.5, 1.0]).is(0.0, [0.0, 0.0]).hessian([0.0; 4]),
        row("two layers of relu", |x| relu_network(x), [1.0, 0.25], [-1.0, 2.0]).is(-1.125, [-1.0, 0.5]).hessian([0.0; 4]),
        row("two layers of relu, another cell", |x| relu_network(x), [-1.0, 2.0], [1.0, 0.25]).is(-6.25, [1.25, -2.5]).hessian([0.0; 4]),
        row("squares of two layers of relu", |x| relu_network(x) * relu_network(x), [1.0, 0.25], [-1.0, 2.0])
            .is(1.265625, [2.25, -1.125]).hessian([2.0, -1.0, -1.0, 0.5]),
        row("Huber loss, inside", |x| huber(x[0]), [0.5], [-3.0]).is(0.125, [0.5]).hessian([1.0]),
        row("Huber loss, outside", |x| huber(x[0]), [-3.0], [0.5]).is(2.5, [-1.0]).hessian([0.0]),
        row("sawtooth", |x| x[0] - x[0].floor(), [2.75], [-1.5]).is(0.75, [1.0]).hessian([0.0]),
        row("triangle wave", |x| (x[0] - x[0].round()).abs(), [2.75], [2.25]).is(0.25, [-1.0]).hessian([0.0]),
        row("square root of |x|", |x| x[0].abs().sqrt(), [-4.0], [9.0]).is(2.0, [-0.25]).hessian([-0.03125]),
        row("signum times a square", |x| x[0].signum() * x[0] * x[0], [-3.0], [2.0]).is(-9.0, [6.0]).hessian([-2.0]),
        row("a median of three", |x| x[0].max(x[1]).min(x[0].min(x[1]).max(x[2])), [1.0, 3.0, 2.0], [2.0, 1.0, 3.0]).is(2.0, [0.0, 0.0, 1.0]).hessian([0.0; 9]),

        op("rem", [7.5, 2.0],  [0.5, 2.0]).is(1.5, [1.0, -3.0]).hessian([0.0; 4]),
        op("rem", [-7.5, 2.0], [7.5, 2.0]).is(-1.5, [1.0, 3.0]).hessian([0.0; 4]),
        op("rem", [7.5, -2.0], [7.5, 2.0]).is(1.5, [1.0, 3.0]).hessian([0.0; 4]),
        op("rem", [1.0, 0.1],  [0.5, 0.3]).is(0.09999999999999995, [1.0, -9.0]).hessian([0.0; 4]),
        op("rem", [6.0, 2.0],  [5.0, 2.0]).is(0.0, [1.0, -3.0]).hessian([0.0; 4]),
        op("rem", [0.5, 2.0],  [7.5, 2.0]).is(0.5, [1.0, 0.0]).hessian([0.0; 4]),
        op("rem", [0.0, 2.0],  [7.5, 2.0]).is(0.0, [1.0, 0.0]).hessian([0.0; 4]),
        op("rem", [3.0, INFINITY], [7.5, 2.0]).is(3.0, [1.0, 0.0]).hessian([0.0; 4]),
        row("rem by a constant", |x| x[0] % 3.0, [7.5], [-1.0]).is(1.5, [1.0]).hessian([0.0]),
        row("rem of a square", |x| (x[0] * x[0]) % x[1], [3.0, 4.0], [1.0, 4.0]).is(1.0, [6.0, -2.0]).hessian([2.0, 0.0, 0.0, 0.0]),

        // The largest term stays live.
        row("log_sum_exp less a term, traced at small terms", |x| log_sum_exp(x) - x[0], [800.0, 801.0], [0.0, 1.0])
            .is(1.3132616875182228, [-0.7310585786300049, 0.7310585786300049]).hessian([0.19661193324148185, -0.19661193324148185, -0.19661193324148185, 0.19661193324148185]).scale(800.0),
        row("log_sum_exp, the other term largest", |x| log_sum_exp(x), [-900.0, 100.0], [100.0, -900.0]).is(100.0, [0.0, 1.0]).hessian([0.0; 4]),
        row("log_add_exp, the other term largest", |x| x[0].log_add_exp(x[1]), [-900.0, 100.0], [100.0, -900.0]).is(100.0, [0.0, 1.0]).hessian([0.0; 4]),
    ];
    steps.chain(others).collect()
}

fn step(name: &str, x: f64) -> f64 {
    match name {
        "signum" => x.signum(),
        "floor" => x.floor(),
        "ceil" => x.ceil(),
        "round" => x.round(),
        _ => x.trunc(),
    }
}

/// Two inputs, two hidden layers of two units, fixed weights.
fn relu_network(x: &[Symbol]) -> Symbol {
    let a = (x[0] - 0.5 * x[1]).relu();
    let b = (2.0 * x[1] - x[0]).relu();
    let d = (a - 0.5 * b + 0.25).relu();
    let e = (b - 2.0 * a).relu();
    -d - 0.5 * e - 0.75 * b
}

fn huber(x: Symbol) -> Symbol {
    let inside = x.abs().min(1.0);
    inside * (x.abs() - 0.5 * inside)
}
