//! A state-space model of the Nile, by matrices: the likelihood of its variances, their best values, and smoothed states.
//!
//! Goal: see a filter written once, on matrices of any number, and differentiated as it is. The variances are those that
//! Durbin and Koopman publish ("Time Series Analysis by State Space Methods", section 2.10). Run it with
//! `cargo run --release --example kalman`, and with `-- --help` for its options.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, Result};
use argmin::core::{CostFunction, Error, Executor, Gradient, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use clap::Parser;
use plotters::prelude::*;
use tape::{Matrix, Program, Real};

/// Fits two state-space models to the yearly flow of the Nile at Aswan.
#[derive(Parser)]
struct Options {
    /// Two columns: a year and a flow
    #[arg(long, default_value = "examples/data/nile.csv")]
    data: PathBuf,
    /// Draw the smoothed levels of both models here
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let data = &options.data;
    let (years, flows) = read(data).with_context(|| format!("cannot read {}", data.display()))?;
    let mut smoothed = Vec::new();
    for model in [Model::level(), Model::trend()] {
        let variances = fit(&model, &flows)?;
        let levels = model.smooth(&variances, &flows)?;
        println!("smoothed level in {}: {:.2}", years[years.len() / 2], levels[years.len() / 2]);
        smoothed.push((model.name, levels));
    }
    if let Some(path) = &options.plot {
        draw(path, &years, &flows, &smoothed)
            .with_context(|| format!("cannot draw {}", path.display()))?;
        println!("The levels are drawn in {}", path.display());
    }
    Ok(())
}

/// A linear model: state′ = F·state + what is new, and what is measured = the first state + an error.
///
/// Two variances are unknown: of the error, and of what is new in the last state.
struct Model {
    name: &'static str,
    transition: Matrix<f64>,
}

/// A state before a measurement: its mean and covariance.
struct Belief<T> {
    mean: Vec<T>,
    covariance: Matrix<T>,
}

/// So little is known of the first state.
const DIFFUSE: f64 = 1e10;

impl Model {
    /// The level of the river wanders.
    fn level() -> Self {
        Self { name: "a level that wanders", transition: Matrix::from_fn(1, 1, |_, _| 1.0) }
    }

    /// The level grows by a slope that wanders.
    fn trend() -> Self {
        let transition = Matrix::from_fn(2, 2, |i, j| if j < i { 0.0 } else { 1.0 });
        Self { name: "a slope that wanders", transition }
    }

    fn states(&self) -> usize {
        self.transition.rows
    }

    /// What is measured of a state: a row.
    fn measures<T: Real>(&self) -> Matrix<T> {
        Matrix::from_fn(1, self.states(), |_, j| T::from_f64(f64::from(j == 0)))
    }

    fn before<T: Real>(&self) -> Belief<T> {
        let n = self.states();
        let diffuse = |i, j| T::from_f64(if i == j { DIFFUSE } else { 0.0 });
        Belief { mean: vec![T::from_f64(0.0); n], covariance: Matrix::from_fn(n, n, diffuse) }
    }

    /// After a measurement; with that, how far it was off, and the variance that was expected of that.
    fn measured<T: Real>(&self, before: &Belief<T>, flow: f64, error: T) -> (Belief<T>, T, T) {
        let h = self.measures();
        let crossed = &before.covariance * &h.transpose();
        let off = T::from_f64(flow) - h.mul_vector(&before.mean)[0];
        let variance = (&h * &crossed)[(0, 0)] + error;
        let gain: Vec<T> = crossed.data.iter().map(|&entry| entry / variance).collect();
        let mean = before.mean.iter().zip(&gain).map(|(&mean, &gain)| mean + gain * off).collect();
        let gain = Matrix { rows: gain.len(), columns: 1, data: gain };
        let covariance = &before.covariance - &(&gain * &crossed.transpose());
        (Belief { mean, covariance }, off, variance)
    }

    /// A year later.
    fn later<T: Real>(&self, now: &Belief<T>, new: T) -> Belief<T> {
        let f = self.transition.map(|&entry| T::from_f64(entry));
        let mut covariance = &(&f * &now.covariance) * &f.transpose();
        let last = self.states() - 1;
        covariance[(last, last)] += new;
        Belief { mean: f.mul_vector(&now.mean), covariance }
    }

    /// −ln p(flows), of the logarithms of both variances. The first measurements, one for each state, only make the states known.
    fn minus_ln_likelihood<T: Real>(&self, x: &[T], flows: &[f64]) -> T {
        let [error, new] = [x[0].exp(), x[1].exp()];
        let mut belief = self.before();
        let mut terms = Vec::new();
        for (year, &flow) in flows.iter().enumerate() {
            let (after, off, variance) = self.measured(&belief, flow, error);
            if year >= self.states() {
                let constant = T::from_f64(core::f64::consts::TAU.ln());
                terms.push(constant + variance.ln() + off * off / variance);
            }
            belief = self.later(&after, new);
        }
        T::from_f64(0.5) * T::sum(&terms)
    }

    /// The level in every year, given all years: from the last back to the first (Rauch, Tung and Striebel, 1965).
    fn smooth(&self, variances: &[f64; 2], flows: &[f64]) -> Result<Vec<f64>, tape::Error> {
        let [error, new] = *variances;
        let mut beliefs = Vec::new();
        let mut belief = self.before();
        for &flow in flows {
            let (after, ..) = self.measured(&belief, flow, error);
            let later = self.later(&after, new);
            beliefs.push(after);
            beliefs.push(std::mem::replace(&mut belief, later));
        }
        let mut mean = Vec::new();
        let mut levels = Vec::new();
        let mut next: Option<Belief<f64>> = None;
        while let (Some(before), Some(after)) = (beliefs.pop(), beliefs.pop()) {
            mean = match next {
                None => after.mean.clone(),
                Some(predicted) => {
                    let surprise: Vec<f64> =
                        mean.iter().zip(&predicted.mean).map(|(a, b)| a - b).collect();
                    let back = predicted.covariance.solve(&surprise)?;
                    let back = self.transition.transpose().mul_vector(&back);
                    let step = after.covariance.mul_vector(&back);
                    after.mean.iter().zip(step).map(|(mean, step)| mean + step).collect()
                }
            };
            levels.push(mean[0]);
            next = Some(before);
        }
        levels.reverse();
        Ok(levels)
    }
}

/// Both variances, by L-BFGS on their logarithms.
fn fit(model: &Model, flows: &[f64]) -> Result<[f64; 2]> {
    println!("\n{}:", model.name);
    let start = vec![1e4_f64.ln(), 1e3_f64.ln()];
    let program = Rc::new(Program::trace(|x| model.minus_ln_likelihood(x, flows), &start)?);
    let solver = LBFGS::new(MoreThuenteLineSearch::new(), 5).with_tolerance_grad(1e-6)?;
    let executor = Executor::new(Objective(Rc::clone(&program)), solver)
        .configure(|state| state.param(start).max_iters(100));
    let state = executor.run()?.state;
    let best = state.get_best_param().context("the solver has found nothing")?;
    let (value, gradient) = program.gradient(best)?;
    let slope = gradient.iter().fold(0.0, |most: f64, slope| most.max(slope.abs()));
    println!("L-BFGS: {} iterations, largest slope {slope:.1e}", state.get_iter());
    println!("ln likelihood: {:.4}", -value);
    let variances = [best[0].exp(), best[1].exp()];
    println!("variance of a measurement: {:.1}; of what is new: {:.2}", variances[0], variances[1]);
    Ok(variances)
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

fn read(path: &Path) -> Result<(Vec<f64>, Vec<f64>)> {
    let mut rows = csv::Reader::from_path(path)?;
    let rows: Vec<(f64, f64)> = rows.deserialize().collect::<Result<_, csv::Error>>()?;
    anyhow::ensure!(rows.len() > 3, "there must be more than three rows");
    Ok(rows.into_iter().unzip())
}

fn draw(
    path: &Path,
    years: &[f64],
    flows: &[f64],
    smoothed: &[(&'static str, Vec<f64>)],
) -> Result<()> {
    let (low, high) = flows.iter().fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), &flow| {
        (low.min(flow), high.max(flow))
    });
    let area = SVGBackend::new(path, (900, 500)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("Flow of the Nile at Aswan", ("sans-serif", 20))
        .margin(15)
        .x_label_area_size(35)
        .y_label_area_size(55)
        .build_cartesian_2d(years[0]..years[years.len() - 1], low..high)?;
    chart.configure_mesh().x_desc("year").y_desc("10⁸ m³").draw()?;
    let points = years.iter().copied().zip(flows.iter().copied());
    chart.draw_series(points.map(|point| Circle::new(point, 2, BLACK.filled())))?;
    for ((name, levels), color) in smoothed.iter().zip([BLUE, RED]) {
        let line = years.iter().copied().zip(levels.iter().copied());
        let legend = move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color);
        chart
            .draw_series([PathElement::new(line.collect::<Vec<_>>(), color)])?
            .label(*name)
            .legend(legend);
    }
    chart.configure_series_labels().border_style(BLACK).background_style(WHITE).draw()?;
    area.present()?;
    Ok(())
}
