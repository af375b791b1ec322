//! What sparse derivatives cost: Hessians of Lagrangians in gradients, Jacobians in products, patterns and colours in seconds.
//!
//! ```text
//! cargo run --release --manifest-path crates/bench/Cargo.toml --example sparse
//! cargo run --release --manifest-path crates/bench/Cargo.toml --example sparse -- 5.6
//! ```
//!
//! A word picks the lines whose names contain it. Ratios are of minima, of turns that alternate in one run. The problems with
//! numbers are those of Lukšan and Vlček, "Sparse and partially separable test problems for unconstrained and equality
//! constrained optimization" (1999), section 5: the outputs are the objective and the constraints, all with the weight 1.

use std::hint::black_box;
use std::time::Instant;

use cpu_time::ThreadTime;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tape::{Program, Var, Workspace};

fn main() {
    let picked: Vec<String> = std::env::args().skip(1).collect();
    let is_picked = |name: &str| picked.is_empty() || picked.iter().any(|word| name.contains(word));
    println!("{:<44}{:>10}{:>12}{:>12}", "Hessian", "colours", "colouring", "gradients");
    for (name, problem, n) in HESSIANS {
        if is_picked(name) {
            hessian(name, *problem, *n);
        }
    }
    if is_picked("dense") {
        dense_hessian();
    }
    println!("\n{:<44}{:>10}{:>12}{:>12}", "Jacobian", "colours", "colouring", "gradients");
    for (name, n, rows, columns) in JACOBIANS {
        if is_picked(name) {
            jacobian(name, *n, *rows, *columns);
        }
    }
}

type Problem = fn(&[Var]) -> Vec<Var>;

const HESSIANS: &[(&str, Problem, usize)] = &[
    ("5.1, Rosenbrock, 10⁵", rosenbrock, 100_000),
    ("5.2, Wood and Broyden, 10⁵", wood, 100_000),
    ("5.4, Cragg and Levy, 10⁵", cragg_levy, 100_000),
    ("5.6, band of half-width 6, 10⁵", broyden, 100_000),
    ("5.1, Rosenbrock, 10⁶", rosenbrock, 1_000_000),
    ("5.6, band of half-width 6, 10⁶", broyden, 1_000_000),
    ("grid of five points, 10⁵", grid, 100_000),
    ("random graph, 10⁵", random_graph, 100_000),
    ("separable, 10⁵", separable, 100_000),
    ("5.6, band of half-width 6, 10³", broyden, 1000),
];

/// Columns and rows that are dense, of a matrix with a band of three.
const JACOBIANS: &[(&str, usize, usize, usize)] = &[
    ("band, 10⁵", 100_000, 0, 0),
    ("band and a dense column, 10⁵", 100_000, 0, 1),
    ("band and a dense row, 10⁵", 100_000, 1, 0),
    ("band, dense rows and columns, 10⁵", 100_000, 3, 3),
    ("band, dense rows and columns, 10⁶", 1_000_000, 2, 2),
];

fn hessian(name: &str, problem: Problem, n: usize) {
    let x = point(n);
    let program = Program::trace(problem, &x).expect("it can be traced");
    let weights = vec![1.0; program.outputs()];
    // One output and its pattern would do, but of a sum.
    let sum = Program::trace(|x: &[Var]| tape::sum(&problem(x)), &x).expect("it can be traced");
    let colors = if n <= 100_000 { sum.hessian_colors().unwrap() } else { 0 };
    drop(sum);
    let (cold, ()) = time(|| drop(black_box(program.weighted_sparse_hessian(&x, &weights))));
    let (mut workspace, mut gradient) = (Workspace::default(), vec![0.0; n]);
    let mut values = vec![0.0; program.outputs()];
    let [hessian, gradient] = minima([
        &mut || drop(black_box(program.weighted_sparse_hessian(&x, &weights))),
        &mut || {
            let done = program.vector_jacobian_into(
                &x,
                &weights,
                &mut workspace,
                &mut values,
                &mut gradient,
            );
            done.expect("the point is one of its own");
        },
    ]);
    let coloring = cold - hessian;
    println!("{name:<44}{colors:>10}{coloring:>11.2}s{:>11.2}×", hessian / gradient);
    println!("    gradient {:.2} ms", gradient * 1e3);
}

/// A Hessian of three inputs, of 16,000 operations that do not repeat.
fn dense_hessian() {
    let x = [0.4, 0.7, 1.1];
    let program = Program::trace(|x: &[Var]| irregular(x), &x).expect("it can be traced");
    let (mut workspace, mut gradient) = (Workspace::default(), [0.0; 3]);
    let (mut of_hessian, mut also, mut data) = (Workspace::default(), [0.0; 3], [0.0; 9]);
    let [hessian, one] = minima([
        &mut || {
            let value = program.hessian_into(&x, &mut of_hessian, &mut also, &mut data);
            drop(black_box(value));
        },
        &mut || drop(black_box(program.gradient_into(&x, &mut workspace, &mut gradient))),
    ]);
    let name = format!("dense, of 3 inputs and {} operations", program.len());
    println!("{name:<44}{:>10}{:>12}{:>11.2}×", 3, "", hessian / one);
}

fn jacobian(name: &str, n: usize, rows: usize, columns: usize) {
    let f = |x: &[Var]| banded(x, rows, columns);
    let x = point(n);
    let program = Program::trace(f, &x).expect("it can be traced");
    let (coloring, colors) = time(|| program.jacobian_colors());
    let weights = vec![1.0; program.outputs()];
    let [jacobian, gradient] =
        minima([&mut || drop(black_box(program.sparse_jacobian(&x))), &mut || {
            drop(black_box(program.vector_jacobian(&x, &weights)));
        }]);
    println!("{name:<44}{colors:>10}{coloring:>11.2}s{:>11.2}×", jacobian / gradient);
}

/// Seconds.
fn time<R>(work: impl FnOnce() -> R) -> (f64, R) {
    let start = ThreadTime::now();
    let result = work();
    (start.elapsed().as_secs_f64(), result)
}

fn minima(mut works: [&mut dyn FnMut(); 2]) -> [f64; 2] {
    let (begin, mut least) = (Instant::now(), [f64::INFINITY; 2]);
    let mut turns = 0;
    while turns < 7 || begin.elapsed().as_secs_f64() < 1.0 {
        for (least, work) in least.iter_mut().zip(works.iter_mut()) {
            *least = time(work).0.min(*least);
        }
        turns += 1;
    }
    least
}

fn point(n: usize) -> Vec<f64> {
    (0..n).map(|i| 0.5 + (i as f64 * 0.618_034).fract()).collect()
}

/// 5.1: Rosenbrock's function, with constraints of sines and exponentials.
fn rosenbrock(x: &[Var]) -> Vec<Var> {
    let term = |x: &[Var]| 100.0 * (x[0] * x[0] - x[1]).powi(2) + (x[0] - 1.0).powi(2);
    let constraint = |x: &[Var]| {
        let waves = (x[1] - x[2]).sin() * (x[1] + x[2]).sin();
        3.0 * x[1].powi(3) + 2.0 * x[2] - 5.0 + waves + 4.0 * x[1]
            - x[0] * (x[0] - x[1]).exp()
            - 3.0
    };
    outputs(x.windows(2).map(term), x.windows(3).map(constraint))
}

/// 5.2: Wood's function, with constraints of Broyden's in a band.
fn wood(x: &[Var]) -> Vec<Var> {
    let term = |x: &[Var]| {
        100.0 * (x[0] * x[0] - x[1]).powi(2)
            + (x[0] - 1.0).powi(2)
            + 90.0 * (x[2] * x[2] - x[3]).powi(2)
            + (x[2] - 1.0).powi(2)
            + 10.0 * (x[1] + x[3] - 2.0).powi(2)
            + (x[1] - x[3]).powi(2) / 10.0
    };
    let constraint = |k: usize| {
        let y = x[k + 5];
        let around = x[k.saturating_sub(5)..=k + 1].iter().map(|&x| x * (1.0 + x));
        (2.0 + 5.0 * y * y) * y + 1.0 + around.sum::<Var>()
    };
    outputs(x.windows(4).step_by(2).map(term), (0..x.len() - 7).map(constraint))
}

/// 5.4: Cragg and Levy's function, with constraints of three variables.
fn cragg_levy(x: &[Var]) -> Vec<Var> {
    let term = |x: &[Var]| {
        (x[0].exp() - x[1]).powi(4)
            + 100.0 * (x[1] - x[2]).powi(6)
            + (x[2] - x[3]).tan().powi(4)
            + x[0].powi(8)
            + (x[3] - 1.0).powi(2)
    };
    let constraint = |x: &[Var]| {
        8.0 * x[1] * (x[1] * x[1] - x[0]) - 2.0 * (1.0 - x[1]) + 4.0 * (x[1] - x[2] * x[2])
    };
    outputs(x.windows(4).step_by(2).map(term), x.windows(3).map(constraint))
}

/// 5.6: Broyden's function in a band, with constraints of exponentials.
fn broyden(x: &[Var]) -> Vec<Var> {
    let n = x.len();
    let term = |i: usize| {
        let around = x[i.saturating_sub(5)..=(i + 1).min(n - 1)].iter().map(|&x| x * (1.0 + x));
        let y = (2.0 + 5.0 * x[i] * x[i]) * x[i] + 1.0 + around.sum::<Var>();
        y.abs().powf(Var::constant(7.0 / 3.0))
    };
    let constraint = |x: &[Var]| 4.0 * x[1] - (x[0] - x[2]) * (x[0] - x[1] - x[2]).exp() - 3.0;
    outputs((0..n).map(term), x.windows(3).step_by(2).map(constraint))
}

/// Neighbours in a square.
fn grid(x: &[Var]) -> Vec<Var> {
    let side = x.len().isqrt();
    let right = (0..x.len()).filter(|i| i % side + 1 < side && i + 1 < x.len()).map(|i| (i, i + 1));
    let down = (0..x.len().saturating_sub(side)).map(|i| (i, i + side));
    let term = |(i, j): (usize, usize)| (x[i] * x[j]).sin() + x[i] * x[i];
    outputs(right.chain(down).map(term), core::iter::empty())
}

/// As many edges as vertices, anywhere.
fn random_graph(x: &[Var]) -> Vec<Var> {
    let mut random = StdRng::seed_from_u64(1);
    let mut any = || random.random_range(0..x.len());
    let terms: Vec<Var> = (0..x.len()).map(|_| (x[any()] * x[any()]).sin()).collect();
    outputs(terms, core::iter::empty())
}

fn separable(x: &[Var]) -> Vec<Var> {
    outputs(x.iter().map(|x| x.sin() * x.exp()), core::iter::empty())
}

fn outputs(
    terms: impl IntoIterator<Item = Var>,
    constraints: impl IntoIterator<Item = Var>,
) -> Vec<Var> {
    let objective = terms.into_iter().sum();
    core::iter::once(objective).chain(constraints).collect()
}

/// Each with its neighbours and the last variables, and sums of all: a band with dense columns and rows.
fn banded(x: &[Var], rows: usize, columns: usize) -> Vec<Var> {
    let common = &x[x.len() - columns..];
    let band = x.windows(3).map(|x| {
        let near = x[0] * x[1] - x[2].sin();
        common.iter().fold(near, |near, &common| near + common * x[1])
    });
    let sums = (0..rows).map(|k| x.iter().map(|x| (*x * (k as f64 + 1.0)).sin()).sum::<Var>());
    band.chain(sums).collect()
}

/// Chains of different operations.
fn irregular(x: &[Var]) -> Var {
    let [mut a, mut b, mut c] = [x[0], x[1], x[2]];
    for k in 0..2000 {
        let s = 0.1 + f64::from(k % 7) * 0.01;
        a = (a * s + b).sin() + c;
        b = b * (c * 0.1).cos() - a * s;
        c = c / (1.0 + a * a) + s;
    }
    a + b * c
}
