//! Every operation's value, first and second derivatives against multiple precision, over the whole range of numbers.
//!
//! `points.py` wrote the points and says what is compared with what. The table of errors:
//! `cargo test -p tape --test accuracy -- --nocapture`.
#![allow(
    clippy::needless_pass_by_value,
    clippy::format_push_string,
    reason = "functions are unit structs; a report is put together once"
)]

mod corners;

use std::fmt::{self, Display};

use tape::{Dual, Op, Real, Var};

/// Largest relative error of a value, a first derivative and a second derivative.
const BOUNDS: [f64; 3] = [1e-15, 1e-15, 1e-14];

/// Where `std` or `libm` itself is further off: the operation, how many derivatives were taken, what is reached, and why.
const EXCEPTIONS: &[(&str, usize, f64, &str)] = &[
    ("acosh", 0, 1e-8, "`std` takes the logarithm of a sum close to 1"),
    (
        "atanh",
        0,
        1e-9,
        "`std` takes the logarithm of a quotient, which of negative numbers is close to 0",
    ),
    ("powi", 0, 1e-6, "repeated multiplication: the error grows with the exponent"),
    (
        "log_sum_exp",
        1,
        1e-13,
        "small weights have the rounding of their difference to the largest term",
    ),
    ("log_sum_exp", 2, 1e-13, "likewise"),
];

const POINTS: &str = include_str!("points.txt");

trait Function {
    fn at<T: Real>(&self, x: &[T]) -> T;
}

/// An operation: a row of the table, with a fixed integer argument if it has one, or an operation on slices.
#[derive(Clone, Copy)]
enum Operation {
    Row(Op, Option<f64>),
    Norm,
    LogSumExp,
}

impl Function for Operation {
    fn at<T: Real>(&self, x: &[T]) -> T {
        match *self {
            Self::Row(op, None) => op.apply(x),
            Self::Row(op, Some(n)) => op.apply(&[x[0], T::from_f64(n)]),
            Self::Norm => tape::norm(x),
            Self::LogSumExp => tape::log_sum_exp(x),
        }
    }
}

/// One point: the arguments, and the value, first and second derivatives there with the scale of each.
struct Point {
    arguments: Vec<f64>,
    truth: Vec<Option<(f64, f64)>>,
}

struct Block {
    name: &'static str,
    float: &'static str,
    operation: Operation,
    points: Vec<Point>,
}

fn number(bits: &str) -> f64 {
    f64::from_bits(u64::from_str_radix(bits, 16).unwrap())
}

fn quantity(field: &str) -> Option<(f64, f64)> {
    match field.split_once('~') {
        _ if field == "-" => None,
        Some((value, scale)) => Some((number(value), number(scale))),
        None => Some((number(field), number(field).abs())),
    }
}

fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut arity = 0;
    for line in POINTS.lines() {
        let fields: Vec<&'static str> = line.split(' ').collect();
        if let [name, float @ ("f64" | "f32"), index, count] = fields[..] {
            let operation = match name {
                "norm" => Operation::Norm,
                "log_sum_exp" => Operation::LogSumExp,
                _ => Operation::Row(Op::from_name(name).unwrap(), index.parse().ok()),
            };
            arity = count.parse().unwrap();
            blocks.push(Block { name, float, operation, points: Vec::new() });
        } else {
            let (arguments, truth) = fields.split_at(arity);
            blocks.last_mut().unwrap().points.push(Point {
                arguments: arguments.iter().map(|bits| number(bits)).collect(),
                truth: truth.iter().map(|field| quantity(field)).collect(),
            });
        }
    }
    blocks
}

/// The value, the first derivatives, and the upper half of the second, row by row.
type Derivatives = Vec<f64>;

fn by_duals<T: Real>(f: &impl Function, x: &[T]) -> Derivatives {
    let n = x.len();
    let at = |i: usize, j: usize| {
        let unit = |k: usize, i: usize| T::from_f64(f64::from(u8::from(k == i)));
        let inner = |k: usize| Dual::new(x[k], unit(k, j));
        let x: Vec<_> = (0..n).map(|k| Dual::new(inner(k), Dual::constant(unit(k, i)))).collect();
        f.at(&x)
    };
    let mut all = vec![at(0, 0).value.value];
    all.extend((0..n).map(|i| at(i, i).tangent.value));
    all.extend(
        (0..n).flat_map(|i| (i..n).map(move |j| (i, j))).map(|(i, j)| at(i, j).tangent.tangent),
    );
    all.into_iter().map(Real::primal).collect()
}

fn by_sweeps<T: Real>(f: &impl Function, x: &[T]) -> Derivatives {
    let n = x.len();
    let (value, gradient) = tape::gradient(|x: &[Var<T>]| f.at(x), x);
    let (_, _, hessian) = tape::hessian(|x: &[Var<T>]| f.at(x), x);
    let mut all = vec![value];
    all.extend(gradient);
    all.extend(
        (0..n).flat_map(|i| (i..n).map(move |j| i * n + j)).map(|place| hessian.data[place]),
    );
    all.into_iter().map(Real::primal).collect()
}

/// The largest error so far, where, and what came out there.
#[derive(Clone, Debug, Default)]
struct Worst {
    error: f64,
    at: Vec<f64>,
    got: f64,
    right: f64,
}

/// In units of 1e-16, those of `f32` scaled by the ratio of the two types' precision.
impl Display for Worst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.error * 1e16;
        if units < 1e4 { write!(f, "{units:9.1}") } else { write!(f, "{units:9.1e}") }
    }
}

#[derive(Default)]
struct Row {
    points: usize,
    worst: [Worst; 3],
}

fn measure(block: &Block, row: &mut Row) {
    row.points += block.points.len();
    for Point { arguments, truth } in &block.points {
        let (f, x) = (&block.operation, arguments);
        let ways = if block.float == "f64" {
            [by_duals(f, x), by_sweeps(f, x)]
        } else {
            let x: Vec<f32> = x.iter().map(|&x| x as f32).collect();
            [by_duals(f, &x), by_sweeps(f, &x)]
        };
        let unit = if block.float == "f64" { 1.0 } else { 2.0_f64.powi(-29) };
        for got in ways {
            for (place, (&got, right)) in got.iter().zip(truth).enumerate() {
                let Some((right, scale)) = *right else { continue };
                let order = if place == 0 { 0 } else { 1 + usize::from(place > x.len()) };
                let error = match (got - right).abs() {
                    0.0 => 0.0,
                    error if error.is_nan() => f64::INFINITY,
                    error => error / scale * unit,
                };
                if error > row.worst[order].error {
                    row.worst[order] = Worst { error, at: x.clone(), got, right };
                }
            }
        }
    }
}

fn bound(name: &str, order: usize) -> f64 {
    let exception = EXCEPTIONS.iter().find(|(op, of, ..)| *op == name && *of == order);
    exception.map_or(BOUNDS[order], |(_, _, bound, _)| *bound)
}

fn table(float: &str) {
    let blocks = blocks();
    let mut failures = String::new();
    println!("{float:13} points     value     first    second   (units of 1e-16)");
    let mut names: Vec<&str> = blocks.iter().map(|block| block.name).collect();
    names.dedup();
    names.truncate(names.iter().position(|name| *name == "log_sum_exp").unwrap() + 1);
    for name in names {
        let mut row = Row::default();
        for block in blocks.iter().filter(|block| block.name == name && block.float == float) {
            measure(block, &mut row);
        }
        let [value, first, second] = &row.worst;
        println!("{name:13} {:6} {value} {first} {second}", row.points);
        for (order, worst) in row.worst.iter().enumerate() {
            if worst.error > bound(name, order) {
                let Worst { error, at, got, right } = worst;
                failures += &format!(
                    "\n{name}, derivative {order}, at {at:?}: {got:e}, not {right:e}: off by {error:.1e}"
                );
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn derivatives_are_accurate_over_the_whole_range_of_f64() {
    table("f64");
}

#[test]
fn derivatives_are_accurate_over_the_whole_range_of_f32() {
    table("f32");
}

#[test]
fn every_row_of_the_table_of_operations_is_measured() {
    let blocks = blocks();
    for op in Op::ALL {
        for float in ["f64", "f32"] {
            let block = blocks.iter().find(|b| b.name == op.name() && b.float == float);
            assert!(
                block.is_some_and(|b| b.points.len() >= 5),
                "{} of {float}: add it to points.py",
                op.name()
            );
        }
    }
}
