//! Fits the 27 non-linear regression problems of NIST, and counts how many certified digits it reaches.
//!
//! Goal: write a model as a formula, and leave its Jacobian to the engine. The residuals of all observations are traced into one
//! `Program`; the crate `levenberg-marquardt` asks it for values and Jacobians and makes the steps.
//! Run it with `cargo run --release --example least_squares`, and with `-- --help` for its options.
//!
//! The problems are the Statistical Reference Datasets for non-linear regression of the National Institute of Standards and
//! Technology, <https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml>. Each file has the data, two starts, and the parameters
//! to 11 digits. Start 1 is far from the solution, start 2 is near.

#[path = "../support/end.rs"]
mod end;

use std::cell::Cell;
use std::f64::consts::{PI, TAU};
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt};
use nalgebra_034::{DMatrix, DVector, Dyn, Owned};
use tape::{Program, Var};

use crate::end::end;

/// Fits the non-linear regression problems of NIST by the method of Levenberg and Marquardt.
#[derive(Parser)]
struct Options {
    /// Only problems whose name contains this, and their parameters
    #[arg(value_name = "NAME")]
    only: Option<String>,
}

/// What the response should be, given the parameters b₁, b₂, … and the predictors of one observation.
type Model = fn(&[Var], &[f64]) -> Var;

macro_rules! problems {
    ($($name:literal $model:ident)*) => {
        [$(($name, $model as Model, include_str!(concat!("../data/nist/", $name, ".dat")))),*]
    };
}

/// Name, model and file of each problem, from easy to hard as NIST ranks them.
#[rustfmt::skip]
const PROBLEMS: [(&str, Model, &str); 27] = problems! {
    "Misra1a"  misra1a
    "Chwirut2" chwirut
    "Chwirut1" chwirut
    "Lanczos3" lanczos
    "Gauss1"   gauss
    "Gauss2"   gauss
    "DanWood"  dan_wood
    "Misra1b"  misra1b
    "Kirby2"   kirby2
    "Hahn1"    cubic_over_cubic
    "Nelson"   nelson
    "MGH17"    mgh17
    "Lanczos1" lanczos
    "Lanczos2" lanczos
    "Gauss3"   gauss
    "Misra1c"  misra1c
    "Misra1d"  misra1d
    "Roszman1" roszman1
    "ENSO"     enso
    "MGH09"    mgh09
    "Thurber"  cubic_over_cubic
    "BoxBOD"   misra1a
    "Rat42"    rat42
    "MGH10"    mgh10
    "Eckerle4" eckerle4
    "Rat43"    rat43
    "Bennett5" bennett5
};

fn misra1a(b: &[Var], x: &[f64]) -> Var {
    b[0] * (1.0 - (-b[1] * x[0]).exp())
}

fn misra1b(b: &[Var], x: &[f64]) -> Var {
    b[0] * (1.0 - (1.0 + b[1] * x[0] / 2.0).powi(-2))
}

fn misra1c(b: &[Var], x: &[f64]) -> Var {
    b[0] * (1.0 - 1.0 / (1.0 + 2.0 * b[1] * x[0]).sqrt())
}

fn misra1d(b: &[Var], x: &[f64]) -> Var {
    b[0] * b[1] * x[0] / (1.0 + b[1] * x[0])
}

fn chwirut(b: &[Var], x: &[f64]) -> Var {
    (-b[0] * x[0]).exp() / (b[1] + b[2] * x[0])
}

fn lanczos(b: &[Var], x: &[f64]) -> Var {
    let decay = |i: usize| b[i] * (-b[i + 1] * x[0]).exp();
    decay(0) + decay(2) + decay(4)
}

fn gauss(b: &[Var], x: &[f64]) -> Var {
    let peak = |i: usize| b[i] * (-((x[0] - b[i + 1]) / b[i + 2]).powi(2)).exp();
    b[0] * (-b[1] * x[0]).exp() + peak(2) + peak(5)
}

fn dan_wood(b: &[Var], x: &[f64]) -> Var {
    b[0] * (b[1] * x[0].ln()).exp()
}

fn kirby2(b: &[Var], x: &[f64]) -> Var {
    let x = x[0];
    (b[0] + x * (b[1] + x * b[2])) / (1.0 + x * (b[3] + x * b[4]))
}

fn cubic_over_cubic(b: &[Var], x: &[f64]) -> Var {
    let x = x[0];
    (b[0] + x * (b[1] + x * (b[2] + x * b[3]))) / (1.0 + x * (b[4] + x * (b[5] + x * b[6])))
}

/// Of the logarithm of the response.
fn nelson(b: &[Var], x: &[f64]) -> Var {
    b[0] - b[1] * x[0] * (-b[2] * x[1]).exp()
}

fn mgh09(b: &[Var], x: &[f64]) -> Var {
    let x = x[0];
    b[0] * (x * (x + b[1])) / (x * (x + b[2]) + b[3])
}

fn mgh10(b: &[Var], x: &[f64]) -> Var {
    b[0] * (b[1] / (x[0] + b[2])).exp()
}

fn mgh17(b: &[Var], x: &[f64]) -> Var {
    b[0] + b[1] * (-b[3] * x[0]).exp() + b[2] * (-b[4] * x[0]).exp()
}

fn roszman1(b: &[Var], x: &[f64]) -> Var {
    b[0] - b[1] * x[0] - (b[2] / (x[0] - b[3])).atan() / PI
}

/// A yearly wave and two of unknown periods.
fn enso(b: &[Var], x: &[f64]) -> Var {
    let year = TAU * x[0] / 12.0;
    let wave = |period: usize| {
        let angle = TAU * x[0] / b[period];
        b[period + 1] * angle.cos() + b[period + 2] * angle.sin()
    };
    b[0] + b[1] * year.cos() + b[2] * year.sin() + wave(3) + wave(6)
}

fn rat42(b: &[Var], x: &[f64]) -> Var {
    b[0] / (1.0 + (b[1] - b[2] * x[0]).exp())
}

fn rat43(b: &[Var], x: &[f64]) -> Var {
    b[0] / (1.0 + (b[1] - b[2] * x[0]).exp()).powf(1.0 / b[3])
}

fn eckerle4(b: &[Var], x: &[f64]) -> Var {
    b[0] / b[1] * (-0.5 * ((x[0] - b[2]) / b[1]).powi(2)).exp()
}

fn bennett5(b: &[Var], x: &[f64]) -> Var {
    b[0] * (b[1] + x[0]).powf(-1.0 / b[2])
}

/// Digits that a fit should reach.
const ENOUGH: f64 = 6.0;

fn main() -> ExitCode {
    end(run(&Options::parse(), &mut io::stdout().lock()))
}

fn run(options: &Options, out: &mut impl Write) -> Result<()> {
    let only = options.only.as_deref();
    let names = PROBLEMS.map(|(name, ..)| name);
    let is_chosen = |name: &str| only.is_none_or(|part| name.contains(part));
    ensure!(names.into_iter().any(is_chosen), "NIST's problems are {}", names.join(", "));

    writeln!(out, "                    certified digits of the worst")?;
    writeln!(out, "problem     start    parameter    standard error    evaluations    Jacobians")?;
    let (mut fits, mut reached) = (0, 0);
    for &(name, model, file) in PROBLEMS.iter().filter(|problem| is_chosen(problem.0)) {
        let problem = Problem::read(file).with_context(|| format!("cannot read {name}"))?;
        for (number, start) in (1..).zip(&problem.starts) {
            let fitted =
                fit(model, &problem, start).with_context(|| format!("cannot fit {name}"))?;
            let digits = worst_digits(&fitted.parameters, &problem.certified);
            let of_errors = worst_digits(&fitted.errors, &problem.errors);
            fits += 1;
            reached += usize::from(digits >= ENOUGH);
            let (evaluations, jacobians) = (fitted.evaluations, fitted.jacobians);
            writeln!(
                out,
                "{name:<12}{number:>5}{digits:>13.1}{of_errors:>18.1}{evaluations:>15}{jacobians:>13}",
            )?;
            if only.is_some() {
                show_parameters(&problem, start, &fitted, out)?;
            }
        }
    }
    Ok(writeln!(out, "{reached} of {fits} fits have {ENOUGH} digits in every parameter.")?)
}

fn show_parameters(
    problem: &Problem,
    start: &[f64],
    fitted: &Fitted,
    out: &mut impl Write,
) -> Result<()> {
    for (i, start) in start.iter().enumerate() {
        let (found, certified) = (fitted.parameters[i], problem.certified[i]);
        writeln!(out, "  b{} = {found:.10e} ± {:.4e}", i + 1, fitted.errors[i])?;
        writeln!(
            out,
            "       {certified:.10e} ± {:.4e} certified, from {start}",
            problem.errors[i]
        )?;
    }
    Ok(())
}

/// The logarithm of the relative error, of the parameter where it is worst. NIST gives 11 digits, so no more count.
fn worst_digits(found: &[f64], certified: &[f64]) -> f64 {
    let digits =
        |(found, certified): (&f64, &f64)| -((found - certified) / certified).abs().log10();
    found.iter().zip(certified).map(digits).fold(11.0, f64::min).max(0.0)
}

/// A file of NIST.
struct Problem {
    starts: [Vec<f64>; 2],
    certified: Vec<f64>,
    /// The standard errors of the certified values.
    errors: Vec<f64>,
    /// Response, then predictors.
    observations: Vec<Vec<f64>>,
}

impl Problem {
    fn read(file: &str) -> Result<Self> {
        let (head, data) = file.rsplit_once("\nData:").context("it has no data")?;
        let mut starts = [vec![], vec![]];
        let (mut certified, mut errors) = (vec![], vec![]);
        for line in head.lines() {
            // "b1 = start 1, start 2, certified value, standard error". A formula has an equals sign too.
            let Some((_, numbers)) = line.split_once('=') else { continue };
            if let Ok(&[start_1, start_2, value, error]) = numbers_in(numbers).as_deref() {
                starts[0].push(start_1);
                starts[1].push(start_2);
                certified.push(value);
                errors.push(error);
            }
        }
        ensure!(!certified.is_empty(), "it has no certified values");
        // The first line names the columns.
        let observations = data.lines().skip(1).filter(|line| !line.trim().is_empty());
        let mut observations = observations.map(numbers_in).collect::<Result<Vec<_>>>()?;
        // The one model of a logarithm has two predictors.
        for observation in observations.iter_mut().filter(|row| row.len() == 3) {
            observation[0] = observation[0].ln();
        }
        Ok(Self { starts, certified, errors, observations })
    }
}

fn numbers_in(text: &str) -> Result<Vec<f64>> {
    let number = |word: &str| word.parse().with_context(|| format!("{word:?} is no number"));
    text.split_whitespace().map(number).collect()
}

struct Fitted {
    parameters: Vec<f64>,
    errors: Vec<f64>,
    evaluations: usize,
    jacobians: usize,
}

/// One setting for every problem: as exact as the numbers allow, a first step no longer than the parameters themselves, and
/// patience, since one fit takes many steps along a curved valley.
fn fit(model: Model, problem: &Problem, start: &[f64]) -> Result<Fitted> {
    let residuals = |b: &[Var]| -> Vec<Var> {
        problem.observations.iter().map(|row| model(b, &row[1..]) - row[0]).collect()
    };
    let residuals = Residuals {
        program: Program::trace(residuals, start)?,
        parameters: DVector::from_column_slice(start),
        jacobians: Cell::new(0),
    };
    let solver =
        LevenbergMarquardt::new().with_tol(f64::EPSILON).with_stepbound(1.0).with_patience(10_000);
    let (fitted, report) = solver.minimize(residuals);
    let jacobians = fitted.jacobians.get();
    ensure!(report.termination.was_successful(), "the solver gave up: {:?}", report.termination);
    let jacobian = fitted.jacobian().context("no derivatives at the solution")?;
    let errors = standard_errors(jacobian, 2.0 * report.objective_function)
        .context("the observations do not determine the parameters")?;
    let parameters = fitted.parameters.data.into();
    Ok(Fitted { parameters, errors, evaluations: report.number_of_evaluations, jacobians })
}

/// The square roots of the diagonal of σ²·(JᵀJ)⁻¹. With J = QR that is σ²·R⁻¹·R⁻ᵀ.
fn standard_errors(jacobian: DMatrix<f64>, squares: f64) -> Option<Vec<f64>> {
    let free = jacobian.nrows() - jacobian.ncols();
    let deviation = (squares / free as f64).sqrt();
    let inverse = jacobian.qr().r().try_inverse()?;
    Some(inverse.row_iter().map(|row| deviation * row.norm()).collect())
}

/// A program as the solver wants it.
struct Residuals {
    program: Program,
    parameters: DVector<f64>,
    jacobians: Cell<usize>,
}

impl LeastSquaresProblem<f64, Dyn, Dyn> for Residuals {
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, Dyn>;
    type ParameterStorage = Owned<f64, Dyn>;

    fn set_params(&mut self, parameters: &DVector<f64>) {
        self.parameters.copy_from(parameters);
    }

    fn params(&self) -> DVector<f64> {
        self.parameters.clone()
    }

    fn residuals(&self) -> Option<DVector<f64>> {
        Some(self.program.values(self.parameters.as_slice()).ok()?.into())
    }

    fn jacobian(&self) -> Option<DMatrix<f64>> {
        self.jacobians.set(self.jacobians.get() + 1);
        let (_, jacobian) = self.program.jacobian(self.parameters.as_slice()).ok()?;
        Some(DMatrix::from_row_slice(jacobian.rows, jacobian.columns, &jacobian.data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn for_every_fit(check: impl Fn(&str, &Problem, &Fitted)) {
        for (name, model, file) in PROBLEMS {
            let problem = Problem::read(file).unwrap();
            for start in &problem.starts {
                check(name, &problem, &fit(model, &problem, start).unwrap());
            }
        }
    }

    #[test]
    fn every_parameter_has_six_certified_digits() {
        for_every_fit(|name, problem, fitted| {
            let digits = worst_digits(&fitted.parameters, &problem.certified);
            assert!(digits >= ENOUGH, "{name}: {digits} digits");
        });
    }

    /// Those of Lanczos1 are rounding errors: its data has no noise.
    #[test]
    fn every_standard_error_has_six_certified_digits() {
        for_every_fit(|name, problem, fitted| {
            let digits = worst_digits(&fitted.errors, &problem.errors);
            assert!(digits >= ENOUGH || name == "Lanczos1", "{name}: {digits} digits");
        });
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = run(&Options { only: Some("Misra2".into()) }, &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("Misra1a, Chwirut2"), "{error}");
    }

    #[test]
    fn a_file_without_data_is_refused() {
        assert!(Problem::read("b1 = 1 2 3 4").is_err());
    }
}
