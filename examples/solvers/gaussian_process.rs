//! Fits a Gaussian process to the level of Lake Huron: its likelihood is one program of matrix operations.
//!
//! Goal: see a likelihood with a covariance matrix in it, whose derivatives cost about as much as a few likelihoods: the kernel
//! matrix is an operation of one's own, its Cholesky factor and the solve are the crate's. Run it with
//! `cargo run --release --example gaussian_process`, and with `-- --help` for its options.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context, Result};
use argmin::core::{CostFunction, Error, Executor, Gradient, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use clap::Parser;
use plotters::prelude::*;
use tape::{Matrix, Operation, Program, Real};

/// Fits a Gaussian process to the yearly level of Lake Huron, and predicts it with error bars.
#[derive(Parser)]
struct Options {
    /// Two columns: a year and a level
    #[arg(long, default_value = "examples/data/huron.csv")]
    data: PathBuf,
    /// Draw the prediction and its error bars here
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let data = &options.data;
    let (years, levels) = read(data).with_context(|| format!("cannot read {}", data.display()))?;
    let mean = levels.iter().sum::<f64>() / levels.len() as f64;
    let process = Process {
        kernel: Arc::new(Kernel { places: years.clone() }),
        numbers: levels.iter().map(|level| level - mean).collect(),
    };

    let start = [0.0, 1.0, -1.0];
    let program = Rc::new(Program::trace(|x| process.minus_ln_likelihood(x), &start)?);
    println!("{} years; the likelihood as a program:", years.len());
    print!("{}", shortened(&program.to_string()));

    let search = MoreThuenteLineSearch::new();
    let solver = LBFGS::new(search, 5).with_tolerance_grad(1e-7)?;
    let executor = Executor::new(Objective(Rc::clone(&program)), solver)
        .configure(|state| state.param(start.to_vec()).max_iters(100));
    let state = executor.run()?.state;
    let best = state.get_best_param().context("the solver has found nothing")?;

    let (value, gradient, hessian) = program.hessian(best)?;
    // Of the logarithms, whose standard errors are relative ones.
    let covariance = hessian.inverse()?;
    let slope = gradient.iter().fold(0.0, |most: f64, slope| most.max(slope.abs()));
    println!("\nL-BFGS: {} iterations, largest slope {slope:.1e}", state.get_iter());
    println!("ln likelihood: {:.6}", -value);
    for (i, name) in ["signal, feet", "length, years", "noise, feet"].iter().enumerate() {
        let error = covariance[(i, i)].sqrt() * 100.0;
        println!("{name:<14} {:.6} ± {error:.0} %", best[i].exp());
    }

    println!("\nyear    level   ± standard error");
    let last = years[years.len() - 1];
    for year in [years[0] + 0.5, last + 1.0, last + 3.0, last + 8.0] {
        let [level, error] = process.predict(best, year)?;
        println!("{year:.1}  {:.3}  {error:.3}", level + mean);
    }
    if let Some(path) = &options.plot {
        let from_to = (years[0] - 2.0, last + 10.0);
        draw(path, &process, best, from_to, mean)
            .with_context(|| format!("cannot draw {}", path.display()))?;
        println!("The prediction is drawn in {}", path.display());
    }
    Ok(())
}

/// Numbers at places, taken for a draw from a Gaussian process with mean 0.
struct Process {
    kernel: Arc<Kernel>,
    numbers: Vec<f64>,
}

impl Process {
    /// −ln p(y) = ½·yᵀ·K⁻¹·y + ½·ln |K| + n/2·ln 2π.
    fn minus_ln_likelihood<T: Real>(&self, x: &[T]) -> T {
        let n = self.numbers.len();
        let y: Vec<T> = self.numbers.iter().map(|&y| T::from_f64(y)).collect();
        let Ok(factor) = self.covariance(x).cholesky() else { return T::from_f64(f64::INFINITY) };
        let quadratic = T::dot(&y, &factor.solve(&y));
        let constant = n as f64 * core::f64::consts::TAU.ln();
        T::from_f64(0.5) * (quadratic + factor.ln_determinant() + T::from_f64(constant))
    }

    /// K, of which a factor needs the lower triangle.
    fn covariance<T: Real>(&self, x: &[T]) -> Matrix<T> {
        let n = self.numbers.len();
        let entries = tape::apply(&self.kernel, x);
        Matrix::from_fn(
            n,
            n,
            |i, j| {
                if j <= i { entries[i * (i + 1) / 2 + j] } else { T::from_f64(0.0) }
            },
        )
    }

    /// What is to be expected at a place, and its standard error, noise included.
    fn predict(&self, x: &[f64], place: f64) -> Result<[f64; 2], tape::Error> {
        let [signal, length, noise] = [x[0].exp(), x[1].exp(), x[2].exp()];
        let near = |other: &f64| signal * signal * closeness((place - other) / length);
        let near: Vec<f64> = self.kernel.places.iter().map(near).collect();
        let factor = self.covariance(x).cholesky()?;
        let weights = factor.solve(&near);
        let variance = signal * signal + noise * noise - f64::dot(&near, &weights);
        Ok([f64::dot(&weights, &self.numbers), variance.sqrt()])
    }
}

/// e^(−½·d²).
fn closeness(distance: f64) -> f64 {
    (-0.5 * distance * distance).exp()
}

/// The lower triangle of the covariance matrix, row by row, of the logarithms of signal, length and noise:
/// kᵢⱼ = signal²·e^(−½·(tᵢ − tⱼ)²/length²), and noise² more on the diagonal.
///
/// As operations of the tape it would be tens of thousands. Its rule is a sum over the entries.
struct Kernel {
    places: Vec<f64>,
}

impl Kernel {
    /// The places of each entry.
    fn pairs(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let rows = self.places.iter().enumerate();
        rows.flat_map(|(i, &a)| self.places[..=i].iter().map(move |&b| (a, b)))
    }
}

impl Operation for Kernel {
    fn name(&self) -> &'static str {
        "kernel"
    }

    fn inputs(&self) -> Option<usize> {
        Some(3)
    }

    fn outputs(&self, _: usize) -> usize {
        self.places.len() * (self.places.len() + 1) / 2
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let variance = (x[0] + x[0]).exp();
        let scale = T::from_f64(-0.5) * (T::from_f64(-2.0) * x[1]).exp();
        let noise = (x[2] + x[2]).exp();
        for (entry, (a, b)) in y.iter_mut().zip(self.pairs()) {
            *entry = variance * (scale * T::from_f64((a - b) * (a - b))).exp();
            if a == b {
                *entry += noise;
            }
        }
    }

    /// ∂k/∂ln signal = 2·k, ∂k/∂ln length = k·d²/length², and on the diagonal ∂k/∂ln noise = 2·noise².
    fn reverse<T: Real>(&self, x: &[T], y: &[T], adjoint: &[T], into: &mut [T]) {
        let two = T::from_f64(2.0);
        let per_square = (T::from_f64(-2.0) * x[1]).exp();
        let noise = (x[2] + x[2]).exp();
        for ((&adjoint, &entry), (a, b)) in adjoint.iter().zip(y).zip(self.pairs()) {
            if a == b {
                into[0] += adjoint * two * (entry - noise);
                into[2] += adjoint * two * noise;
            } else {
                into[0] += adjoint * two * entry;
                into[1] += adjoint * entry * per_square * T::from_f64((a - b) * (a - b));
            }
        }
    }
}

struct Objective(Rc<Program>);

impl CostFunction for Objective {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, x: &Vec<f64>) -> Result<f64, Error> {
        Ok(self.0.value(x)?)
    }
}

impl Gradient for Objective {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, x: &Vec<f64>) -> Result<Vec<f64>, Error> {
        Ok(self.0.gradient(x)?.1)
    }
}

/// The first lines of a program, the long ones in part.
fn shortened(program: &str) -> String {
    const LINES: usize = 3;
    let line = |line: &str| {
        let kept: String = line.chars().take(70).collect();
        if kept == line { kept + "\n" } else { kept + " …\n" }
    };
    let first: String = program.lines().take(LINES).map(line).collect();
    first + &format!("… and {} lines more\n", program.lines().count() - LINES)
}

fn read(path: &Path) -> Result<(Vec<f64>, Vec<f64>)> {
    let mut rows = csv::Reader::from_path(path)?;
    let rows: Vec<(f64, f64)> = rows.deserialize().collect::<Result<_, csv::Error>>()?;
    anyhow::ensure!(rows.len() > 3, "there must be more than three rows");
    Ok(rows.into_iter().unzip())
}

/// The data, what is expected, and twice the standard error on both sides.
fn draw(
    path: &Path,
    process: &Process,
    x: &[f64],
    (from, to): (f64, f64),
    mean: f64,
) -> Result<()> {
    let years: Vec<f64> = (0..=300).map(|i| from + (to - from) * f64::from(i) / 300.0).collect();
    let predictions = years.iter().map(|&year| process.predict(x, year));
    let predictions: Vec<[f64; 2]> = predictions.collect::<Result<_, _>>()?;
    let edge = |side: f64| {
        let at = predictions.iter().map(move |[level, error]| level + side * error + mean);
        years.iter().copied().zip(at)
    };
    let height = |side: f64, pick: fn(f64, f64) -> f64| edge(side).map(|(_, y)| y).reduce(pick);
    let (low, high) = (height(-2.0, f64::min), height(2.0, f64::max));
    let (Some(low), Some(high)) = (low, high) else { return Ok(()) };
    let area = SVGBackend::new(path, (900, 500)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("Level of Lake Huron, ± two standard errors", ("sans-serif", 20))
        .margin(15)
        .x_label_area_size(35)
        .y_label_area_size(55)
        .build_cartesian_2d(from..to, low..high)?;
    chart.configure_mesh().x_desc("year").y_desc("feet").draw()?;
    let lower: Vec<(f64, f64)> = edge(-2.0).collect();
    let band: Vec<(f64, f64)> = edge(2.0).chain(lower.into_iter().rev()).collect();
    chart.draw_series([Polygon::new(band, BLUE.mix(0.15).filled())])?;
    chart.draw_series([PathElement::new(edge(0.0).collect::<Vec<_>>(), BLUE)])?;
    let points = process.kernel.places.iter().zip(&process.numbers);
    chart.draw_series(
        points.map(|(&year, level)| Circle::new((year, level + mean), 2, BLACK.filled())),
    )?;
    area.present()?;
    Ok(())
}
