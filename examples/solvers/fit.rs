//! Fits a spectral line to 100,000 measurements: non-linear least squares, whose gradient a `Batch` computes.
//!
//! Goal: fit a model of your own to many rows of data. The model is written for one row; a batch runs it on many rows at
//! once, on as many threads as there are. L-BFGS, of the crate `argmin`, makes the steps, and a second batch gives the
//! derivative of every residual, from which come the standard errors.
//! Run it with `cargo run --release --example fit`, and with `-- --help` for its options.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use argmin::core::observers::{Observe, ObserverMode};
use argmin::core::{
    CostFunction, Error, Executor, Gradient, IterState, KV, OptimizationResult, State,
};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use plotters::prelude::*;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tape::{Batch, Dual, Matrix, Real, Var};

/// Fits a Gaussian peak on a sloping background to measurements.
#[derive(Parser)]
#[command(allow_negative_numbers = true)]
struct Options {
    /// Measurements to fit, instead of made-up ones: a line each, x and y with a comma between
    #[arg(long, value_name = "FILE.csv")]
    data: Option<PathBuf>,
    /// How many measurements to make up
    #[arg(long, default_value_t = 100_000)]
    rows: usize,
    /// Standard deviation of the noise in them
    #[arg(long, default_value_t = 0.2)]
    noise: f64,
    /// Determines the noise
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many iterations to make at most
    #[arg(long, default_value_t = 200)]
    iterations: u64,
    /// Where to draw the residuals
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
}

/// The parameters, and those of the made-up measurements.
const PARAMETERS: usize = 5;
const NAMES: [&str; PARAMETERS] = ["height", "center", "width", "background", "slope"];
const TRUE: [f64; PARAMETERS] = [3.0, 1.2, 0.5, 1.0, 0.2];

/// What the spectrometer shows at `x`.
fn model<T: Real>(parameters: &[T], x: T) -> T {
    let [height, center, width, background, slope] = core::array::from_fn(|i| parameters[i]);
    let distance = (x - center) / width;
    height * (T::from_f64(-0.5) * distance * distance).exp() + background + slope * x
}

fn residual<T: Real>(parameters: &[T], row: &[T]) -> T {
    model(parameters, row[0]) - row[1]
}

type Row = [f64; 2];

fn main() -> Result<()> {
    let options = Options::parse();
    let rows = match &options.data {
        Some(path) => read(path)?,
        None => make_up(&options)?,
    };
    ensure!(rows.len() > PARAMETERS, "{} measurements do not determine 5 parameters", rows.len());
    println!("{} measurements", rows.len());

    let start = guess(&rows);
    let fitted = fit(&rows, &start, options.iterations)?;
    let (errors, deviation) = standard_errors(&rows, &fitted)?;
    println!("\n{:<12}{:>14}{:>16}{:>12}", "parameter", "fitted", "standard error", "start");
    for i in 0..PARAMETERS {
        print!("{:<12}{:>14.6}{:>16.6}{:>12.4}", NAMES[i], fitted[i], errors[i], start[i]);
        if options.data.is_none() {
            let off = (fitted[i] - TRUE[i]) / errors[i];
            print!("   true {}, {off:+.1} standard errors off", TRUE[i]);
        }
        println!();
    }
    println!("Standard deviation of the residuals: {deviation:.6}");
    if let Some(path) = &options.plot {
        draw(path, &rows, &fitted).with_context(|| format!("cannot draw {}", path.display()))?;
        println!("The residuals are drawn in {}", path.display());
    }
    Ok(())
}

fn make_up(options: &Options) -> Result<Vec<Row>> {
    ensure!(options.noise >= 0.0, "a standard deviation is not negative");
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    let row = |_| {
        let x = random.random_range(-3.0..3.0);
        // Box and Muller's way to a normally distributed number. 1 − u is not 0.
        let [u, angle]: [f64; 2] = [random.random(), random.random()];
        let normal = (-2.0 * (1.0 - u).ln()).sqrt() * (core::f64::consts::TAU * angle).cos();
        [x, model(&TRUE, x) + options.noise * normal]
    };
    Ok((0..options.rows).map(row).collect())
}

fn read(path: &Path) -> Result<Vec<Row>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_path(path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let numbers: Option<Vec<f64>> = record.iter().map(|field| field.parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[x, y]) => rows.push([x, y]),
            None if line == 1 => {} // A heading.
            _ => bail!("{}, line {line}: two numbers are wanted, x and y", path.display()),
        }
    }
    Ok(rows)
}

/// Where the largest value stands, above the smallest one, a tenth of the range wide.
fn guess(rows: &[Row]) -> [f64; PARAMETERS] {
    let by_value = |a: &&Row, b: &&Row| a[1].total_cmp(&b[1]);
    let top = rows.iter().max_by(by_value).copied().unwrap_or_default();
    let bottom = rows.iter().min_by(by_value).copied().unwrap_or_default();
    let ends = rows.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], row| {
        [low.min(row[0]), high.max(row[0])]
    });
    [top[1] - bottom[1], top[0], (ends[1] - ends[0]) / 10.0, bottom[1], 0.0]
}

/// L-BFGS on the mean of the squared residuals.
fn fit(rows: &[Row], start: &[f64], iterations: u64) -> Result<Vec<f64>> {
    let square = |parameters: &[Var], row: &[Var]| {
        let residual = residual(parameters, row);
        residual * residual
    };
    let batch = Batch::trace(square, start, &rows[0])?;
    let spent = Rc::new(Cell::new((0, Duration::ZERO)));
    let loss = |parameters: &[f64]| {
        let clock = Instant::now();
        let (sum, mut gradient) = batch.gradient(parameters, rows)?;
        let (gradients, time) = spent.get();
        spent.set((gradients + 1, time + clock.elapsed()));
        let scale = 1.0 / rows.len() as f64;
        for derivative in &mut *gradient {
            *derivative *= scale;
        }
        Ok((sum * scale, gradient))
    };
    let search = MoreThuenteLineSearch::new();
    let solver = LBFGS::new(search, 7).with_tolerance_grad(1e-9)?.with_tolerance_cost(1e-15)?;
    let executor = Executor::new(Loss { loss, last: RefCell::default() }, solver)
        .configure(|state| state.param(start.to_vec()).max_iters(iterations))
        .add_observer(Progress::new(iterations)?, ObserverMode::Always);
    let OptimizationResult { state, .. } = executor.run()?;
    let (gradients, time) = spent.get();
    println!("{} iterations, {gradients} gradients", state.get_iter());
    println!("Mean squared residual: {:.6e}", state.get_best_cost());
    println!("ms per gradient: {:.3}", time.as_secs_f64() * 1e3 / f64::from(gradients));
    state.best_param.context("the fit found no parameters at all")
}

/// The loss as `argmin` wants it: value and gradient apart, so that the last gradient is kept for who asks second.
struct Loss<F> {
    loss: F,
    last: RefCell<(Vec<f64>, f64, Vec<f64>)>,
}

impl<F: Fn(&[f64]) -> Result<(f64, Vec<f64>), tape::Error>> Loss<F> {
    fn at(&self, x: &[f64]) -> Result<(f64, Vec<f64>), Error> {
        let mut last = self.last.borrow_mut();
        if last.0 != x {
            let (value, gradient) = (self.loss)(x)?;
            *last = (x.to_vec(), value, gradient);
        }
        Ok((last.1, last.2.clone()))
    }
}

impl<F: Fn(&[f64]) -> Result<(f64, Vec<f64>), tape::Error>> CostFunction for Loss<F> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, x: &Vec<f64>) -> Result<f64, Error> {
        Ok(self.at(x)?.0)
    }
}

impl<F: Fn(&[f64]) -> Result<(f64, Vec<f64>), tape::Error>> Gradient for Loss<F> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, x: &Vec<f64>) -> Result<Vec<f64>, Error> {
        Ok(self.at(x)?.1)
    }
}

/// A bar on a terminal, and a line now and then elsewhere.
struct Progress(ProgressBar);

impl Progress {
    fn new(iterations: u64) -> Result<Self> {
        let style = ProgressStyle::with_template("{wide_bar} iteration {pos}, loss {msg}")?;
        Ok(Self(ProgressBar::new(iterations).with_style(style)))
    }
}

impl Observe<IterState<Vec<f64>, Vec<f64>, (), (), (), f64>> for Progress {
    fn observe_iter(
        &mut self,
        state: &IterState<Vec<f64>, Vec<f64>, (), (), (), f64>,
        _: &KV,
    ) -> Result<(), Error> {
        let (iteration, loss) = (state.get_iter(), state.get_cost());
        self.0.set_message(format!("{loss:.6e}"));
        self.0.set_position(iteration);
        if self.0.is_hidden() && iteration.is_multiple_of(5) {
            println!("iteration {iteration:>3}: loss {loss:.6e}");
        }
        Ok(())
    }

    fn observe_final(
        &mut self,
        _: &IterState<Vec<f64>, Vec<f64>, (), (), (), f64>,
    ) -> Result<(), Error> {
        self.0.finish_and_clear();
        Ok(())
    }
}

/// The square roots of the diagonal of σ²·(JᵀJ)⁻¹, where J holds the derivatives of the residuals; and σ.
fn standard_errors(rows: &[Row], fitted: &[f64]) -> Result<([f64; PARAMETERS], f64)> {
    // Residual and derivatives of a row, in forward mode within the batch: one dual number for each parameter.
    let derivatives = |parameters: &[Var], row: &[Var]| -> Vec<Var> {
        let row: Vec<Dual<Var>> = row.iter().map(|&x| Dual::constant(x)).collect();
        let along = |direction: usize| {
            let seeded = |(i, &parameter): (usize, &Var)| {
                Dual::new(parameter, Var::constant(if i == direction { 1.0 } else { 0.0 }))
            };
            residual(&parameters.iter().enumerate().map(seeded).collect::<Vec<_>>(), &row)
        };
        let along: Vec<Dual<Var>> = (0..PARAMETERS).map(along).collect();
        [along[0].value].into_iter().chain(along.iter().map(|dual| dual.tangent)).collect()
    };
    let table = Batch::trace(derivatives, fitted, &rows[0])?.map(fitted, rows)?;
    let mut normal = Matrix { rows: PARAMETERS, columns: PARAMETERS, data: vec![0.0; 25] };
    let mut squares = 0.0;
    for row in table.data.chunks_exact(table.columns) {
        squares += row[0] * row[0];
        for i in 0..PARAMETERS {
            for j in 0..PARAMETERS {
                normal[(i, j)] += row[1 + i] * row[1 + j];
            }
        }
    }
    let variance = squares / (rows.len() - PARAMETERS) as f64;
    let normal = nalgebra::DMatrix::from_row_slice(PARAMETERS, PARAMETERS, &normal.data);
    let inverse = normal.cholesky().context("the measurements do not determine the parameters")?;
    let diagonal = inverse.inverse().diagonal();
    Ok((core::array::from_fn(|i| (variance * diagonal[i]).sqrt()), variance.sqrt()))
}

/// At most 2,000 residuals against x, around a line at 0.
fn draw(path: &Path, rows: &[Row], fitted: &[f64]) -> Result<()> {
    let every = rows.len().div_ceil(2_000);
    let points: Vec<(f64, f64)> =
        rows.iter().step_by(every).map(|row| (row[0], -residual(fitted, row))).collect();
    let [left, right] = points
        .iter()
        .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], p| [low.min(p.0), high.max(p.0)]);
    let height = points.iter().fold(0.0, |height: f64, point| height.max(point.1.abs())) * 1.1;
    let area = SVGBackend::new(path, (900, 500)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("measured less fitted", ("sans-serif", 20))
        .margin(15)
        .x_label_area_size(35)
        .y_label_area_size(55)
        .build_cartesian_2d(left..right, -height..height)?;
    chart.configure_mesh().x_desc("x").y_desc("residual").draw()?;
    chart.draw_series(points.iter().map(|&point| Circle::new(point, 1, BLUE.filled())))?;
    chart.draw_series([PathElement::new([(left, 0.0), (right, 0.0)], RED)])?;
    area.present()?;
    Ok(())
}
