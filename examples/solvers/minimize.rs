//! Minimises Rosenbrock's function of 100 variables with the solvers of `argmin`, which take derivatives from a program.
//!
//! Goal: see how little it takes to hand a traced function to an optimiser that knows nothing of it: three methods for
//! value, gradient and Hessian. The Hessian is never formed: the solver asks for its products with vectors.
//! Run it with `cargo run --release --example minimize`, and with `-- --help` for its options.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Result, ensure};
use argmin::core::{
    CostFunction, Error, Executor, Gradient, Hessian, IterState, OptimizationResult, Solver, State,
};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use argmin::solver::trustregion::{Steihaug, TrustRegion};
use argmin_math::ArgminDot;
use clap::Parser;
use tape::{Program, Real};

/// Minimises Rosenbrock's function by L-BFGS, and by Newton's method in a trust region.
#[derive(Parser)]
#[command(allow_negative_numbers = true)]
struct Options {
    /// How many variables
    #[arg(long, default_value_t = 100)]
    dimensions: usize,
    /// The value of every variable to start from
    #[arg(long, default_value_t = 0.0)]
    start: f64,
    /// How many iterations each solver may take
    #[arg(long, default_value_t = 1_000)]
    iterations: u64,
}

/// A valley along a parabola, whose floor falls slowly towards (1, …, 1), where the value is 0.
fn rosenbrock<T: Real>(x: &[T]) -> T {
    let [one, hundred] = [1.0, 100.0].map(T::from_f64);
    let term = |pair: &[T]| {
        let (along, across) = (one - pair[0], pair[1] - pair[0] * pair[0]);
        along * along + hundred * across * across
    };
    T::sum(&x.windows(2).map(term).collect::<Vec<T>>())
}

fn main() -> Result<()> {
    let options = Options::parse();
    ensure!(options.dimensions >= 2, "Rosenbrock's function takes at least 2 variables");
    let start = vec![options.start; options.dimensions];
    let program = Rc::new(Program::trace(rosenbrock, &start)?);
    println!("{program:?}");

    let search = MoreThuenteLineSearch::new();
    let lbfgs = LBFGS::new(search, 10).with_tolerance_grad(1e-9)?.with_tolerance_cost(0.0)?;
    minimize("L-BFGS", lbfgs, &program, &start, options.iterations)?;

    let newton = TrustRegion::new(Steihaug::new().with_max_iters(100));
    minimize("Newton's method in a trust region", newton, &program, &start, options.iterations)
}

/// What a solver may ask for, and how often it did.
struct Objective {
    program: Rc<Program>,
    products: Rc<Cell<u64>>,
}

impl CostFunction for Objective {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, x: &Vec<f64>) -> Result<f64, Error> {
        Ok(self.program.value(x)?)
    }
}

impl Gradient for Objective {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, x: &Vec<f64>) -> Result<Vec<f64>, Error> {
        Ok(self.program.gradient(x)?.1)
    }
}

impl Hessian for Objective {
    type Param = Vec<f64>;
    type Hessian = Curvature;

    fn hessian(&self, x: &Vec<f64>) -> Result<Curvature, Error> {
        let (program, products) = (Rc::clone(&self.program), Rc::clone(&self.products));
        Ok(Curvature { program, x: x.clone(), products })
    }
}

/// The Hessian at a point, known by its products with vectors.
#[derive(Clone)]
struct Curvature {
    program: Rc<Program>,
    x: Vec<f64>,
    products: Rc<Cell<u64>>,
}

impl ArgminDot<Vec<f64>, Vec<f64>> for Curvature {
    fn dot(&self, v: &Vec<f64>) -> Vec<f64> {
        self.products.set(self.products.get() + 1);
        let product = self.program.hessian_vector(&self.x, v);
        product.expect("a program without guards replays everywhere").2
    }
}

/// A state of a solver that keeps `H` as the Hessian.
type Point<H> = IterState<Vec<f64>, Vec<f64>, (), H, (), f64>;

fn minimize<H, S>(
    name: &str,
    solver: S,
    program: &Rc<Program>,
    start: &[f64],
    iterations: u64,
) -> Result<()>
where
    H: Clone,
    S: Solver<Objective, Point<H>>,
    Point<H>: State<Param = Vec<f64>, Float = f64>,
{
    let products = Rc::new(Cell::new(0));
    let objective = Objective { program: Rc::clone(program), products: Rc::clone(&products) };
    let clock = Instant::now();
    let executor = Executor::new(objective, solver)
        .configure(|state| state.param(start.to_vec()).max_iters(iterations).target_cost(1e-24));
    let OptimizationResult { state, problem, .. } = executor.run()?;
    let seconds = clock.elapsed().as_secs_f64();

    let best = state.get_best_param().map_or(start, Vec::as_slice);
    let furthest = best.iter().map(|x| (x - 1.0).abs()).fold(0.0, f64::max);
    let count = |what| problem.counts.get(what).copied().unwrap_or(0);
    println!("\n{name}: {}", state.get_termination_status());
    println!("  iterations: {}", state.get_iter());
    println!("  values: {}", count("cost_count"));
    println!("  gradients: {}", count("gradient_count"));
    println!("  Hessian products: {}", products.get());
    println!("  final value: {:e}", state.get_best_cost());
    println!("  largest distance from 1: {furthest:e}");
    println!("  time: {:.1} ms", seconds * 1e3);
    Ok(())
}
