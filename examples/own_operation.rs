//! A table with a spline through it, as an operation with its own rule: in a gradient, a Hessian, a program and a batch.
//!
//! Goal: write an operation once, over `Real`, and use it in every way that the crate has. Prerequisite: the example
//! `custom_operation`, whose operations know their partials at one point only. Run it with
//! `cargo run --release --example own_operation`.

use std::sync::Arc;

use tape::{Batch, Operation, Program, Real, Var, check};

fn main() -> Result<(), tape::Error> {
    let density = Arc::new(Spline::through(&DENSITY));
    println!(
        "1. One call tests the operation: against itself by every way, and against numeric derivatives"
    );
    println!("verdict: {}", check::operation(&density, &[2.3]));

    println!("\n2. Pressure ½·ρ(h)·v² of the wind, with the density ρ from the spline");
    let pressure = |x: &[Var]| 0.5 * tape::apply(&density, &[x[0]])[0] * x[1] * x[1];
    let here = [2.5, 20.0];
    let (value, gradient, hessian) = tape::hessian(pressure, &here);
    println!("at h = {} km, v = {} m/s: {value:.4} Pa", here[0], here[1]);
    println!("gradient: {:.5} Pa/km, {:.5} Pa/(m/s)", gradient[0], gradient[1]);
    println!("Hessian:\n{hessian:.5}");

    println!("\n3. A program: traced between 0 and 1 km, asked between 4 and 5 km");
    let program = Program::trace(pressure, &[0.5, 10.0])?;
    print!("{program}");
    let there = [4.7, 30.0];
    let (value, gradient) = program.gradient(&there)?;
    let anew = tape::gradient(pressure, &there);
    println!("guards: {}", program.guards());
    println!("gradient: {gradient:.5?}");
    println!("the same as recorded anew: {}", (value, gradient) == anew);

    println!("\n4. A batch: how high is the hill from which twelve balloons were let go?");
    let rows: Vec<[f64; 2]> = (0..12).map(|i| measured(&density, f64::from(i) * 0.35)).collect();
    // A row: the height above the hill, and the density there.
    let misfit = |hill: &[Var], row: &[Var]| {
        let error = tape::apply(&density, &[hill[0] + row[0]])[0] - row[1];
        error * error
    };
    let batch = Batch::trace(misfit, &[0.5], &rows[0])?;
    let mut hill = [0.5];
    for step in 0..6 {
        let (sum, slope, curvature) = batch.hessian(&hill, rows.as_flattened())?;
        println!("step {step}: hill {:.6} km, sum of squares {sum:.3e}", hill[0]);
        hill[0] -= slope[0] / curvature.data[0];
    }
    println!("the hill is {:.6} km high", hill[0]);
    Ok(())
}

/// Density of the air in kg/m³ at 0, 1, 2, … km above the sea, from the International Standard Atmosphere.
const DENSITY: [f64; 8] = [1.225, 1.112, 1.007, 0.9093, 0.8194, 0.7364, 0.6601, 0.5900];

/// The true height of the hill, in km.
const HILL: f64 = 1.2;

/// What a balloon measures so far above the hill.
fn measured(density: &Spline, above: f64) -> [f64; 2] {
    let mut y = [0.0];
    density.value(&[HILL + above], &mut y);
    [above, y[0]]
}

/// A cubic spline through values at 0, 1, 2, …, whose second derivative is 0 at both ends.
struct Spline {
    values: Vec<f64>,
    /// Its second derivatives there.
    bends: Vec<f64>,
}

impl Spline {
    /// The bends solve bᵢ₋₁ + 4·bᵢ + bᵢ₊₁ = 6·(yᵢ₋₁ − 2yᵢ + yᵢ₊₁): here by sweeps of Gauss and Seidel.
    fn through(values: &[f64]) -> Self {
        let mut bends = vec![0.0; values.len()];
        for _ in 0..60 {
            for i in 1..values.len() - 1 {
                let second = values[i - 1] - 2.0 * values[i] + values[i + 1];
                bends[i] = (6.0 * second - bends[i - 1] - bends[i + 1]) / 4.0;
            }
        }
        Self { values: values.to_vec(), bends }
    }

    /// The cell of a number, as an index, and how far into it the number is. An operation may look at the number: it does
    /// so again wherever it is asked.
    #[allow(clippy::cast_sign_loss, reason = "clamped to the table")]
    fn cell<T: Real>(&self, x: T) -> (usize, T) {
        let below = x.primal().floor().clamp(0.0, self.values.len() as f64 - 2.0);
        (below as usize, x - T::from_f64(below))
    }

    /// Value and bend at both ends of a cell.
    fn ends<T: Real>(&self, cell: usize) -> [T; 4] {
        let (values, bends) = (&self.values[cell..], &self.bends[cell..]);
        [values[0], values[1], bends[0], bends[1]].map(T::from_f64)
    }
}

impl Operation for Spline {
    fn name(&self) -> &'static str {
        "density"
    }

    fn inputs(&self) -> Option<usize> {
        Some(1)
    }

    fn outputs(&self, _: usize) -> usize {
        1
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let (cell, t) = self.cell(x[0]);
        let [left, right, bend_left, bend_right] = self.ends(cell);
        let rest = T::from_f64(1.0) - t;
        let sixth = T::from_f64(1.0 / 6.0);
        y[0] = rest * left
            + t * right
            + sixth * ((rest * rest * rest - rest) * bend_left + (t * t * t - t) * bend_right);
    }

    fn reverse<T: Real>(&self, x: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
        let (cell, t) = self.cell(x[0]);
        let [left, right, bend_left, bend_right] = self.ends(cell);
        let rest = T::from_f64(1.0) - t;
        let (one, three, sixth) = (T::from_f64(1.0), T::from_f64(3.0), T::from_f64(1.0 / 6.0));
        let of_bends = (one - three * rest * rest) * bend_left + (three * t * t - one) * bend_right;
        into[0] = adjoint[0] * (right - left + sixth * of_bends);
    }
}
