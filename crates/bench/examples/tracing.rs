//! What it costs to make a program: nanoseconds and bytes an operation, from small functions to ten million operations.
//!
//! ```text
//! cargo run --release --manifest-path crates/bench/Cargo.toml --ignore-rust-version --example tracing
//! ```
//!
//! Bytes are the most that are allocated at a time beyond what was there before, the tape's own list included where it has to
//! grow. With `--large`, also the functions that take gigabytes.

use std::time::{Duration, Instant};

use tape::{Program, Var};

/// Prey after so many steps of Lotka and Volterra's equations by Runge and Kutta's method: operations in a chain.
fn prey(x: &[Var], steps: usize) -> Var {
    let rates = |x: &[Var], [prey, predators]: [Var; 2]| {
        let met = prey * predators;
        [x[0] * prey - x[1] * met, x[2] * met - x[3] * predators]
    };
    let mut state = [x[4], x[5]];
    for _ in 0..steps {
        let ahead = |by: f64, k: [Var; 2]| [state[0] + k[0] * by, state[1] + k[1] * by];
        let k1 = rates(x, state);
        let k2 = rates(x, ahead(0.005, k1));
        let k3 = rates(x, ahead(0.005, k2));
        let k4 = rates(x, ahead(0.01, k3));
        let mean = |i: usize| (k1[i] + k2[i] * 2.0 + k3[i] * 2.0 + k4[i]) * (0.01 / 6.0);
        state = [state[0] + mean(0), state[1] + mean(1)];
    }
    state[0]
}

/// Rosenbrock's chained function: like operations that do not depend on each other.
fn rosenbrock(x: &[Var]) -> Var {
    x.windows(2).fold(Var::constant(0.0), |sum, x| {
        let (a, b) = (x[0] - 1.0, x[1] - x[0] * x[0]);
        sum + a * a + b * b * 100.0
    })
}

/// The logarithm of the determinant of an n × n covariance, by Cholesky's method, element by element.
fn ln_determinant(x: &[Var], n: usize) -> Var {
    let mut factor: Vec<Vec<Var>> = Vec::with_capacity(n);
    for i in 0..n {
        let mut row: Vec<Var> = Vec::with_capacity(i + 1);
        for (j, other) in factor.iter().enumerate() {
            let distance = (i as f64 - j as f64).powi(2) * 0.01;
            let covariance = x[0] * x[0] * (x[1] * -distance).exp();
            let rest = row.iter().zip(other).fold(covariance, |rest, (&a, &b)| rest - a * b);
            row.push(rest / other[j]);
        }
        let variance = x[0] * x[0] + x[2] * x[2];
        row.push(row.iter().fold(variance, |rest, &a| rest - a * a).sqrt());
        factor.push(row);
    }
    factor.iter().map(|row| row[row.len() - 1].ln()).sum::<Var>() * 2.0
}

fn measure(name: &str, f: impl Fn(&[Var]) -> Var, x: &[f64]) {
    let mut least = [Duration::MAX; 2];
    let (mut operations, mut bytes) = (1, 0);
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(1) {
        let start = Instant::now();
        std::hint::black_box(tape::gradient(&f, x));
        least[0] = least[0].min(start.elapsed());
        let info = allocation_counter::measure(|| {
            let start = Instant::now();
            let program = Program::trace(&f, x).expect("the function can be traced");
            least[1] = least[1].min(start.elapsed());
            operations = program.len();
        });
        bytes = info.bytes_max;
    }
    let [recorded, traced] = least.map(|time| time.as_secs_f64());
    println!(
        "{name:<32}{operations:>12}{:>16.0}{:>16.0}{:>16.1}",
        traced * 1e9 / operations as f64,
        bytes as f64 / operations as f64,
        traced / recorded
    );
}

fn main() {
    println!(
        "{:<32}{:>12}{:>16}{:>16}{:>16}",
        "", "operations", "ns each", "bytes each", "one-shots"
    );
    let start = [1.1, 0.4, 0.1, 0.4, 10.0, 5.0];
    let is_large = std::env::args().any(|argument| argument == "--large");
    for steps in [10, 100, 10_000, 300_000] {
        if steps < 100_000 || is_large {
            measure(&format!("Lotka–Volterra, {steps} steps"), |x| prey(x, steps), &start);
        }
    }
    for n in [10, 1_000, 100_000, 1_000_000] {
        if n < 1_000_000 || is_large {
            measure(&format!("Rosenbrock of {n}"), rosenbrock, &vec![0.5; n]);
        }
    }
    for n in [40, 120, 200] {
        measure(&format!("determinant of {n} × {n}"), |x| ln_determinant(x, n), &[1.0, 0.5, 0.3]);
    }
}
