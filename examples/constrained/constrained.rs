//! Minimises functions under constraints, by sequential quadratic programming with exact second derivatives.
//!
//! Goal: write the function and its constraints as one function with several outputs, and leave the Jacobian and the Hessian of the
//! Lagrangian to the engine. The method is in `src/lib.rs`; the crate `clarabel` solves its quadratic problems.
//! Run it with `cargo run --release --example constrained`, and with `-- --help` for its options.
//!
//! The problems, starts and minima are those of Hock and Schittkowski, Test Examples for Nonlinear Programming Codes, Lecture Notes
//! in Economics and Mathematical Systems 187, 1981, by their numbers there. The minimum of 112 is that of later work: the book's
//! own, −47.707579, is not the least.

#[path = "../support/end.rs"]
mod end;

use std::f64::consts::SQRT_2;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use constrained::{Solution, minimize};
use tape::{Program, Var};

use crate::end::end;

/// Minimises problems of Hock and Schittkowski by sequential quadratic programming.
#[derive(Parser)]
struct Options {
    /// Only the problem of this number, and where its minimum is
    #[arg(value_name = "NUMBER")]
    only: Option<u32>,
}

/// Minimise `outputs[0]` where the next `equalities` outputs are 0, the others at least 0, and x is within `bounds`.
struct Problem {
    number: u32,
    outputs: fn(&[Var]) -> Vec<Var>,
    equalities: usize,
    /// For each input in turn; those that are left out have none.
    bounds: &'static [[f64; 2]],
    start: &'static [f64],
    minimum: f64,
}

const FREE: f64 = f64::INFINITY;
const POSITIVE: [f64; 2] = [0.0, FREE];

const PROBLEMS: &[Problem] = &[
    Problem {
        number: 6,
        outputs: |x| vec![(1.0 - x[0]).powi(2), 10.0 * (x[1] - x[0] * x[0])],
        equalities: 1,
        bounds: &[],
        start: &[-1.2, 1.0],
        minimum: 0.0,
    },
    Problem {
        number: 7,
        outputs: |x| {
            let square = x[0] * x[0];
            vec![square.ln_1p() - x[1], (1.0 + square).powi(2) + x[1] * x[1] - 4.0]
        },
        equalities: 1,
        bounds: &[],
        start: &[2.0, 2.0],
        minimum: -1.732_050_808,
    },
    Problem {
        number: 26,
        outputs: |x| {
            vec![
                (x[0] - x[1]).powi(2) + (x[1] - x[2]).powi(4),
                (1.0 + x[1] * x[1]) * x[0] + x[2].powi(4) - 3.0,
            ]
        },
        equalities: 1,
        bounds: &[],
        start: &[-2.6, 2.0, 2.0],
        minimum: 0.0,
    },
    Problem {
        number: 28,
        outputs: |x| {
            vec![
                (x[0] + x[1]).powi(2) + (x[1] + x[2]).powi(2),
                x[0] + 2.0 * x[1] + 3.0 * x[2] - 1.0,
            ]
        },
        equalities: 1,
        bounds: &[],
        start: &[-4.0, 1.0, 1.0],
        minimum: 0.0,
    },
    Problem {
        number: 35,
        outputs: |x| {
            let (a, b, c) = (x[0], x[1], x[2]);
            vec![
                9.0 - 8.0 * a - 6.0 * b - 4.0 * c
                    + 2.0 * a * a
                    + 2.0 * b * b
                    + c * c
                    + 2.0 * a * (b + c),
                3.0 - a - b - 2.0 * c,
            ]
        },
        equalities: 0,
        bounds: &[POSITIVE; 3],
        start: &[0.5; 3],
        minimum: 1.0 / 9.0,
    },
    Problem {
        number: 39,
        outputs: |x| {
            vec![-x[0], x[1] - x[0].powi(3) - x[2] * x[2], x[0] * x[0] - x[1] - x[3] * x[3]]
        },
        equalities: 2,
        bounds: &[],
        start: &[2.0; 4],
        minimum: -1.0,
    },
    Problem {
        number: 40,
        outputs: |x| {
            vec![
                -x[0] * x[1] * x[2] * x[3],
                x[0].powi(3) + x[1] * x[1] - 1.0,
                x[0] * x[0] * x[3] - x[2],
                x[3] * x[3] - x[1],
            ]
        },
        equalities: 3,
        bounds: &[],
        start: &[0.8; 4],
        minimum: -0.25,
    },
    Problem {
        number: 43,
        outputs: |x| {
            let (a, b, c, d) = (x[0], x[1], x[2], x[3]);
            let [aa, bb, cc, dd] = [a * a, b * b, c * c, d * d];
            vec![
                aa + bb + 2.0 * cc + dd - 5.0 * a - 5.0 * b - 21.0 * c + 7.0 * d,
                8.0 - aa - bb - cc - dd - a + b - c + d,
                10.0 - aa - 2.0 * bb - cc - 2.0 * dd + a + d,
                5.0 - 2.0 * aa - bb - cc - 2.0 * a + b + d,
            ]
        },
        equalities: 0,
        bounds: &[],
        start: &[0.0; 4],
        minimum: -44.0,
    },
    Problem {
        number: 63,
        outputs: |x| {
            let (a, b, c) = (x[0], x[1], x[2]);
            vec![
                1000.0 - a * a - 2.0 * b * b - c * c - a * (b + c),
                8.0 * a + 14.0 * b + 7.0 * c - 56.0,
                a * a + b * b + c * c - 25.0,
            ]
        },
        equalities: 2,
        bounds: &[POSITIVE; 3],
        start: &[2.0; 3],
        minimum: 961.715_172_1,
    },
    Problem {
        number: 65,
        outputs: |x| {
            let (a, b, c) = (x[0], x[1], x[2]);
            vec![
                (a - b).powi(2) + (a + b - 10.0).powi(2) / 9.0 + (c - 5.0).powi(2),
                48.0 - a * a - b * b - c * c,
            ]
        },
        equalities: 0,
        bounds: &[[-4.5, 4.5], [-4.5, 4.5], [-5.0, 5.0]],
        start: &[-5.0, 5.0, 0.0],
        minimum: 0.953_528_856_7,
    },
    Problem {
        number: 71,
        outputs: |x| {
            vec![
                x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2],
                tape::dot(x, x) - 40.0,
                x[0] * x[1] * x[2] * x[3] - 25.0,
            ]
        },
        equalities: 1,
        bounds: &[[1.0, 5.0]; 4],
        start: &[1.0, 5.0, 5.0, 1.0],
        minimum: 17.014_017_3,
    },
    Problem {
        number: 76,
        outputs: |x| {
            let (a, b, c, d) = (x[0], x[1], x[2], x[3]);
            vec![
                a * a + 0.5 * b * b + c * c + 0.5 * d * d - a * c + c * d - a - 3.0 * b + c - d,
                5.0 - a - 2.0 * b - c - d,
                4.0 - 3.0 * a - b - 2.0 * c + d,
                b + 4.0 * c - 1.5,
            ]
        },
        equalities: 0,
        bounds: &[POSITIVE; 4],
        start: &[0.5; 4],
        minimum: -4.681_818_181,
    },
    Problem {
        number: 77,
        outputs: |x| {
            vec![
                (x[0] - 1.0).powi(2)
                    + (x[0] - x[1]).powi(2)
                    + (x[2] - 1.0).powi(2)
                    + (x[3] - 1.0).powi(4)
                    + (x[4] - 1.0).powi(6),
                x[0] * x[0] * x[3] + (x[3] - x[4]).sin() - 2.0 * SQRT_2,
                x[1] + x[2].powi(4) * x[3] * x[3] - 8.0 - SQRT_2,
            ]
        },
        equalities: 2,
        bounds: &[],
        start: &[2.0; 5],
        minimum: 0.241_505_13,
    },
    Problem {
        number: 78,
        outputs: |x| [vec![x[0] * x[1] * x[2] * x[3] * x[4]], three_surfaces(x)].concat(),
        equalities: 3,
        bounds: &[],
        start: &[-2.0, 1.5, 2.0, -1.0, -1.0],
        minimum: -2.919_700_41,
    },
    Problem {
        number: 79,
        outputs: |x| {
            vec![
                (x[0] - 1.0).powi(2)
                    + (x[0] - x[1]).powi(2)
                    + (x[1] - x[2]).powi(2)
                    + (x[2] - x[3]).powi(4)
                    + (x[3] - x[4]).powi(4),
                x[0] + x[1] * x[1] + x[2].powi(3) - 2.0 - 3.0 * SQRT_2,
                x[1] - x[2] * x[2] + x[3] + 2.0 - 2.0 * SQRT_2,
                x[0] * x[4] - 2.0,
            ]
        },
        equalities: 3,
        bounds: &[],
        start: &[2.0; 5],
        minimum: 0.078_776_820_9,
    },
    Problem {
        number: 80,
        outputs: |x| [vec![(x[0] * x[1] * x[2] * x[3] * x[4]).exp()], three_surfaces(x)].concat(),
        equalities: 3,
        bounds: &[[-2.3, 2.3], [-2.3, 2.3], [-3.2, 3.2], [-3.2, 3.2], [-3.2, 3.2]],
        start: &[-2.0, 2.0, 2.0, -1.0, -1.0],
        minimum: 0.053_949_847_8,
    },
    // The design of a transformer.
    Problem {
        number: 93,
        outputs: |x| {
            let core = x[0] * x[3] * (x[0] + x[1] + x[2]);
            let coil = x[1] * x[2] * (x[0] + 1.57 * x[1] + x[3]);
            let [current, flux] = [core * x[4] * x[4], coil * x[5] * x[5]];
            vec![
                0.0204 * core + 0.0187 * coil + 0.0607 * current + 0.0437 * flux,
                0.001 * x[0] * x[1] * x[2] * x[3] * x[4] * x[5] - 2.07,
                1.0 - 0.000_62 * current - 0.000_58 * flux,
            ]
        },
        equalities: 0,
        bounds: &[POSITIVE; 6],
        start: &[5.54, 4.4, 12.02, 11.82, 0.702, 0.852],
        minimum: 135.075_961,
    },
    Problem {
        number: 100,
        outputs: |x| {
            vec![
                (x[0] - 10.0).powi(2)
                    + 5.0 * (x[1] - 12.0).powi(2)
                    + x[2].powi(4)
                    + 3.0 * (x[3] - 11.0).powi(2)
                    + 10.0 * x[4].powi(6)
                    + 7.0 * x[5] * x[5]
                    + x[6].powi(4)
                    - 4.0 * x[5] * x[6]
                    - 10.0 * x[5]
                    - 8.0 * x[6],
                127.0
                    - 2.0 * x[0] * x[0]
                    - 3.0 * x[1].powi(4)
                    - x[2]
                    - 4.0 * x[3] * x[3]
                    - 5.0 * x[4],
                282.0 - 7.0 * x[0] - 3.0 * x[1] - 10.0 * x[2] * x[2] - x[3] + x[4],
                196.0 - 23.0 * x[0] - x[1] * x[1] - 6.0 * x[5] * x[5] + 8.0 * x[6],
                -4.0 * x[0] * x[0] - x[1] * x[1] + 3.0 * x[0] * x[1]
                    - 2.0 * x[2] * x[2]
                    - 5.0 * x[5]
                    + 11.0 * x[6],
            ]
        },
        equalities: 0,
        bounds: &[],
        start: &[1.0, 2.0, 0.0, 4.0, 0.0, 1.0, 1.0],
        minimum: 680.630_057_3,
    },
    // The equilibrium of a chemical reaction.
    Problem {
        number: 112,
        outputs: |x| {
            let free_energy = [
                -6.089, -17.164, -34.054, -5.914, -24.721, -14.986, -24.1, -10.708, -26.662,
                -22.179,
            ];
            let all = tape::sum(x);
            let energies: Vec<Var> = x
                .iter()
                .zip(free_energy)
                .map(|(&x, energy)| x * (energy + (x / all).ln()))
                .collect();
            vec![
                tape::sum(&energies),
                x[0] + 2.0 * x[1] + 2.0 * x[2] + x[5] + x[9] - 2.0,
                x[3] + 2.0 * x[4] + x[5] + x[6] - 1.0,
                x[2] + x[6] + x[7] + 2.0 * x[8] + x[9] - 1.0,
            ]
        },
        equalities: 3,
        bounds: &[[1e-6, FREE]; 10],
        start: &[0.1; 10],
        minimum: -47.761_090_26,
    },
    Problem {
        number: 113,
        outputs: |x| {
            vec![
                x[0] * x[0] + x[1] * x[1] + x[0] * x[1] - 14.0 * x[0] - 16.0 * x[1]
                    + (x[2] - 10.0).powi(2)
                    + 4.0 * (x[3] - 5.0).powi(2)
                    + (x[4] - 3.0).powi(2)
                    + 2.0 * (x[5] - 1.0).powi(2)
                    + 5.0 * x[6] * x[6]
                    + 7.0 * (x[7] - 11.0).powi(2)
                    + 2.0 * (x[8] - 10.0).powi(2)
                    + (x[9] - 7.0).powi(2)
                    + 45.0,
                105.0 - 4.0 * x[0] - 5.0 * x[1] + 3.0 * x[6] - 9.0 * x[7],
                -10.0 * x[0] + 8.0 * x[1] + 17.0 * x[6] - 2.0 * x[7],
                8.0 * x[0] - 2.0 * x[1] - 5.0 * x[8] + 2.0 * x[9] + 12.0,
                -3.0 * (x[0] - 2.0).powi(2) - 4.0 * (x[1] - 3.0).powi(2) - 2.0 * x[2] * x[2]
                    + 7.0 * x[3]
                    + 120.0,
                -5.0 * x[0] * x[0] - 8.0 * x[1] - (x[2] - 6.0).powi(2) + 2.0 * x[3] + 40.0,
                -0.5 * (x[0] - 8.0).powi(2) - 2.0 * (x[1] - 4.0).powi(2) - 3.0 * x[4] * x[4]
                    + x[5]
                    + 30.0,
                -x[0] * x[0] - 2.0 * (x[1] - 2.0).powi(2) + 2.0 * x[0] * x[1] - 14.0 * x[4]
                    + 6.0 * x[5],
                3.0 * x[0] - 6.0 * x[1] - 12.0 * (x[8] - 8.0).powi(2) + 7.0 * x[9],
            ]
        },
        equalities: 0,
        bounds: &[],
        start: &[2.0, 3.0, 5.0, 5.0, 1.0, 2.0, 7.0, 3.0, 6.0, 10.0],
        minimum: 24.306_209_1,
    },
];

/// The constraints that 78 and 80 share.
fn three_surfaces(x: &[Var]) -> Vec<Var> {
    vec![tape::dot(x, x) - 10.0, x[1] * x[2] - 5.0 * x[3] * x[4], x[0].powi(3) + x[1].powi(3) + 1.0]
}

fn main() -> ExitCode {
    end(run(&Options::parse(), &mut io::stdout().lock()))
}

fn run(options: &Options, out: &mut impl Write) -> Result<()> {
    let is_chosen = |problem: &&Problem| options.only.is_none_or(|only| only == problem.number);
    let numbers: Vec<String> = PROBLEMS.iter().map(|problem| problem.number.to_string()).collect();
    ensure!(
        PROBLEMS.iter().any(|problem| is_chosen(&problem)),
        "the problems are {}",
        numbers.join(", ")
    );

    writeln!(out, "problem  inputs  outputs  iterations          found      published  violation")?;
    let (mut all, mut agreeing) = (0, 0);
    for problem in PROBLEMS.iter().filter(is_chosen) {
        let Problem { number, minimum, .. } = problem;
        let program = problem.trace()?;
        let solution = minimize(&program, problem.equalities, problem.start)
            .with_context(|| format!("problem {number}"))?;
        all += 1;
        agreeing += usize::from(problem.agrees(&solution));
        let Solution { x, value, iterations, violation, .. } = &solution;
        let (inputs, outputs) = (program.inputs(), program.outputs());
        writeln!(
            out,
            "{number:>7}{inputs:>8}{outputs:>9}{iterations:>12}{value:>15.7}{minimum:>15.7}{violation:>11.0e}",
        )?;
        if options.only.is_some() {
            writeln!(out, "x = {x:.6?}")?;
        }
    }
    Ok(writeln!(out, "{agreeing} of {all} minima agree with the published ones to {AGREEMENT:e}.")?)
}

/// How far a minimum may be from the published one, relative to it where that is above 1.
const AGREEMENT: f64 = 1e-6;

impl Problem {
    /// Bounds become outputs too: x − lower ≥ 0 and upper − x ≥ 0.
    fn trace(&self) -> Result<Program, tape::Error> {
        let outputs = |x: &[Var]| {
            let mut outputs = (self.outputs)(x);
            for (&x, &[lower, upper]) in x.iter().zip(self.bounds) {
                outputs.extend(lower.is_finite().then(|| x - lower));
                outputs.extend(upper.is_finite().then(|| upper - x));
            }
            outputs
        };
        Program::trace(outputs, self.start)
    }

    fn agrees(&self, solution: &Solution) -> bool {
        let error = (solution.value - self.minimum).abs();
        error <= AGREEMENT * self.minimum.abs().max(1.0) && solution.violation <= AGREEMENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_minimum_is_the_published_one() {
        for problem in PROBLEMS {
            let program = problem.trace().unwrap();
            let solution = minimize(&program, problem.equalities, problem.start).unwrap();
            assert!(problem.agrees(&solution), "{}: {solution:?}", problem.number);
        }
    }

    #[test]
    fn an_unknown_number_is_answered_with_the_known_ones() {
        let error = run(&Options { only: Some(8) }, &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("6, 7, 26"), "{error}");
    }
}
