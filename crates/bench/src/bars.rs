//! What programs and batches cost, each as a ratio of two times that were measured side by side in one run.

use std::hint::black_box;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use cpu_time::ThreadTime;
use rand::Rng;
use tape::{Program, Real, Var, Workspace};

use crate::engine::{Engine, Plain, batch};
use crate::kernel::{GaussianMixture, generator};

/// One line: what is measured against what, the ratio, and how large it may be.
struct Line {
    what: String,
    against: &'static str,
    ratio: f64,
    bar: f64,
}

/// Measures every line and prints the table.
pub fn print(rounds: Option<usize>) {
    let mut lines = Vec::new();
    for (dimension, components, bar) in [(10, 10, 1.5), (10, 25, 1.5), (32, 10, 3.0), (32, 25, 3.0)]
    {
        lines.push(gaussian_mixture(dimension, components, bar, rounds));
    }
    let (products, dense) = logistic_loss(rounds);
    lines.extend([products, dense, rosenbrock_product(rounds)]);
    lines.extend([1_000, 10_000, 100_000].map(|variables| sparse_hessian(variables, rounds)));

    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(["what", "against", "ratio", "bar"]);
    for line in lines {
        let ratio = format!("{:.2}×", line.ratio);
        table.add_row([line.what, line.against.to_owned(), ratio, format!("≤ {}×", line.bar)]);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{table}");
}

/// The time of `a` in units of that of `b`: minima of interleaved turns.
fn ratio(rounds: Option<usize>, mut a: impl FnMut(), mut b: impl FnMut()) -> f64 {
    const ROUNDS: usize = 40;
    let time = |work: &mut dyn FnMut()| {
        let start = ThreadTime::now();
        work();
        start.elapsed().as_secs_f64()
    };
    let (mut fastest_a, mut fastest_b) = (f64::INFINITY, f64::INFINITY);
    // The first turns only make ready.
    time(&mut a);
    time(&mut b);
    for _ in 0..rounds.unwrap_or(ROUNDS).max(1) {
        fastest_a = time(&mut a).min(fastest_a);
        fastest_b = time(&mut b).min(fastest_b);
    }
    fastest_a / fastest_b
}

fn gaussian_mixture(dimension: usize, components: usize, bar: f64, rounds: Option<usize>) -> Line {
    let kernel = GaussianMixture::new(dimension, components, 500);
    let mut gradient = batch(&kernel).expect("the kernel is a sum over rows");
    let mut plain = Plain;
    let ratio =
        ratio(rounds, || drop(black_box(gradient())), || drop(black_box(plain.run(&kernel))));
    let what = format!("batch gradient, GMM d{dimension} k{components} n500");
    Line { what, against: "plain f64", ratio, bar }
}

/// Σ ln(1 + e^(−a·x)) over 200 rows a, with 100 coefficients: every second derivative is there.
fn logistic_loss(rounds: Option<usize>) -> (Line, Line) {
    let rows: Vec<Vec<f64>> = (0..200)
        .map(|_| generator().random_iter::<f64>().map(|u| u - 0.5).take(100).collect())
        .collect();
    let loss = |x: &[Var]| tape::sum_over(&rows, |row| (-tape::weighted_sum(row, x)).softplus());
    let x = vec![0.1; 100];
    let program = Program::trace(loss, &x).expect("it can be traced");
    let what = "logistic loss of 100 coefficients, 200 rows".to_owned();
    let product = product_line(&program, &x, &what, rounds);
    let (mut workspace, mut gradient) = (Workspace::default(), vec![0.0; 100]);
    let ratio = ratio(
        rounds,
        || drop(black_box(program.hessian(&x))),
        || drop(black_box(program.gradient_into(&x, &mut workspace, &mut gradient))),
    );
    let dense = Line { what: format!("Hessian, {what}"), against: "gradient", ratio, bar: 40.0 };
    (product, dense)
}

fn rosenbrock_product(rounds: Option<usize>) -> Line {
    let x = vec![0.5; 10_000];
    let program = Program::trace(|x: &[Var]| rosenbrock(x), &x).expect("it can be traced");
    product_line(&program, &x, "chained Rosenbrock of 10,000 variables", rounds)
}

fn product_line(program: &Program, x: &[f64], what: &str, rounds: Option<usize>) -> Line {
    let v = vec![1.0; x.len()];
    let (mut workspace, mut gradient) = (Workspace::default(), vec![0.0; x.len()]);
    let (mut duals, mut of_product) = (Workspace::default(), vec![0.0; x.len()]);
    let mut product = vec![0.0; x.len()];
    let ratio = ratio(
        rounds,
        || {
            let value =
                program.hessian_vector_into(x, &v, &mut duals, &mut of_product, &mut product);
            drop(black_box(value));
        },
        || drop(black_box(program.gradient_into(x, &mut workspace, &mut gradient))),
    );
    Line { what: format!("Hessian-vector product, {what}"), against: "gradient", ratio, bar: 2.5 }
}

fn sparse_hessian(variables: usize, rounds: Option<usize>) -> Line {
    let x: Vec<f64> = generator().random_iter::<f64>().take(variables).collect();
    let program = Program::trace(|x: &[Var]| rosenbrock(x), &x).expect("it can be traced");
    let (mut workspace, mut gradient) = (Workspace::default(), vec![0.0; variables]);
    let ratio = ratio(
        rounds.or(Some(10)),
        || drop(black_box(program.sparse_hessian(&x))),
        || drop(black_box(program.gradient_into(&x, &mut workspace, &mut gradient))),
    );
    let what = format!("sparse Hessian, chained Rosenbrock of {variables} variables");
    Line { what, against: "gradient", ratio, bar: 20.0 }
}

/// Σ 100·(xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)².
fn rosenbrock<T: Real>(x: &[T]) -> T {
    let one = T::from_f64(1.0);
    tape::sum_over(x.windows(2), |pair| {
        let (valley, slope) = (pair[1] - pair[0] * pair[0], one - pair[0]);
        T::from_f64(100.0) * valley * valley + slope * slope
    })
}
