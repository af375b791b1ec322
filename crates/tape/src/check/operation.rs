//! An operation of one's own, held against itself by every way to a derivative, and against numeric derivatives.

use core::fmt::{self, Display};

use crate::check::{Report, Verdict, Why, report};
use crate::derivative::gradient::gradient;
use crate::derivative::hessian::hessian_vector;
use crate::dual::Dual;
use crate::lanes::Lanes;
use crate::operation::{Shared, applied};
use crate::program::Program;
use crate::real::Real;
use crate::real::operation::{Apply, Handle};
use crate::var::Var;

/// Holds an operation of one's own against itself at `x`, by every way to a derivative, and against numeric derivatives: one
/// call in the test of an operation.
///
/// - `value` writes every output, and gives the same on other numbers as on `f64`.
/// - `reverse`, `forward` and `value` on dual numbers are one Jacobian, and what
///   [`dependencies`](crate::Operation::dependencies) leaves out is 0 in it.
/// - That Jacobian is the numeric one; and its derivative, on which second derivatives rest, too.
/// - A program that was traced at another point, and lanes, give the same.
///
/// The verdict is that of the numeric derivatives: [`Verdict::Unchecked`] where they cannot tell, as at a kink.
///
/// # Panics
/// When the operation is wrong: the message says which output or input, by which way, and the numbers. When the operation takes
/// another number of inputs, or panics itself.
///
/// ```
/// use tape::check::{self, Verdict};
/// use tape::{Operation, Real};
///
/// struct Hypotenuse;
/// impl Operation for Hypotenuse {
///     fn name(&self) -> &str {
///         "hypotenuse"
///     }
///     fn outputs(&self, _: usize) -> usize {
///         1
///     }
///     fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
///         y[0] = T::norm(x);
///     }
///     fn reverse<T: Real>(&self, x: &[T], y: &[T], adjoint: &[T], into: &mut [T]) {
///         for (into, &x) in into.iter_mut().zip(x) {
///             *into = adjoint[0] * x / y[0];
///         }
///     }
/// }
/// assert_eq!(check::operation(&Hypotenuse, &[3.0, -4.0, 12.0]), Verdict::Pass);
/// ```
#[track_caller]
pub fn operation(operation: impl Shared, x: &[f64]) -> Verdict {
    let handle = &operation.handle();
    let checked = Checked::new(handle, x);
    let y = checked.value();
    if y.iter().any(|y| !y.is_finite()) {
        return Verdict::Unchecked { why: Why::ValueNotFinite };
    }
    checked.compare_values(&y);
    checked.compare_jacobians(&y);
    checked.compare_second_derivatives();
    checked.compare_programs();
    let first = checked.hold("derivative", &report(|x| checked.sum(x), x));
    let second = checked.hold("second derivative", &report(|x| checked.slope(x), x));
    if first == Verdict::Pass { second } else { first }
}

/// So far may derivatives that are computed in two ways differ, relative to the largest of their kind.
const TOLERANCE: f64 = 1e-9;

/// No more outputs, or inputs, than this are looked at one by one.
const ONE_BY_ONE: usize = 64;

struct Checked<'a, H> {
    operation: &'a H,
    x: &'a [f64],
    /// Of the outputs: their weights in a sum whose derivatives are taken; and of the inputs, a direction.
    weights: Vec<f64>,
    direction: Vec<f64>,
}

/// Numbers between ½ and 3/2 that have nothing to do with each other, every other one negative.
fn numbers(count: usize, start: f64) -> Vec<f64> {
    let number = |place: usize| 0.5 + (start + place as f64 * 0.618_033_988_749_895).fract();
    (0..count).map(|place| if place % 2 == 0 { number(place) } else { -number(place) }).collect()
}

impl<'a, H: Handle> Checked<'a, H> {
    fn new(operation: &'a H, x: &'a [f64]) -> Self {
        let outputs = applied(operation, x).len();
        let (weights, direction) = (numbers(outputs, 0.1), numbers(x.len(), 0.7));
        Self { operation, x, weights, direction }
    }

    /// A sum of the outputs.
    fn sum<T: Real>(&self, x: &[T]) -> T {
        T::weighted_sum(&self.weights, &applied(self.operation, x))
    }

    /// The slope of that sum in the direction.
    fn slope<T: Real>(&self, x: &[T]) -> T {
        let (_, gradient) = gradient(|x| self.sum(x), x);
        T::weighted_sum(&self.direction, &gradient)
    }

    #[track_caller]
    fn fail(&self, what: impl Display) -> ! {
        panic!("the operation {:?} is wrong: {what}", self.operation.name());
    }

    /// Two ways to one number.
    #[track_caller]
    fn compare(&self, what: impl Display, ways: [(&str, f64); 2], scale: f64) {
        let [(way, a), (other, b)] = ways;
        let are_near = (a - b).abs() <= TOLERANCE * scale.max(a.abs());
        let agree = are_near || a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        if !agree {
            self.fail(format_args!("{what} is {a} by {way}, and {b} by {other}"));
        }
    }

    /// The outputs on `f64`; all have been written.
    #[track_caller]
    fn value(&self) -> Vec<f64> {
        let [mut y, mut other] = [0.25, 0.75].map(|before| vec![before; self.weights.len()]);
        self.operation.value(self.x, &mut y);
        self.operation.value(self.x, &mut other);
        if let Some(output) = y.iter().zip(&other).position(|(a, b)| a.to_bits() != b.to_bits()) {
            self.fail(format_args!(
                "value does not write output {output}, or gives another number each time"
            ));
        }
        y
    }

    #[track_caller]
    fn compare_values(&self, y: &[f64]) {
        let scale = largest(y);
        let elsewhere: Vec<f64> = self.x.iter().map(|x| x * 1.01 + 0.001).collect();
        let lanes: Vec<Lanes<2>> =
            self.x.iter().zip(&elsewhere).map(|(&a, &b)| Lanes([a, b])).collect();
        let by_lanes = applied(self.operation, &lanes);
        let by_vars = applied(self.operation, &Var::constants_from(self.x));
        for (output, &y) in y.iter().enumerate() {
            let what = format_args!("output {output}").to_string();
            self.compare(&what, [("f64", y), ("lanes", by_lanes[output].0[0])], scale);
            self.compare(&what, [("f64", y), ("variables", by_vars[output].value)], scale);
        }
    }

    /// A row of the Jacobian, by `reverse`.
    fn row(&self, y: &[f64], adjoint: &[f64]) -> Vec<f64> {
        let mut row = vec![0.0; self.x.len()];
        f64::apply_reverse(self.operation, self.x, y, adjoint, &mut row);
        row
    }

    #[track_caller]
    fn compare_jacobians(&self, y: &[f64]) {
        let (inputs, outputs) = (self.x.len(), y.len());
        let looked_at = |count: usize| (0..count).step_by(count.div_ceil(ONE_BY_ONE).max(1));
        let unit = |count: usize, place: usize| {
            let mut unit = vec![0.0; count];
            unit[place] = 1.0;
            unit
        };
        let rows: Vec<(usize, Vec<f64>)> = looked_at(outputs)
            .map(|output| (output, self.row(y, &unit(outputs, output))))
            .collect();
        let scale = rows.iter().map(|(_, row)| largest(row)).fold(0.0, f64::max);
        for input in looked_at(inputs) {
            let tangents = unit(inputs, input);
            let mut column = vec![f64::NAN; outputs];
            let mut values = vec![f64::NAN; outputs];
            self.operation.forward(self.x, &tangents, &mut values, &mut column);
            let duals: Vec<Dual> =
                self.x.iter().zip(&tangents).map(|(&x, &dx)| Dual::new(x, dx)).collect();
            let mut by_duals = vec![Dual::constant(f64::NAN); outputs];
            self.operation.value(&duals, &mut by_duals);
            for (output, row) in &rows {
                let of_duals = by_duals[*output];
                let what = format!("output {output}");
                self.compare(
                    &what,
                    [("value", y[*output]), ("forward", values[*output])],
                    largest(y),
                );
                self.compare(&what, [("f64", y[*output]), ("duals", of_duals.value)], largest(y));
                let what = format!("the derivative of output {output} by input {input}");
                self.compare(&what, [("reverse", row[input]), ("forward", column[*output])], scale);
                let by_value = ("value on dual numbers", of_duals.tangent);
                self.compare(&what, [("reverse", row[input]), by_value], scale);
                let left_out = self.operation.dependencies(*output);
                if left_out.is_some_and(|depends| !depends.contains(&input)) && row[input] != 0.0 {
                    self.fail(format_args!(
                        "dependencies leaves out that {what} is {}",
                        row[input]
                    ));
                }
            }
        }
        if rows.len() == outputs {
            let together = self.row(y, &self.weights);
            for (input, &together) in together.iter().enumerate() {
                let sum = rows.iter().map(|(output, row)| self.weights[*output] * row[input]).sum();
                let what = format!("the adjoint of input {input}");
                let ways = [("all outputs at once", together), ("one after the other", sum)];
                self.compare(what, ways, scale * outputs as f64);
            }
        }
    }

    #[track_caller]
    fn compare_second_derivatives(&self) {
        let (_, _, by_duals) = hessian_vector(|x| self.sum(x), self.x, &self.direction);
        let (_, nested) = gradient(|x| self.slope(x), self.x);
        let scale = largest(&nested);
        for (input, (&a, &b)) in nested.iter().zip(&by_duals).enumerate() {
            let what = format!("the second derivative in a direction and by input {input}");
            self.compare(what, [("nested tapes", a), ("dual numbers", b)], scale);
        }
    }

    #[track_caller]
    fn compare_programs(&self) {
        let elsewhere: Vec<f64> = self.x.iter().map(|x| x * 1.01 + 0.001).collect();
        let (value, right) = gradient(|x| self.sum(x), self.x);
        let (_, _, product) = hessian_vector(|x| self.sum(x), self.x, &self.direction);
        let program = Program::trace(|x| self.sum(x), &elsewhere);
        let derivative = Program::trace(|x| gradient(|x| self.sum(x), x).1, &elsewhere);
        let replayed = program.and_then(|program| {
            let (at, by_replay) = program.gradient(self.x)?;
            let (_, _, of_replay) = program.hessian_vector(self.x, &self.direction)?;
            Ok((at, by_replay, of_replay, derivative?.values(self.x)?))
        });
        let (at, by_replay, of_replay, of_traced) = match replayed {
            Ok(replayed) => replayed,
            Err(error) => self.fail(format_args!("a program that calls it fails: {error}")),
        };
        let ways = [("recording", value), ("a program traced elsewhere", at)];
        self.compare("the weighted sum of the outputs", ways, value.abs());
        for input in 0..self.x.len() {
            let ways = [
                ("a program traced elsewhere", by_replay[input]),
                ("a traced derivative", of_traced[input]),
            ];
            for way in ways {
                let what = format!("the derivative by input {input}");
                self.compare(what, [("recording", right[input]), way], largest(&right));
            }
            let what = format!("the second derivative by input {input}");
            let ways =
                [("recording", product[input]), ("a program traced elsewhere", of_replay[input])];
            self.compare(what, ways, largest(&product));
        }
    }

    /// The verdict of numeric derivatives, unless it is a mismatch.
    #[track_caller]
    fn hold(&self, what: &str, report: &Report) -> Verdict {
        let verdict = report.verdict();
        if verdict.is_mismatch() {
            self.fail(Mismatch { what, report });
        }
        verdict
    }
}

struct Mismatch<'a> {
    what: &'a str,
    report: &'a Report,
}

impl Display for Mismatch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, report } = self;
        write!(f, "the {what} of a weighted sum of its outputs is not the numeric one:\n{report}")
    }
}

fn largest(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()))
}
