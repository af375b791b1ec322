//! A trace forgets nothing: derivatives traced at one point and asked at another are those that are computed there.
//!
//! Points and programs are drawn at random; `WENGERT_CASES` says how many programs (300 unless it is set). The longer
//! run: `WENGERT_CASES=100000 cargo test --release -p tape --test scenarios traces::`

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use tape::{Dual, Op, Program, Real, Var};

use crate::expression::{Expression, Step};
use crate::function::Function;
use crate::own::Own;

fn cases() -> u32 {
    std::env::var("WENGERT_CASES")
        .map_or(300, |cases| cases.parse().expect("WENGERT_CASES is a number"))
}

/// An operation of the table as an expression, with an integer where one is taken.
fn of_op(op: Op, integer: i32) -> Expression {
    let variables = if takes_integer(op) { 1 } else { op.arity().unwrap() };
    let mut steps: Vec<Step> = (0..variables).map(Step::Variable).collect();
    steps.push(Step::Operation(op, (0..variables).collect(), integer));
    Expression { steps, result: variables }
}

fn takes_integer(op: Op) -> bool {
    matches!(op, Op::Powi | Op::Polygamma)
}

/// The expressions of an operation: one for each integer that it is tried with.
fn all_of_op(op: Op) -> Vec<Expression> {
    let integers: &[i32] = match op {
        Op::Powi => &[-3, -1, 0, 1, 2, 3, 7],
        Op::Polygamma => &[0, 1, 2],
        _ => &[0],
    };
    integers.iter().map(|&integer| of_op(op, integer)).collect()
}

/// Derivatives by the ways that are traced, and by the same ways at the point itself.
struct Derivatives {
    /// What it is, the numbers, and whether they are second derivatives.
    parts: [(&'static str, Vec<f64>, Order); 4],
}

#[derive(Clone, Copy, PartialEq)]
enum Order {
    First,
    Second,
    /// By a program's own sweep, which adds up in another order: where a term is infinite, it may have cancelled.
    SecondBySweep,
}

impl Derivatives {
    fn new(gradient: Vec<f64>, dual: Vec<f64>, hessian: Vec<f64>, sweeps: Vec<f64>) -> Self {
        let parts = [
            ("traced gradient", gradient, Order::First),
            ("traced Dual", dual, Order::First),
            ("traced Hessian", hessian, Order::Second),
            ("Jacobian of a traced gradient", sweeps, Order::SecondBySweep),
        ];
        Self { parts }
    }

    fn direct(f: &Expression, x: &[f64]) -> Self {
        let (_, gradient) = tape::gradient(|x: &[Var]| f.at(x), x);
        let hessian = tape::hessian(|x: &[Var]| f.at(x), x).2.data;
        let nested = |x: &[Var]| gradient_of(f, x);
        let sweeps = tape::jacobian(nested, x).1.data;
        Self::new(gradient, dual_of(f, x), hessian, sweeps)
    }

    fn numbers(&self) -> impl Iterator<Item = f64> {
        self.parts.iter().flat_map(|(_, numbers, _)| numbers.iter().copied())
    }
}

fn gradient_of(f: &Expression, x: &[Var]) -> Vec<Var> {
    tape::gradient(|x: &[Var<Var>]| f.at(x), x).1
}

fn dual_of<T: Real>(f: &Expression, x: &[T]) -> Vec<T> {
    let along = |i| -> Dual<T> {
        let unit = |j| T::from_f64(if i == j { 1.0 } else { 0.0 });
        f.at(&x.iter().enumerate().map(|(j, &x)| Dual::new(x, unit(j))).collect::<Vec<_>>())
    };
    (0..x.len()).map(|i| along(i).tangent).collect()
}

/// Programs of a function's derivatives, made at one point.
struct Traced {
    gradient: Program,
    dual: Program,
    hessian: Program,
    /// Of each component of the gradient: with one output it is replayed by `f64`'s own functions.
    components: Vec<Program>,
}

impl Traced {
    fn at(f: &Expression, x: &[f64]) -> Self {
        let hessian = |x: &[Var]| tape::hessian(|x: &[Var<Var>]| f.at(x), x).2.data;
        let component = |i: usize| Program::trace(|x| gradient_of(f, x)[i], x).unwrap();
        Self {
            gradient: Program::trace(|x| gradient_of(f, x), x).unwrap(),
            dual: Program::trace(|x| dual_of(f, x), x).unwrap(),
            hessian: Program::trace(hessian, x).unwrap(),
            components: (0..x.len()).map(component).collect(),
        }
    }

    /// What the programs give at a point.
    fn asked(&self, x: &[f64]) -> Derivatives {
        let of = |program: &Program| program.values(x).expect("an expression has no branches");
        let rows = self.components.iter().map(|component| component.gradient(x).unwrap().1);
        let sweeps = rows.flatten().collect();
        Derivatives::new(of(&self.gradient), of(&self.dual), of(&self.hessian), sweeps)
    }
}

/// Rounding errors are relative to the sizes of the terms that make a number.
struct Scales {
    gradient: Vec<f64>,
    hessian: Vec<f64>,
}

/// The first number that does not agree, in words. Where the terms of a number are not all finite, their sizes say
/// nothing, but whether the number is finite is compared.
fn compare(right: &Derivatives, got: &Derivatives, scales: &Scales) -> Result<(), String> {
    for ((what, right, order), (_, got, _)) in right.parts.iter().zip(&got.parts) {
        let scales = if *order == Order::First { &scales.gradient } else { &scales.hessian };
        for (place, ((&right, &got), &scale)) in right.iter().zip(got).zip(scales).enumerate() {
            if *order == Order::SecondBySweep && !scale.is_finite() {
                continue;
            }
            let size = if scale.is_finite() { right.abs().max(scale) } else { f64::MAX };
            let is_right = got == right
                || (got.is_nan() && right.is_nan())
                || (got.is_finite() && right.is_finite() && (got - right).abs() <= 1e-11 * size);
            if !is_right {
                return Err(format!(
                    "{what}[{place}] is {got:e}, not {right:e} (terms of {scale:e})"
                ));
            }
        }
    }
    Ok(())
}

/// Kinks, ties, zeros of both signs, and what lies between.
const ON_KINKS: [f64; 10] = [-2.5, -1.0, -0.5, -0.0, 0.0, 0.25, 0.5, 1.0, 2.0, 3.0];
const NOT_ORDINARY: [f64; 8] =
    [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 0.0, -1.0, 1e300, -1e-300, 2.0];

/// All points whose coordinates are of these; some of them where there would be too many.
fn grid(coordinates: &[f64], dimension: usize) -> Vec<Vec<f64>> {
    let n = coordinates.len();
    let count = n.pow(dimension as u32);
    let step = if count > 300 { 7 } else { 1 };
    let point =
        |number: usize| (0..dimension).map(|i| coordinates[number / n.pow(i as u32) % n]).collect();
    (0..count).step_by(step).map(point).collect()
}

/// Whether `f64` computes the operation there: bounds in the wrong order panic.
fn is_defined(op: Op, x: &[f64]) -> bool {
    op != Op::Clamp || x[1] <= x[2]
}

/// A point in the operation's ranges.
fn in_ranges(op: Op, variables: usize) -> impl Strategy<Value = Vec<f64>> {
    op.ranges()[..variables].to_vec()
}

/// Every operation, traced at each of `traced` and asked at each of `asked`.
fn check_op(op: Op, traced: &[Vec<f64>], asked: &[Vec<f64>], failures: &mut Vec<String>) {
    for f in all_of_op(op) {
        let defined = |x: &&Vec<f64>| is_defined(op, x);
        let right = |x: &Vec<f64>| (x.clone(), Derivatives::direct(&f, x), sizes(&f, x));
        let right: Vec<_> = asked.iter().filter(defined).map(right).collect();
        let mut told = 0;
        for at in traced.iter().filter(defined) {
            let programs = Traced::at(&f, at);
            for (x, right, scales) in &right {
                if let Err(why) = compare(right, &programs.asked(x), scales) {
                    told += 1;
                    if told <= 3 {
                        failures.push(format!("{f}\n    traced at {at:?}, asked at {x:?}: {why}"));
                    }
                }
            }
        }
        if told > 3 {
            failures.push(format!("{f}\n    and {} more", told - 3));
        }
    }
}

fn check_all_ops(points: impl Fn(Op, usize) -> (Vec<Vec<f64>>, Vec<Vec<f64>>)) {
    let mut failures = Vec::new();
    for &op in Op::ALL {
        let variables = if takes_integer(op) { 1 } else { op.arity().unwrap() };
        let (traced, asked) = points(op, variables);
        check_op(op, &traced, &asked, &mut failures);
    }
    assert!(failures.is_empty(), "\n{}\n{} lines", failures.join("\n"), failures.len());
}

#[test]
fn derivatives_of_every_operation_are_the_same_on_all_sides_of_its_kinks() {
    check_all_ops(|_, variables| {
        let points = grid(&ON_KINKS, variables);
        // Of three arguments there are too many pairs.
        let traced = points.iter().step_by(1 + points.len() / 40).cloned().collect();
        (traced, points)
    });
}

#[test]
fn derivatives_of_every_operation_are_the_same_where_numbers_are_not_finite() {
    check_all_ops(|_, variables| {
        let points = grid(&NOT_ORDINARY, variables);
        let ordinary = vec![1.5; variables];
        let traced =
            points.iter().step_by(1 + points.len() / 20).cloned().chain([ordinary.clone()]);
        (traced.collect(), points.iter().cloned().chain([ordinary]).collect())
    });
}

#[test]
fn derivatives_of_every_operation_are_the_same_at_random_points() {
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let mut draw = |op, variables| -> Vec<f64> {
        in_ranges(op, variables).new_tree(&mut runner).unwrap().current()
    };
    let runner = std::cell::RefCell::new(&mut draw);
    check_all_ops(|op, variables| {
        let mut draw = runner.borrow_mut();
        let mut points = |count| (0..count).map(|_| draw(op, variables)).collect::<Vec<_>>();
        (points(8), points(30))
    });
}

/// A step as it is drawn: what its arguments are is decided when the program is laid out.
#[derive(Clone, Debug)]
struct Draft {
    kind: Kind,
    arguments: Vec<Argument>,
    integer: i32,
    /// How an argument is brought into the range of the operation.
    by_clamp: bool,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Row(Op),
    Sum,
    WeightedSum,
    Dot,
    Norm,
    LogSumExp,
    Stopped,
    Own(Own),
}

#[derive(Clone, Copy, Debug)]
enum Argument {
    Back(usize),
    Constant(f64),
}

fn kinds() -> Vec<Kind> {
    const KINKS: [Op; 12] = [
        Op::Abs,
        Op::Relu,
        Op::Max,
        Op::Min,
        Op::Clamp,
        Op::Select,
        Op::Hypot,
        Op::Powf,
        Op::Atan2,
        Op::Rem,
        Op::Floor,
        Op::Signum,
    ];
    let rows = Op::ALL.iter().chain(&KINKS).chain(&KINKS).map(|&op| Kind::Row(op));
    rows.chain([
        Kind::Sum,
        Kind::WeightedSum,
        Kind::Dot,
        Kind::Norm,
        Kind::LogSumExp,
        Kind::Stopped,
        Kind::Own(Own::Three),
        Kind::Own(Own::Calling),
    ])
    .collect()
}

/// Mostly on a coarse grid, so that programs meet their kinks.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![3 => (-6_i32..=6).prop_map(|halves| f64::from(halves) * 0.5), 1 => -3.0..3.0]
}

fn drafts() -> impl Strategy<Value = Vec<Draft>> {
    let argument = prop_oneof![
        6 => (1_usize..12).prop_map(Argument::Back),
        1 => number().prop_map(Argument::Constant),
    ];
    let arguments = prop::collection::vec(argument, 3..=6);
    let draft = (prop::sample::select(kinds()), arguments, -3..=4, any::<bool>());
    let draft = draft.prop_map(|(kind, arguments, integer, by_clamp)| Draft {
        kind,
        arguments,
        integer,
        by_clamp,
    });
    prop::collection::vec(draft, 1..16)
}

/// Lays out drafts as an expression whose result is the sum of all steps, so that each counts. An argument that leaves
/// the range of its operation at one of the points is folded into it.
fn lay_out(drafts: &[Draft], points: &[&[f64]]) -> Expression {
    let variables = points[0].len();
    let mut program = Layout {
        steps: (0..variables).map(Step::Variable).collect(),
        values: points.iter().map(|x| x.to_vec()).collect(),
    };
    for draft in drafts {
        let (count, ranges) = match draft.kind {
            Kind::Row(op) if takes_integer(op) => (1, op.ranges()),
            Kind::Row(op) => (op.arity().unwrap(), op.ranges()),
            Kind::Own(operation) => (operation.inputs(), [].as_slice()),
            _ => (draft.arguments.len(), [].as_slice()),
        };
        let mut places = Vec::new();
        for (i, argument) in draft.arguments.iter().take(count).enumerate() {
            let place = match *argument {
                Argument::Back(back) => program.steps.len() - 1 - (back - 1) % program.steps.len(),
                Argument::Constant(constant) => program.push(Step::Constant(constant)),
            };
            let range = ranges.get(i).cloned().unwrap_or(-10.0..10.0);
            places.push(program.fit(place, &range, draft.by_clamp));
        }
        let half = places.len() / 2;
        let step = match draft.kind {
            Kind::Row(op) => Step::Operation(op, places, draft.integer),
            Kind::Sum => Step::Sum(places),
            Kind::WeightedSum => {
                let weights = (0..places.len()).map(|i| i as f64 - 1.0).collect();
                Step::WeightedSum(weights, places)
            }
            Kind::Dot => Step::Dot(places[..half].to_vec(), places[half..2 * half].to_vec()),
            Kind::Norm => Step::Norm(places),
            Kind::LogSumExp => Step::LogSumExp(places),
            Kind::Stopped => Step::Stopped(places[0]),
            Kind::Own(operation) => {
                let output = draft.integer.unsigned_abs() as usize % operation.outputs();
                Step::Own(operation, places, output)
            }
        };
        program.push(step);
    }
    let result = program.push(Step::Sum((0..program.steps.len()).collect()));
    Expression { steps: program.steps, result }
}

struct Layout {
    steps: Vec<Step>,
    /// Of all steps, at each point.
    values: Vec<Vec<f64>>,
}

impl Layout {
    fn push(&mut self, step: Step) -> usize {
        for values in &mut self.values {
            let value = step.value(values, |step| values[step]);
            values.push(value);
        }
        self.steps.push(step);
        self.steps.len() - 1
    }

    fn fit(&mut self, place: usize, range: &std::ops::Range<f64>, by_clamp: bool) -> usize {
        if self.values.iter().all(|values| range.contains(&values[place])) {
            return place;
        }
        let mut constant = |number| self.push(Step::Constant(number));
        if by_clamp {
            let bounds = [constant(range.start), constant(range.end)];
            return self.push(Step::Operation(Op::Clamp, vec![place, bounds[0], bounds[1]], 0));
        }
        let half = constant((range.end - range.start) / 2.0);
        let middle = constant(f64::midpoint(range.end, range.start));
        let sine = self.push(Step::Operation(Op::Sin, vec![place], 0));
        self.push(Step::Operation(Op::MulAdd, vec![sine, half, middle], 0))
    }
}

/// The sums of |contribution| over all paths from the inputs to the result, of first and second derivatives. NaN or ∞
/// where a derivative on a path is.
fn sizes(f: &Expression, x: &[f64]) -> Scales {
    let n = x.len();
    let values: Vec<f64> = f.values(x);
    let mut first: Vec<Vec<f64>> = Vec::new();
    let mut second: Vec<Vec<f64>> = Vec::new();
    for step in &f.steps {
        let (mut sizes, mut curves) = (vec![0.0; n], vec![0.0; n * n]);
        if let Step::Variable(variable) = step {
            sizes[*variable] = 1.0;
        }
        let arguments = step.arguments();
        let along = |j: usize, k: usize| -> Dual<Dual> {
            let unit = |argument, of| Dual::constant(if argument == of { 1.0 } else { 0.0 });
            step.value(&[], |i| Dual::new(Dual::new(values[i], unit(i, k).value), unit(i, j)))
        };
        for &j in &arguments {
            let slope = along(j, j).tangent.value.abs();
            for i in 0..n {
                sizes[i] += through(slope, first[j][i]);
            }
            for (size, of_argument) in curves.iter_mut().zip(&second[j]) {
                *size += through(slope, *of_argument);
            }
            for &k in &arguments {
                let bend = along(j, k).tangent.tangent.abs() + slope;
                for place in 0..n * n {
                    curves[place] += bend * first[j][place / n] * first[k][place % n];
                }
            }
        }
        first.push(sizes);
        second.push(curves);
    }
    Scales { gradient: first[f.result].clone(), hessian: second[f.result].clone() }
}

/// What a step passes on of a size: nothing, where its own slope is 0, as in a dead branch.
fn through(slope: f64, size: f64) -> f64 {
    if slope == 0.0 { 0.0 } else { slope * size }
}

fn check_program(drafts: &[Draft], traced_at: &[f64], asked_at: &[f64]) -> Result<(), String> {
    let f = lay_out(drafts, &[traced_at, asked_at]);
    let right = Derivatives::direct(&f, asked_at);
    let got = Traced::at(&f, traced_at).asked(asked_at);
    compare(&right, &got, &sizes(&f, asked_at))
        .map_err(|why| format!("traced at {traced_at:?}, asked at {asked_at:?}: {why}\n{f}"))
}

/// Two points of one to three numbers.
fn two_points() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let point = |n| prop::collection::vec(number(), n);
    (1_usize..=3).prop_flat_map(move |n| (point(n), point(n)))
}

#[test]
fn derivatives_of_random_programs_are_the_same_wherever_they_were_traced() {
    let config = Config {
        cases: cases(),
        max_shrink_iters: 20_000,
        failure_persistence: None,
        ..Config::default()
    };
    let result =
        TestRunner::new(config).run(&(drafts(), two_points()), |(drafts, (traced, asked))| {
            check_program(&drafts, &traced, &asked).map_err(TestCaseError::fail)
        });
    if let Err(failure) = result {
        match failure {
            TestError::Fail(why, _) | TestError::Abort(why) => panic!("{why}"),
        }
    }
}

/// The property above is not empty.
#[test]
fn most_random_programs_have_derivatives_that_are_finite_and_not_0() {
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    let telling = std::cell::Cell::new(0);
    let result =
        TestRunner::new(config).run(&(drafts(), two_points()), |(drafts, (traced, asked))| {
            let f = lay_out(&drafts, &[&traced, &asked]);
            let derivatives = Derivatives::direct(&f, &asked);
            let is_finite = derivatives.numbers().all(f64::is_finite);
            let has_curvature = derivatives.parts[2].1.iter().any(|&entry| entry != 0.0);
            telling.set(telling.get() + u32::from(is_finite && has_curvature));
            Ok(())
        });
    assert!(result.is_ok());
    assert!(telling.get() > 100, "{} of 200", telling.get());
}
