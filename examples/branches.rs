//! Differentiates functions with branches: a tax, whose brackets are branches, and a planet's place, which takes more or
//! fewer steps of Newton's method to find.
//!
//! Goal: see what a program does where a point takes another path than the traced one, and how `Function` retraces by
//! itself. Prerequisite: the example `your_own_function`.
//! Run it with `cargo run --release --example branches`, and with `-- --help` for its options.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::Parser;
use tape::{Error, Function, Program, Real, Var};

/// Differentiates functions with branches, each path traced once.
#[derive(Parser)]
struct Options {
    /// An income to tax, besides those of the table
    #[arg(long, default_value_t = 65_000.0)]
    income: f64,
    /// How round the planet's orbit is: 0 for a circle, below 1 for an ellipse
    #[arg(long, default_value_t = 0.9)]
    eccentricity: f64,
    /// How close to 0 Newton's method brings the residual
    #[arg(long, default_value_t = 1e-10)]
    tolerance: f64,
    /// At how many times the planet's place is asked for
    #[arg(long, default_value_t = 10_000)]
    times: u32,
    /// How many paths are kept
    #[arg(long, default_value_t = 64)]
    limit: usize,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let eccentricity = options.eccentricity;
    ensure!((0.0..1.0).contains(&eccentricity), "an ellipse has an eccentricity from 0 to below 1");
    ensure!(options.tolerance >= 1e-13, "rounding leaves more than {:e}", options.tolerance);
    taxes(&options)?;
    orbit(&options)
}

/// Upper end of a bracket, and the rate within it.
const BRACKETS: [(f64, f64); 4] =
    [(12_000.0, 0.0), (60_000.0, 0.2), (250_000.0, 0.4), (f64::INFINITY, 0.5)];

/// The tax on an income: each bracket's rate on what falls into it. The loop ends by a comparison of the income.
fn tax<T: Real + PartialOrd>(income: T) -> T {
    let mut tax = T::from_f64(0.0);
    let mut lower = T::from_f64(0.0);
    for (upper, rate) in BRACKETS {
        let (upper, rate) = (T::from_f64(upper), T::from_f64(rate));
        if income <= upper {
            return tax + rate * (income - lower);
        }
        tax += rate * (upper - lower);
        lower = upper;
    }
    tax
}

fn taxes(options: &Options) -> Result<()> {
    println!("1. A tax whose brackets are branches");
    let program = Program::trace(|x| tax(x[0]), &[20_000.0])?;
    println!("The program traced at an income of 20,000:\n{program}");
    let (value, gradient) = program.gradient(&[30_000.0])?;
    println!("At 30,000, on the same path: tax {value}, of the next unit {}", gradient[0]);
    match program.gradient(&[100_000.0]) {
        Err(error @ Error::Diverged { .. }) => println!("At 100,000: {error}"),
        other => println!("At 100,000: {other:?}"),
    }

    println!("\nA function retraces where it must:");
    let function = Function::new(|x: &[Var]| tax(x[0])).with_limit(options.limit);
    println!("{:>12}  {:>10}  {:>13}  traced", "income", "tax", "marginal rate");
    let kink = 60_000.0;
    for income in [5_000.0, 30_000.0, kink, kink + 0.01, 100_000.0, 40_000.0, 1e6, options.income] {
        let (value, gradient) = function.gradient(&[income])?;
        println!("{income:>12}  {value:>10.2}  {:>13}  {}", gradient[0], function.traced());
    }
    println!("Paths kept: {}", function.paths());
    Ok(())
}

/// The eccentric anomaly: the root of E − e·sin E − M, for the mean anomaly M, which is proportional to time.
fn kepler(x: &[Var], tolerance: f64) -> Var {
    let [anomaly, eccentricity] = [x[0], x[1]];
    let mut e = anomaly + 0.85 * eccentricity;
    loop {
        let residual = e - eccentricity * e.sin() - anomaly;
        e -= residual / (1.0 - eccentricity * e.cos());
        // The step has been made all the same: a derivative is one step behind its value.
        if residual.abs() <= tolerance {
            return e;
        }
    }
}

fn orbit(options: &Options) -> Result<()> {
    let &Options { eccentricity, tolerance, times, .. } = options;
    println!("\n2. A planet's place by Newton's method, at {times} times");
    let function = Function::new(|x: &[Var]| kepler(x, tolerance)).with_limit(options.limit);
    // Through the half of the orbit in which the planet recedes, in no order: each path is met again and again.
    let anomalies: Vec<f64> = (0..times)
        .map(|i| core::f64::consts::PI * (f64::from(i) * 0.618_033_988_749_895).fract())
        .collect();
    let mut furthest: f64 = 0.0;
    for &anomaly in &anomalies {
        let (e, gradient) = function.gradient(&[anomaly, eccentricity])?;
        // By the implicit function theorem.
        let slope = 1.0 - eccentricity * e.cos();
        let errors = [gradient[0] * slope - 1.0, gradient[1] * slope - e.sin()];
        furthest = errors.iter().fold(furthest, |furthest, error| furthest.max(error.abs()));
    }
    println!("Paths kept: {}, traced: {}", function.paths(), function.traced());
    println!("Replays: {}, for {times} gradients", function.replayed());
    println!("Furthest from the implicit function theorem: {furthest:.1e}");

    // The shortest of several rounds: in the others the machine did something else besides.
    let time = |gradient: &dyn Fn(&[f64])| {
        let round = |_| {
            let clock = Instant::now();
            for &anomaly in &anomalies {
                gradient(&[anomaly, eccentricity]);
            }
            clock.elapsed().as_secs_f64() * 1e6 / f64::from(times.max(1))
        };
        (0..10).map(round).fold(f64::INFINITY, f64::min)
    };
    let replayed = time(&|x| {
        black_box(function.gradient(x)).ok();
    });
    let recorded = time(&|x| {
        black_box(tape::gradient(|x| kepler(x, tolerance), x));
    });
    println!("µs per gradient: {replayed:.2} by the function, {recorded:.2} recorded anew");
    Ok(())
}
