//! What matrix operations cost with their derivatives, against faer's kernels and against scalar nodes.
//!
//! ```text
//! cargo run --release --manifest-path crates/bench/Cargo.toml --features linear-algebra --example matrices
//! ```
//!
//! With a word after it, one of them: `product`, `process`, `traced`, `kalman`, `normal`, `calls`. Ratios are of minima, of turns
//! that alternate in one run, on one thread.

// Places on the diagonal are the same number.
#![allow(clippy::float_cmp)]

use std::hint::black_box;
use std::time::Instant;

use faer::linalg::matmul::matmul;
use faer::linalg::solvers::{DenseSolveCore, Solve};
use faer::{Accum, Mat, Par, Side};
use tape::{Batch, Matrix, Operation, Program, Real, Tape, Var, Workspace};

fn main() {
    faer::set_global_parallelism(Par::Seq);
    println!("{:<58}{:>12}{:>12}{:>8}", "", "µs", "against", "ratio");
    let only = std::env::args().nth(1);
    let is_asked = |name: &str| only.as_ref().is_none_or(|only| only == name);
    let all: [(&str, fn()); 6] = [
        ("product", || product(512)),
        ("process", || gaussian_process(500)),
        ("traced", || traced(200)),
        ("kalman", || kalman(10, 200)),
        ("normal", || normal(5, 1000)),
        ("calls", || calls(1000)),
    ];
    for (_, measure) in all.iter().filter(|(name, _)| is_asked(name)) {
        measure();
    }
}

/// The least times of two ways, in turns, in µs.
fn race(turns: usize, mut a: impl FnMut(), mut b: impl FnMut()) -> [f64; 2] {
    let mut least = [f64::INFINITY; 2];
    for _ in 0..turns {
        for (least, way) in least.iter_mut().zip([&mut a as &mut dyn FnMut(), &mut b]) {
            let start = Instant::now();
            way();
            *least = least.min(start.elapsed().as_secs_f64() * 1e6);
        }
    }
    least
}

fn line(name: &str, [a, b]: [f64; 2]) {
    println!("{name:<58}{a:>12.1}{b:>12.1}{:>8.2}", a / b);
}

fn number(i: usize, j: usize) -> f64 {
    ((i * 37 + j * 101) % 113) as f64 / 113.0 - 0.5
}

fn product(n: usize) {
    let a = Mat::from_fn(n, n, number);
    let b = Mat::from_fn(n, n, |i, j| number(j, i + 1));
    let x: Vec<f64> =
        [&a, &b].iter().flat_map(|m| (0..n * n).map(|at| m[(at / n, at % n)])).collect();
    let f = |x: &[Var]| {
        let half = x.len() / 2;
        let a = Matrix { rows: n, columns: n, data: x[..half].to_vec() };
        let b = Matrix { rows: n, columns: n, data: x[half..].to_vec() };
        tape::sum(&(&a * &b).data)
    };
    let times = race(
        8,
        || {
            black_box(tape::gradient(f, &x));
        },
        || {
            let mut c = Mat::<f64>::zeros(n, n);
            matmul(c.as_mut(), Accum::Replace, &a, &b, 1.0, Par::Seq);
            black_box(&c);
        },
    );
    line(&format!("product of {n}² matrices, gradient / faer's product"), times);
}

/// The lower triangle of a kernel matrix, of the logarithms of signal, length and noise.
struct Kernel {
    places: Vec<f64>,
}

impl Kernel {
    fn new(n: usize) -> std::sync::Arc<Self> {
        std::sync::Arc::new(Self { places: (0..n).map(|i| i as f64 * 0.3).collect() })
    }

    fn pairs(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let rows = self.places.iter().enumerate();
        rows.flat_map(|(i, &a)| self.places[..=i].iter().map(move |&b| (a, b)))
    }
}

impl Operation for Kernel {
    fn name(&self) -> &'static str {
        "kernel"
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

fn likelihood<T: Real>(kernel: &std::sync::Arc<Kernel>, x: &[T]) -> T {
    let n = kernel.places.len();
    let entries = tape::apply(kernel, x);
    let zero = T::from_f64(0.0);
    let k = Matrix::from_fn(n, n, |i, j| if j <= i { entries[i * (i + 1) / 2 + j] } else { zero });
    let y: Vec<T> = kernel.places.iter().map(|t| T::from_f64(t.sin())).collect();
    let Ok(factor) = k.cholesky() else { return T::from_f64(f64::INFINITY) };
    T::from_f64(0.5) * (T::dot(&y, &factor.solve(&y)) + factor.ln_determinant())
}

/// The same by faer, value only.
fn by_faer(kernel: &Kernel, x: &[f64]) -> f64 {
    let n = kernel.places.len();
    let mut entries = vec![0.0; n * (n + 1) / 2];
    kernel.value(x, &mut entries);
    let k = Mat::from_fn(n, n, |i, j| if j <= i { entries[i * (i + 1) / 2 + j] } else { 0.0 });
    let y = Mat::from_fn(n, 1, |i, _| kernel.places[i].sin());
    let factor = k.llt(Side::Lower).expect("positive definite");
    let solved = factor.solve(&y);
    let quadratic: f64 = (0..n).map(|i| y[(i, 0)] * solved[(i, 0)]).sum();
    let ln_determinant: f64 = (0..n).map(|i| 2.0 * factor.L()[(i, i)].ln()).sum();
    0.5 * (quadratic + ln_determinant)
}

fn gaussian_process(n: usize) {
    let kernel = Kernel::new(n);
    let x = [0.1, 0.4, -1.0];
    let f = |x: &[Var]| likelihood(&kernel, x);
    let reference = by_faer(&kernel, &x);
    assert!((tape::gradient(f, &x).0 - reference).abs() < 1e-6 * reference.abs());
    let times = race(
        6,
        || {
            black_box(tape::gradient(f, &x));
        },
        || {
            black_box(by_faer(&kernel, &x));
        },
    );
    line(&format!("Gaussian process, n {n}, gradient / value in faer"), times);
    let tape = Tape::new();
    let _ = f(&tape.vars_from(&x));
    println!("{:<58}{:>12.1} MB", "  recorded nodes", tape.len() as f64 * 25e-6);
    let program = Program::trace(f, &x).expect("it is traced");
    let mut workspace = Workspace::default();
    let mut gradient = [0.0; 3];
    let times = race(
        4,
        || {
            black_box(program.hessian(&x).expect("it is replayed"));
        },
        || {
            let at = program.gradient_into(&x, &mut workspace, &mut gradient);
            black_box(at.expect("it is replayed"));
        },
    );
    line("  Hessian in 3 hyperparameters / gradient, replayed", times);
}

fn traced(n: usize) {
    let kernel = Kernel::new(n);
    let x = [0.1, 0.4, -1.0];
    let f = |x: &[Var]| likelihood(&kernel, x);
    let times = race(
        6,
        || {
            black_box(Program::trace(f, &x).expect("it is traced"));
        },
        || {
            black_box(tape::gradient(f, &x));
        },
    );
    line(&format!("  n {n}, traced / gradient"), times);
}

/// −ln p of a filter with `n` states, by matrices or entry by entry.
fn filter<T: Real>(
    x: &[T],
    (n, steps): (usize, usize),
    product: impl Fn(&Matrix<T>, &Matrix<T>) -> Matrix<T>,
) -> T {
    let f = Matrix::from_fn(n, n, |i, j| {
        let near = if i == j { x[0] } else { x[1] };
        near * T::from_f64(if i.abs_diff(j) < 3 { 0.9 / (1 + i.abs_diff(j)) as f64 } else { 0.05 })
    });
    let transposed = f.transpose();
    let mut p = Matrix::from_fn(n, n, |i, j| T::from_f64(f64::from(u8::from(i == j))));
    let mut mean = vec![T::from_f64(0.0); n];
    let mut sum = T::from_f64(0.0);
    for step in 0..steps {
        let s = p[(0, 0)] + x[2];
        let off = T::from_f64((step as f64 * 0.7).sin()) - mean[0];
        sum += s.ln() + off * off / s;
        let gain: Vec<T> = (0..n).map(|i| p[(i, 0)] / s).collect();
        let after: Vec<T> = mean.iter().zip(&gain).map(|(&m, &g)| m + g * off).collect();
        let row: Vec<T> = p.row(0).to_vec();
        let posterior = Matrix::from_fn(n, n, |i, j| p[(i, j)] - gain[i] * row[j]);
        p = product(&product(&f, &posterior), &transposed);
        for i in 0..n {
            p[(i, i)] += T::from_f64(0.1);
        }
        let column = Matrix { rows: n, columns: 1, data: after };
        mean = product(&f, &column).data;
    }
    sum
}

fn kalman(n: usize, steps: usize) {
    let x = [0.8, 0.1, 0.5];
    let by_entries = |a: &Matrix<Var>, b: &Matrix<Var>| {
        let b = b.transpose();
        Matrix::from_fn(a.rows, b.rows, |i, j| {
            let products = a.row(i).iter().zip(b.row(j)).map(|(&a, &b)| a * b);
            products.reduce(|sum, product| sum + product).unwrap_or(Var::constant(0.0))
        })
    };
    let blocks = |x: &[Var]| filter(x, (n, steps), |a, b| a * b);
    let entries = |x: &[Var]| filter(x, (n, steps), by_entries);
    let (a, b) = (tape::gradient(blocks, &x), tape::gradient(entries, &x));
    assert!((a.1[1] - b.1[1]).abs() < 1e-8 * b.1[1].abs(), "{a:?} {b:?}");
    let times = race(
        20,
        || {
            black_box(tape::gradient(blocks, &x));
        },
        || {
            black_box(tape::gradient(entries, &x));
        },
    );
    line(&format!("Kalman filter, {n} states, {steps} steps, blocks / scalar nodes"), times);
}

/// The log density of rows under a normal distribution, of mean and factor of the covariance.
fn normal(d: usize, rows: usize) {
    let size = d * (d + 1) / 2;
    let shared: Vec<f64> = (0..d)
        .map(|i| i as f64 * 0.1)
        .chain((0..d).flat_map(|i| (0..=i).map(move |j| if i == j { 1.5 } else { 0.2 })))
        .collect();
    let data: Vec<f64> = (0..rows * d).map(|i| number(i / d, i % d) * 3.0).collect();
    let density = |p: &[Var], row: &[Var]| {
        let zero = Var::constant(0.0);
        let entry = |i: usize, j: usize| p[d + i * (i + 1) / 2 + j];
        let k = Matrix::from_fn(d, d, |i, j| if j <= i { entry(i, j) } else { zero });
        let off: Vec<Var> = row.iter().zip(p).map(|(&x, &mean)| x - mean).collect();
        let factor = k.cholesky().expect("positive definite");
        Var::constant(-0.5) * (tape::dot(&off, &factor.solve(&off)) + factor.ln_determinant())
    };
    assert_eq!(shared.len(), d + size);
    let batch = Batch::trace(density, &shared, &data[..d]).expect("it is traced");
    let plain = || {
        let k = Mat::from_fn(d, d, |i, j| {
            let (i, j) = (i.max(j), i.min(j));
            shared[d + i * (i + 1) / 2 + j]
        });
        let factor = k.llt(Side::Lower).expect("positive definite");
        let ln_determinant: f64 = (0..d).map(|i| 2.0 * factor.L()[(i, i)].ln()).sum();
        let inverse = factor.inverse();
        let mut sum = 0.0;
        for row in data.chunks_exact(d) {
            let off: Vec<f64> = row.iter().zip(&shared).map(|(x, mean)| x - mean).collect();
            let mut quadratic = 0.0;
            for i in 0..d {
                for j in 0..d {
                    quadratic += off[i] * inverse[(i, j)] * off[j];
                }
            }
            sum -= 0.5 * (quadratic + ln_determinant);
        }
        sum
    };
    let (value, reference) = (batch.value(&shared, data.as_slice()).expect("rows"), plain());
    assert!((value - reference).abs() < 1e-8 * reference.abs(), "{value} {reference}");
    let times = race(
        20,
        || {
            black_box(batch.gradient(&shared, data.as_slice()).expect("rows"));
        },
        || {
            black_box(plain());
        },
    );
    line(&format!("normal density, {d} numbers, {rows} rows, Batch::gradient / plain f64"), times);
}

/// x·y + y, and its rule.
struct Small;

impl Operation for Small {
    fn name(&self) -> &'static str {
        "small"
    }

    fn outputs(&self, _: usize) -> usize {
        1
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        y[0] = x[0] * x[1] + x[1];
    }

    fn reverse<T: Real>(&self, x: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
        into[0] = adjoint[0] * x[1];
        into[1] = adjoint[0] * (x[0] + T::from_f64(1.0));
    }
}

fn calls(count: usize) {
    let f = |x: &[Var]| (0..count).fold(x[0], |y, _| tape::apply(&Small, &[y, x[1]])[0]);
    let program = Program::trace(f, &[0.5, 0.3]).expect("it is traced");
    let mut workspace = Workspace::default();
    let mut gradient = [0.0; 2];
    let x = [0.4, 0.6];
    let small = black_box(Small);
    let times = race(
        200,
        || {
            let at = program.gradient_into(&x, &mut workspace, &mut gradient);
            black_box(at.expect("it is replayed"));
        },
        || {
            // The same calls, of value and reverse.
            let (mut y, mut into) = ([x[0]], [0.0; 2]);
            for _ in 0..count {
                let before = y[0];
                small.value(black_box(&[before, x[1]]), &mut y);
            }
            for _ in 0..count {
                into = [0.0; 2];
                small.reverse(black_box(&x), &y, black_box(&[1.0]), &mut into);
            }
            black_box((y, into));
        },
    );
    line(&format!("{count} calls of a small operation, replayed / called"), times);
    println!(
        "{:<58}{:>12.1} ns",
        "  more for each call",
        (times[0] - times[1]) * 1e3 / count as f64
    );
}
