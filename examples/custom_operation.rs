//! Puts computations on the tape that are not made of its operations: a table, and a root found by bisection.
//!
//! Goal: give the tape a value and its partials, computed in any way, and sweep through them. Prerequisite: the example
//! `your_own_function`. Run it with `cargo run --release --example custom_operation`.

use tape::check::{self, Verdict};
use tape::{Tape, Var};

fn main() {
    table();
    root();
}

/// Density of the air in kg/m³ at 0, 1, 2, … km above the sea, from the International Standard Atmosphere.
const DENSITY: [f64; 7] = [1.225, 1.112, 1.007, 0.9093, 0.8194, 0.7364, 0.6601];

/// The density at a height in km between two entries of the table, and its derivative: the slope of the line between.
fn density(height: f64) -> (f64, f64) {
    let below = height.clamp(0.0, DENSITY.len() as f64 - 2.0).floor();
    #[allow(clippy::cast_sign_loss, reason = "clamped to the table just above")]
    let index = below as usize;
    let slope = DENSITY[index + 1] - DENSITY[index];
    (DENSITY[index] + slope * (height - below), slope)
}

/// As an operation of the tape: the value, and one partial for each argument.
fn recorded_density(tape: &Tape, height: Var) -> Var {
    let (value, slope) = density(height.value());
    tape.custom(&[height], value, &[slope])
}

fn table() {
    println!("1. Pressure ½·ρ(h)·v² of the wind on a ball, with the density ρ from a table");
    let (height, speed) = (2.5, 20.0);
    let tape = Tape::new();
    let [h, v] = tape.vars([height, speed]);
    let density_here = recorded_density(&tape, h);
    let pressure = 0.5 * density_here * v * v;
    print!("{}", tape.show(pressure));
    println!("(v1 is h = {height} km, v2 is v = {speed} m/s)");
    println!(
        "The density is the mean of {} and {}, its slope their difference.",
        DENSITY[2], DENSITY[3]
    );

    let adjoints = tape.sweep(pressure);
    let plain = |x: &[f64]| 0.5 * density(x[0]).0 * x[1] * x[1];
    print_check(&["h", "v"], &[adjoints.wrt(h), adjoints.wrt(v)], plain, &[height, speed]);
}

/// The t with t³ + b·t = a for b > 0, by bisection.
fn root_of(a: f64, b: f64) -> f64 {
    let (mut below, mut above) = (-1.0 - a.abs() / b, 1.0 + a.abs() / b);
    loop {
        let middle = f64::midpoint(below, above);
        if middle <= below || middle >= above {
            return middle;
        }
        if middle * middle * middle + b * middle < a {
            below = middle;
        } else {
            above = middle;
        }
    }
}

/// As an operation of the tape. Recording the bisection would find no derivative: it only compares. The partials come
/// from differentiating t³ + b·t = a on both sides: (3t² + b)·dt + t·db = da.
fn recorded_root(tape: &Tape, a: Var, b: Var) -> Var {
    let t = root_of(a.value(), b.value());
    let slope = 3.0 * t * t + b.value();
    tape.custom(&[a, b], t, &[1.0 / slope, -t / slope])
}

fn root() {
    println!("\n2. The root t of t³ + b·t = a, found by bisection");
    let (a, b) = (10.0, 1.0);
    let tape = Tape::new();
    let [a_var, b_var] = tape.vars([a, b]);
    let t = recorded_root(&tape, a_var, b_var);
    println!(
        "At a = {a}, b = {b} the root is t = {}, with ∂t/∂a = 1/13 and ∂t/∂b = −2/13.",
        t.value()
    );

    let adjoints = tape.sweep(t);
    let plain = |x: &[f64]| root_of(x[0], x[1]);
    print_check(&["a", "b"], &[adjoints.wrt(a_var), adjoints.wrt(b_var)], plain, &[a, b]);
}

/// The derivatives beside numeric ones. Partials given by hand are worth checking: the tape believes them.
fn print_check(names: &[&str], exact: &[f64], plain: impl Fn(&[f64]) -> f64, x: &[f64]) {
    for (index, name) in names.iter().enumerate() {
        let along = |number: f64| {
            let mut x = x.to_vec();
            x[index] = number;
            plain(&x)
        };
        let numeric = check::derivative(along, x[index]);
        println!(
            "with respect to {name}: {:.10} (numerically {:.10})",
            exact[index], numeric.value
        );
    }
    let verdict: Verdict = check::gradient_of(&plain, exact, x);
    println!("verdict: {verdict}");
}
