//! Functions of matrices, by every way to a derivative, against the same in single numbers.

#[cfg(feature = "linear-algebra")]
mod bytes;
mod solves;
mod spectra;

use solves::Which;
use tape::{Batch, Dual, Lanes, Matrix, Program, Real, Var};

/// A function in operations on matrices, and the same in operations on numbers.
trait Pair {
    fn with<T: Real>(x: &[T]) -> T;
    fn without<T: Real>(x: &[T]) -> T;
}

#[track_caller]
fn near(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(1.0, |largest: f64, b| largest.max(b.abs()));
    let is_near = |(a, b): (&f64, &f64)| (a - b).abs() <= tolerance * largest;
    assert!(a.iter().zip(b).all(is_near), "{a:?}\ninstead of\n{b:?}");
}

const FIRST: f64 = 1e-12;
const SECOND: f64 = 1e-10;

fn square<T: Copy>(n: usize, data: &[T]) -> Matrix<T> {
    Matrix::from_rows(n, n, data[..n * n].to_vec()).unwrap()
}

/// Value, gradient and Hessian, by every way. A program is traced at the first point, and asked at all.
#[track_caller]
fn every_way(pair: Which, points: &[&[f64]]) {
    let traced_at = points[0];
    let n = traced_at.len();
    let program = Program::trace(|x| pair.with(x), traced_at).unwrap();
    assert_eq!(program.guards(), 0);
    let derivative = Program::trace(|x| tape::gradient(|x| pair.with(x), x).1, traced_at).unwrap();
    assert_eq!(derivative.guards(), 0);
    let forward = |x: &[Var]| {
        let duals = |(i, &x): (usize, &Var)| Dual::new(x, Var::constant(1.0 + i as f64));
        pair.with(&x.iter().enumerate().map(duals).collect::<Vec<_>>()).tangent
    };
    let by_dual = Program::trace(forward, traced_at).unwrap();
    let direction: Vec<f64> = (0..n).map(|i| 1.0 + i as f64).collect();
    for &x in points {
        let (value, gradient) = tape::gradient(|x| pair.without(x), x);
        let (_, _, hessian) = tape::hessian(|x| pair.without(x), x);
        let product = hessian.mul_vector(&direction);
        let slope = [tape::dot(&gradient, &direction)];

        near(&[pair.with(x)], &[value], FIRST);
        let (by_blocks, by_sweep) = tape::gradient(|x| pair.with(x), x);
        assert_eq!(by_blocks.to_bits(), pair.with(x).to_bits());
        near(&by_sweep, &gradient, FIRST);
        // Where it is 0 but for rounding, numeric derivatives are those of rounding.
        if gradient.iter().any(|entry| entry.abs() > 1e-6) {
            tape::check::assert_gradient(|x| pair.with(x), x);
        }
        near(&tape::hessian(|x| pair.with(x), x).2.data, &hessian.data, SECOND);
        near(&tape::hessian_vector(|x| pair.with(x), x, &direction).2, &product, SECOND);
        let nested = tape::jacobian(|x| tape::gradient(|x| pair.with(x), x).1, x).1;
        near(&nested.data, &hessian.data, SECOND);

        let duals: Vec<Dual> = x.iter().zip(&direction).map(|(&x, &d)| Dual::new(x, d)).collect();
        near(&[pair.with(&duals).tangent], &slope, FIRST);
        let of_duals = tape::gradient(|x| pair.with(x), &duals).1;
        near(&of_duals.iter().map(|d| d.tangent).collect::<Vec<_>>(), &product, SECOND);
        let twice: Vec<Dual<Dual>> =
            duals.iter().map(|&x| Dual::new(x, Dual::constant(x.tangent))).collect();
        near(&[pair.with(&twice).tangent.tangent], &[tape::dot(&product, &direction)], SECOND);
        near(&tape::gradient(forward, x).1, &product, SECOND);

        near(&[program.value(x).unwrap()], &[value], FIRST);
        near(&program.gradient(x).unwrap().1, &gradient, FIRST);
        near(&program.hessian(x).unwrap().2.data, &hessian.data, SECOND);
        near(&program.sparse_hessian(x).unwrap().2.to_dense().data, &hessian.data, SECOND);
        near(&derivative.values(x).unwrap(), &gradient, FIRST);
        near(&derivative.jacobian(x).unwrap().1.data, &hessian.data, SECOND);
        near(&[by_dual.value(x).unwrap()], &slope, FIRST);
        near(&by_dual.gradient(x).unwrap().1, &product, SECOND);

        let single: Vec<f32> = x.iter().map(|&x| x as f32).collect();
        near(&[f64::from(pair.with(&single))], &[value], 1e-3);
    }
    rows_lanes_and_sums(pair, points);
}

/// All points at once: as lanes, as rows, as terms.
#[track_caller]
fn rows_lanes_and_sums(pair: Which, points: &[&[f64]]) {
    let n = points[0].len();
    let at = |lane: usize, i: usize| points[lane % points.len()][i];
    let lanes: Vec<Lanes<4>> =
        (0..n).map(|i| Lanes(core::array::from_fn(|lane| at(lane, i)))).collect();
    let (values, gradients) = tape::gradient(|x| pair.with(x), &lanes);
    for lane in 0..values.0.len() {
        let (value, gradient) = tape::gradient(|x| pair.without(x), points[lane % points.len()]);
        near(&[values.0[lane]], &[value], FIRST);
        near(&gradients.iter().map(|g| g.0[lane]).collect::<Vec<_>>(), &gradient, FIRST);
    }

    // Each row moved a little by the shared parameters.
    let moved = |p: &[Var], row: &[Var]| -> Vec<Var> {
        row.iter().enumerate().map(|(i, &x)| x + p[i % 2] * 0.01).collect()
    };
    let batch = Batch::trace(|p, row| pair.with(&moved(p, row)), &[0.1, 0.2], points[0]).unwrap();
    let parameters = [0.3, -0.2];
    let constants = |row: &[f64]| Var::constants_from(row);
    let terms = |p: &[Var]| {
        let terms: Vec<Var> =
            points.iter().map(|row| pair.without(&moved(p, &constants(row)))).collect();
        tape::sum(&terms)
    };
    let (value, gradient) = tape::gradient(terms, &parameters);
    let rows = points.concat();
    let by_batch = batch.gradient(&parameters, rows.as_slice()).unwrap();
    near(&[by_batch.0], &[value], FIRST);
    near(&by_batch.1, &gradient, FIRST);
    let hessian = tape::hessian(terms, &parameters).2;
    let by_batch = batch.hessian(&parameters, rows.as_slice()).unwrap().2;
    near(&by_batch.data, &hessian.data, SECOND);
    let summed = |p: &[Var]| tape::sum_over(points, |row| pair.with(&moved(p, &constants(row))));
    near(&tape::gradient(summed, &parameters).1, &gradient, FIRST);
}
