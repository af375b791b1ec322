//! Functions that people differentiate, whose operations do not repeat much: what a gradient costs recorded anew, and by a
//! program, beside a peer.

mod dynamics;
mod finance;
mod statistics;

use std::hint::black_box;
use std::time::Instant;

use echidna::{BReverse, BytecodeTape};
use num_traits::Float;
use tape::{Function, Program, Var, Workspace};

use crate::report;

type Recorded = echidna::Reverse<f64>;
type Replayed = BReverse<f64>;

/// One case: the same generic function on plain numbers and on everybody's variables.
pub struct Case {
    name: &'static str,
    /// Whether the path depends on the point, so that a [`Function`] keeps the paths.
    branches: bool,
    plain: fn(&[f64]) -> f64,
    var: fn(&[Var]) -> Var,
    recorded: fn(&[Recorded]) -> Recorded,
    replayed: fn(&[Replayed]) -> Replayed,
    point: Vec<f64>,
}

macro_rules! case {
    ($name:literal, $function:path, $point:expr) => {
        case!($name, $function, $point, false)
    };
    ($name:literal, $function:path, $point:expr, $branches:literal) => {
        Case {
            name: $name,
            branches: $branches,
            plain: $function,
            var: $function,
            recorded: $function,
            replayed: $function,
            point: $point,
        }
    };
}

fn cases() -> Vec<Case> {
    vec![
        case!(
            "Black–Scholes, 5 inputs",
            finance::black_scholes,
            vec![100.0, 95.0, 0.03, 0.25, 0.7]
        ),
        case!("arm of 7 joints", dynamics::arm, vec![0.3, -0.5, 0.7, 0.2, -0.9, 0.4, 0.1]),
        case!(
            "Lotka–Volterra, RK4, 100 steps",
            dynamics::lotka_volterra,
            vec![1.1, 0.4, 0.1, 0.4, 10.0, 5.0]
        ),
        case!(
            "implicit Euler, 5 × 5 solves, 10 steps",
            dynamics::implicit_euler,
            vec![0.5, 1.0, 1.5, 2.0, 2.5]
        ),
        case!("Kepler's equation, Newton (`Function`)", dynamics::kepler, vec![1.2, 0.4], true),
        case!("Kalman filter, 50 observations", statistics::kalman, vec![-1.0, -2.0, 0.9]),
        case!(
            "eight schools, 10 inputs",
            statistics::eight_schools,
            (0..10).map(|i| 0.1 * f64::from(i) + 0.2).collect()
        ),
        case!(
            "logistic regression, 20 coefficients, 50 rows",
            statistics::logistic_regression,
            vec![0.1; 20]
        ),
        case!(
            "neural network 10-10-1",
            statistics::neural_network,
            (0..121).map(|i| f64::from(i % 7) * 0.1 - 0.3).collect()
        ),
        case!("Rosenbrock of 10", dynamics::rosenbrock, vec![0.5; 10]),
        case!("Rosenbrock of 1,000", dynamics::rosenbrock, vec![0.5; 1_000]),
        case!("Rosenbrock of 100,000", dynamics::rosenbrock, vec![0.5; 100_000]),
    ]
}

/// Nanoseconds of a call: the least of many turns, each some milliseconds long.
fn nanoseconds(mut call: impl FnMut()) -> f64 {
    const TURN: f64 = 2e-3;
    let time = |call: &mut dyn FnMut(), times: usize| {
        let start = Instant::now();
        (0..times).for_each(|_| call());
        start.elapsed().as_secs_f64() / times as f64
    };
    let once = time(&mut call, 1).min(time(&mut call, 1));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some turns")]
    let times = (TURN / once).ceil().max(1.0) as usize;
    let turns = if once > 0.1 { 3 } else { 15 };
    (0..turns).map(|_| time(&mut call, times)).fold(f64::INFINITY, f64::min) * 1e9
}

/// Measures every case and prints the table: nanoseconds of value and gradient.
pub fn print() {
    let header = [
        "function",
        "operations",
        "plain f64",
        "one-shot",
        "replay",
        "replay / one-shot",
        "ns/operation",
        "trace, in one-shots",
        "echidna 0.15 grad",
        "echidna 0.15 replay",
        "echidna replay / replay",
    ];
    let rows: Vec<Vec<String>> = cases().iter().map(row).collect();
    println!(
        "{}",
        report::table(
            comfy_table::presets::ASCII_MARKDOWN,
            header.map(str::to_owned).to_vec(),
            rows.into_iter()
        )
    );
}

fn row(case: &Case) -> Vec<String> {
    let x = &case.point[..];
    let plain = nanoseconds(|| {
        black_box((case.plain)(black_box(x)));
    });
    let one_shot = nanoseconds(|| drop(black_box(tape::gradient(case.var, black_box(x)))));
    let program = Program::trace(case.var, x).expect("it can be traced");
    let (mut workspace, mut gradient) = (Workspace::default(), vec![0.0; x.len()]);
    let replay = if case.branches {
        let function = Function::new(case.var);
        nanoseconds(|| drop(black_box(function.gradient(black_box(x)))))
    } else {
        nanoseconds(|| {
            drop(black_box(program.gradient_into(black_box(x), &mut workspace, &mut gradient)))
        })
    };
    let trace = nanoseconds(|| drop(black_box(Program::trace(case.var, black_box(x)))));
    let grad = nanoseconds(|| drop(black_box(echidna::grad(case.recorded, black_box(x)))));
    let mut tape: BytecodeTape<f64> = echidna::record(case.replayed, x).0;
    let mut adjoints = Vec::new();
    // A peer's recording does not notice another path, so a case with branches has no replay to be compared with.
    let peer = (!case.branches).then(|| {
        nanoseconds(|| drop(black_box(tape.gradient_with_buf(black_box(x), &mut adjoints))))
    });
    check(case, &tape::gradient(case.var, x).1, &tape.gradient_with_buf(x, &mut adjoints));
    let (count, number) = (program.len(), |x: f64| {
        if x < 100.0 { format!("{x:.1}") } else { report::thousands(x.round() as usize) }
    });
    vec![
        case.name.to_owned(),
        report::thousands(count),
        number(plain),
        number(one_shot),
        number(replay),
        format!("{:.2}", replay / one_shot),
        format!("{:.1}", replay / count as f64),
        format!("{:.0}", trace / one_shot),
        number(grad),
        peer.map(number).unwrap_or_default(),
        peer.map(|peer| format!("{:.2}", peer / replay)).unwrap_or_default(),
    ]
}

/// # Panics
/// When two engines differ.
fn check(case: &Case, ours: &[f64], theirs: &[f64]) {
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{}: {a}, not {b}", case.name);
    }
}

/// A constant of the number's type.
fn constant<T: Float>(x: f64) -> T {
    T::from(x).expect("every number of these engines takes an f64")
}
