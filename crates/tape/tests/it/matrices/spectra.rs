//! Exponentials, square roots, eigenvalues and singular values.

use tape::{Batch, Dual, Error, Lanes, Matrix, Program, Real, Var};

use super::solves::{Which, from_lower, weighed};
use super::{FIRST, Pair, SECOND, every_way, near, square};

/// A·B in numbers.
fn times<T: Real>(a: &[T], b: &[T], n: usize) -> Vec<T> {
    let entry = |i: usize, j: usize| {
        (0..n).map(|k| a[i * n + k] * b[k * n + j]).reduce(|a, b| a + b).unwrap()
    };
    (0..n * n).map(|at| entry(at / n, at % n)).collect()
}

fn trace<T: Real>(a: &[T], n: usize) -> T {
    a.iter().step_by(n + 1).copied().reduce(|a, b| a + b).unwrap()
}

/// By the series, of an eighth, squared thrice.
fn exponential_by_series<T: Real>(a: &[T], n: usize) -> Vec<T> {
    let a: Vec<T> = a.iter().map(|&entry| entry * T::from_f64(0.125)).collect();
    let unit = |at: usize| T::from_f64(f64::from(u8::from(at.is_multiple_of(n + 1))));
    let mut term: Vec<T> = (0..n * n).map(unit).collect();
    let mut sum = term.clone();
    for k in 1..24 {
        let factor = T::from_f64(1.0 / f64::from(k));
        term = times(&term, &a, n).into_iter().map(|entry| entry * factor).collect();
        sum.iter_mut().zip(&term).for_each(|(sum, &term)| *sum += term);
    }
    (0..3).for_each(|_| sum = times(&sum, &sum, n));
    sum
}

/// Of 3 rows, from a lower triangle.
fn symmetric<T: Copy>(lower: &[T]) -> Vec<T> {
    [0, 1, 3, 1, 2, 4, 3, 4, 5].iter().map(|&at| lower[at]).collect()
}

pub(super) struct Exponential;
impl Pair for Exponential {
    fn with<T: Real>(x: &[T]) -> T {
        weighed(&square(3, x).exp().data)
    }
    fn without<T: Real>(x: &[T]) -> T {
        weighed(&exponential_by_series(&x[..9], 3))
    }
}

#[test]
fn an_exponential() {
    #[rustfmt::skip]
    every_way(Which::Exponential, &[
        &[0.4, -0.3, 0.5, 0.4, 0.2, -0.6, 0.1, 0.9, -0.7],
        // Diagonal, equal eigenvalues, triangular, without any power, a rotation, 0.
        &[1.0, 0.0, 0.0, 0.0, -0.5, 0.0, 0.0, 0.0, 0.2],
        &[0.3, 0.0, 0.0, 0.0, 0.3, 0.0, 0.0, 0.0, 0.3],
        &[0.5, 2.0, -0.4, 0.0, 0.5, 0.8, 0.0, 0.0, -0.5],
        &[0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
        &[0.0, -2.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        &[0.0; 9],
    ]);
}

#[test]
fn an_exponential_of_large_numbers_is_halved_and_squared() {
    // eᵃ of [a 1; 0 a] is eᵃ·[1 1; 0 1].
    for a in [-300.0, -20.0, 3.0, 40.0, 600.0_f64] {
        let f = |a: &[Var]| {
            let [zero, one] = [0.0, 1.0].map(Var::constant);
            Matrix::from_rows(2, 2, vec![a[0], one, zero, a[0]]).unwrap().exp()[(0, 1)]
        };
        let (value, gradient) = tape::gradient(f, &[a]);
        let right = a.exp();
        assert!((value - right).abs() <= 1e-12 * a.abs() * right, "{value} instead of {right}");
        assert!((gradient[0] - right).abs() <= 1e-12 * a.abs() * right, "{gradient:?}, {right}");
    }
    let overflows = Matrix::from_rows(1, 1, vec![f64::INFINITY]).unwrap().exp();
    assert!(overflows.data[0].is_nan());
    assert!(Matrix::<f64>::from_rows(0, 0, vec![]).unwrap().exp().data.is_empty());
}

pub(super) struct Root;
impl Pair for Root {
    fn with<T: Real>(x: &[T]) -> T {
        // Numeric derivatives leave the matrices that have one.
        let root = from_lower(2, x).symmetric_sqrt();
        root.map_or(T::from_f64(f64::NAN), |root| weighed(&root.data))
    }
    /// (A + √det A)/√(tr A + 2·√det A).
    fn without<T: Real>(x: &[T]) -> T {
        let root = (x[0] * x[2] - x[1] * x[1]).sqrt();
        let scale = (x[0] + x[2] + root * T::from_f64(2.0)).sqrt();
        weighed(&[x[0] + root, x[1], x[1], x[2] + root].map(|entry| entry / scale))
    }
}

pub(super) struct RootSquared;
impl Pair for RootSquared {
    fn with<T: Real>(x: &[T]) -> T {
        let root = from_lower(3, x).symmetric_sqrt();
        root.map_or(T::from_f64(f64::NAN), |root| weighed(&(&root * &root).data))
    }
    fn without<T: Real>(x: &[T]) -> T {
        weighed(&symmetric(x))
    }
}

const POSITIVE: [&[f64]; 4] = [
    &[2.0, 0.3, 1.7, -0.4, 0.2, 3.1],
    &[2.0, 0.0, 3.0, 0.0, 0.0, 0.5],
    &[1.5, 0.0, 1.5, 0.0, 0.0, 1.5],
    &[2.0, 1.0, 2.0, 1.0, 1.0, 2.0],
];

#[test]
fn a_square_root_where_eigenvalues_are_equal_too() {
    every_way(
        Which::Root,
        &[&[2.0, 0.5, 1.0], &[4.0, 0.0, 1.0], &[4.0, 0.0, 4.0], &[2.0, 1.0, 1.5]],
    );
    every_way(Which::RootSquared, &POSITIVE);
}

#[test]
fn a_square_root_of_a_singular_matrix_and_of_none() {
    let a = Matrix::from_rows(2, 2, vec![1.0, 1.0, 1.0, 1.0]).unwrap();
    near(&a.symmetric_sqrt().unwrap().data, &[0.5_f64.sqrt(); 4], 1e-15);
    let a = Matrix::from_rows(2, 2, vec![1.0, 2.0, 2.0, 1.0]).unwrap();
    let error = a.symmetric_sqrt().unwrap_err();
    let Error::NegativeEigenvalue { call: "symmetric_sqrt", eigenvalue } = error else {
        panic!("{error}")
    };
    assert!((eigenvalue + 1.0).abs() < 1e-14);
}

/// Σ w(V·e^Λ·Vᵀ) and Σ λ³: of values and vectors.
pub(super) struct Eigen;
impl Pair for Eigen {
    fn with<T: Real>(x: &[T]) -> T {
        let eigen = from_lower(3, x).symmetric_eigen().unwrap();
        let v = eigen.vectors();
        let scaled = Matrix::from_fn(3, 3, |i, j| v[(i, j)] * eigen.values()[j].exp());
        let cubes: Vec<T> = eigen.values().iter().map(|&value| value * value * value).collect();
        weighed(&(&scaled * &v.transpose()).data) + T::sum(&cubes)
    }
    fn without<T: Real>(x: &[T]) -> T {
        let a = symmetric(x);
        weighed(&exponential_by_series(&a, 3)) + trace(&times(&times(&a, &a, 3), &a, 3), 3)
    }
}

#[test]
fn eigenvalues_and_eigenvectors() {
    every_way(
        Which::Eigen,
        &[
            &[0.4, -0.3, 0.2, 0.1, 0.9, -0.7],
            &[1.0, 0.0, -0.5, 0.0, 0.0, 0.2],
            &[0.0, 1.0, 0.0, 0.0, 0.5, 0.0],
            &[-1.0, 0.2, 1.0, 0.1, 0.0, 0.3],
        ],
    );
}

#[test]
fn third_derivatives() {
    let third = |second: fn(&[Var]) -> Vec<Var>, x: &[f64]| {
        Program::trace(second, x).unwrap().jacobian(x).unwrap().1.data
    };
    let x = [0.4, -0.3, 0.2, 0.1, 0.9, -0.7];
    let with = third(|x| tape::hessian(Eigen::with, x).2.data, &x);
    let without = third(|x| tape::hessian(Eigen::without, x).2.data, &x);
    near(&with, &without, 1e-9);
    let x = [2.0, 0.5, 1.0];
    let with = third(|x| tape::hessian(Root::with, x).2.data, &x);
    let without = third(|x| tape::hessian(Root::without, x).2.data, &x);
    near(&with, &without, 1e-9);
}

/// Σ λ³ + Σ e^λ, which do not depend on the vectors.
fn of_values<T: Real>(x: &[T]) -> T {
    let values = from_lower(3, x).symmetric_eigen().unwrap().values().to_vec();
    T::sum(&values.iter().map(|&value| value * value * value + value.exp()).collect::<Vec<_>>())
}

fn of_values_by_numbers<T: Real>(x: &[T]) -> T {
    let a = symmetric(x);
    trace(&times(&times(&a, &a, 3), &a, 3), 3) + trace(&exponential_by_series(&a, 3), 3)
}

/// Of three equal eigenvalues, of two, of two that are equal but for rounding.
const EQUAL: [&[f64]; 5] = [
    &[0.7, 0.0, 0.7, 0.0, 0.0, 0.7],
    &[0.0; 6],
    &[2.0, 0.0, 1.0, 0.0, 0.0, 1.0],
    &[2.0, 1.0, 2.0, 1.0, 1.0, 2.0],
    &[0.2, 0.0, 0.2, 0.0, 0.0, 0.200_000_000_000_000_04],
];

#[test]
fn functions_of_equal_eigenvalues_have_first_and_second_derivatives() {
    let program = Program::trace(of_values, &POSITIVE[0][..6]).unwrap();
    let gradient = Program::trace(|x| tape::gradient(of_values, x).1, POSITIVE[0]).unwrap();
    let direction = [0.3, -0.7, 1.1, 0.5, 0.2, -0.4];
    for x in EQUAL.into_iter().chain(POSITIVE) {
        let (value, right) = tape::gradient(of_values_by_numbers, x);
        let hessian = tape::hessian(of_values_by_numbers, x).2;
        let product = hessian.mul_vector(&direction);
        near(&[of_values(x)], &[value], FIRST);
        near(&tape::gradient(of_values, x).1, &right, FIRST);
        near(&program.gradient(x).unwrap().1, &right, FIRST);
        near(&gradient.values(x).unwrap(), &right, FIRST);

        near(&tape::hessian(of_values, x).2.data, &hessian.data, SECOND);
        near(&tape::hessian_vector(of_values, x, &direction).2, &product, SECOND);
        near(&program.hessian(x).unwrap().2.data, &hessian.data, SECOND);
        near(&program.hessian_vector(x, &direction).unwrap().2, &product, SECOND);
        near(&gradient.jacobian_vector(x, &direction).unwrap().1, &product, SECOND);
        let duals: Vec<Dual> = x.iter().zip(direction).map(|(&x, d)| Dual::new(x, d)).collect();
        let of_duals = tape::gradient(of_values, &duals).1;
        near(&of_duals.iter().map(|d| d.tangent).collect::<Vec<_>>(), &product, SECOND);
    }
}

/// Some rows with equal eigenvalues and some without, in one batch that was traced at one without, on several threads.
#[test]
fn a_batch_of_matrices_with_equal_eigenvalues_and_others() {
    fn moved<T: Real>(p: &[T], row: &[T]) -> Vec<T> {
        row.iter().zip([0, 1, 0, 1, 1, 0]).map(|(&x, of)| x + p[of]).collect()
    }
    let rows: Vec<&[f64]> = EQUAL.into_iter().chain(POSITIVE).cycle().take(900).collect();
    let f = |p: &[Var], row: &[Var]| of_values(&moved(p, row));
    let batch = Batch::trace(f, &[0.1, 0.2], POSITIVE[0]).unwrap();
    let summed = |p: &[Var]| {
        let term = |row: &&[f64]| of_values_by_numbers(&moved(p, &Var::constants_from(row)));
        tape::sum(&rows.iter().map(term).collect::<Vec<_>>())
    };
    let (value, gradient, hessian) = tape::hessian(summed, &[0.0, 0.0]);
    let by_batch = batch.hessian(&[0.0, 0.0], rows.concat().as_slice()).unwrap();
    near(&[by_batch.0], &[value], FIRST);
    near(&by_batch.1, &gradient, FIRST);
    near(&by_batch.2.data, &hessian.data, SECOND);
}

/// Right or NaN, whatever the way and the point: never a wrong number.
#[test]
fn reverse_mode_twice_is_right_or_nan_where_eigenvalues_are_equal() {
    for x in EQUAL {
        let right = tape::hessian(of_values_by_numbers, x).2;
        let nested = tape::jacobian(|x| tape::gradient(of_values, x).1, x).1;
        for (&entry, &right) in nested.data.iter().zip(&right.data) {
            assert!(entry.is_nan() || (entry - right).abs() < 1e-9, "{entry} instead of {right}");
        }
    }
}

#[test]
fn vectors_of_equal_eigenvalues_are_loud() {
    let entry = |x: &[Var]| from_lower(3, x).symmetric_eigen().unwrap().vectors()[(0, 0)];
    for x in &EQUAL[..3] {
        let gradient = tape::gradient(entry, x).1;
        assert!(gradient.iter().any(|entry| entry.is_nan()), "{gradient:?}");
    }
    // The vector of the eigenvalue that stands alone has its derivatives.
    let alone = |x: &[Var]| from_lower(3, x).symmetric_eigen().unwrap().vectors()[(1, 2)];
    let gradient = tape::gradient(alone, EQUAL[2]).1;
    near(&gradient, &[0.0, 1.0, 0.0, 0.0, 0.0, 0.0], FIRST);
    // The smaller of two equal ones is not a smooth function of the matrix.
    let smaller = |x: &[Var]| from_lower(3, x).symmetric_eigen().unwrap().values()[0];
    assert!(tape::hessian(smaller, EQUAL[0]).2.data.iter().any(|entry| entry.is_nan()));
}

#[test]
fn eigenvalues_are_in_order_and_vectors_of_length_one_at_any_size() {
    for n in [0, 1, 2, 5, 23, 24, 40] {
        let entry = |i: usize, j: usize| ((i * 31 + j * 17) % 13) as f64 - 5.0;
        let a = Matrix::from_fn(n, n, |i, j| entry(i, j) + entry(j, i));
        let eigen = a.symmetric_eigen().unwrap();
        assert!(eigen.values().is_sorted());
        let v = eigen.vectors();
        let scaled = Matrix::from_fn(n, n, |i, j| v[(i, j)] * eigen.values()[j]);
        near(&(&scaled * &v.transpose()).data, &a.data, 1e-12);
        let unit = Matrix::from_fn(n, n, |i, j| f64::from(u8::from(i == j)));
        near(&(&v.transpose() * v).data, &unit.data, 1e-13);
        for column in 0..n {
            let entries = (0..n).map(|row| v[(row, column)]);
            let largest = entries.reduce(|a, b| if b.abs() > a.abs() { b } else { a }).unwrap();
            assert!(largest > 0.0);
        }
    }
}

#[test]
fn small_eigenvalues_of_a_graded_matrix_are_accurate() {
    let a = Matrix::from_rows(2, 2, vec![1.0, 1e-12, 1e-12, 1e-20]).unwrap();
    let values = a.symmetric_eigen().unwrap().values().to_vec();
    let right = 1e-20 - 1e-24;
    assert!((values[0] - right).abs() < 1e-14 * right, "{}", values[0]);
}

pub(super) struct Nuclear;
impl Pair for Nuclear {
    fn with<T: Real>(x: &[T]) -> T {
        T::sum(&square(2, x).singular_values().unwrap())
    }
    /// √(tr Aᵀ·A + 2·|det A|).
    fn without<T: Real>(x: &[T]) -> T {
        let squares = x.iter().map(|&x| x * x).reduce(|a, b| a + b).unwrap();
        (squares + (x[0] * x[3] - x[1] * x[2]).abs() * T::from_f64(2.0)).sqrt()
    }
}

pub(super) struct FourthPowers;
impl Pair for FourthPowers {
    fn with<T: Real>(x: &[T]) -> T {
        let a = Matrix::from_rows(3, 2, x.to_vec()).unwrap();
        let of = |a: &Matrix<T>| -> T {
            let values = a.singular_values().unwrap();
            assert_eq!(values.len(), 2);
            let squares: Vec<T> = values.iter().map(|&value| value * value).collect();
            T::dot(&squares, &squares)
        };
        of(&a) + of(&a.transpose())
    }
    fn without<T: Real>(x: &[T]) -> T {
        let dot = |i: usize, j: usize| x[i] * x[j] + x[i + 2] * x[j + 2] + x[i + 4] * x[j + 4];
        let (a, b, c) = (dot(0, 0), dot(0, 1), dot(1, 1));
        (a * a + b * b * T::from_f64(2.0) + c * c) * T::from_f64(2.0)
    }
}

/// The polar factor U·Vᵀ.
pub(super) struct Polar;
impl Pair for Polar {
    fn with<T: Real>(x: &[T]) -> T {
        let svd = square(2, x).svd().unwrap();
        weighed(&(svd.left() * &svd.right().transpose()).data)
    }
    /// (A + cof A)/√(|A|² + 2·det A), where det A > 0.
    fn without<T: Real>(x: &[T]) -> T {
        let squares = x.iter().map(|&x| x * x).reduce(|a, b| a + b).unwrap();
        let size = (squares + (x[0] * x[3] - x[1] * x[2]) * T::from_f64(2.0)).sqrt();
        weighed(&[x[0] + x[3], x[1] - x[2], x[2] - x[1], x[3] + x[0]].map(|entry| entry / size))
    }
}

#[test]
fn singular_values_and_their_vectors() {
    every_way(
        Which::Nuclear,
        &[&[2.0, 0.3, -0.7, 1.1], &[3.0, 0.0, 0.0, 1.0], &[1.0, 2.0, 3.0, 1.0]],
    );
    every_way(
        Which::FourthPowers,
        &[&[2.0, 0.3, -0.7, 1.1, 0.5, 0.9], &[3.0, 0.0, 0.0, 1.0, 0.0, 0.0]],
    );
    every_way(
        Which::Polar,
        &[&[2.0, 0.3, -0.7, 1.1], &[3.0, 0.0, 0.0, 1.0], &[1.0, 2.0, -3.0, 1.0]],
    );
}

#[test]
fn equal_singular_values_and_those_that_are_0() {
    let nuclear = |x: &[Var]| Nuclear::with(x);
    let x = [3.0, 0.0, 0.0, 3.0];
    near(&tape::gradient(nuclear, &x).1, &[1.0, 0.0, 0.0, 1.0], FIRST);
    let right = tape::hessian(Nuclear::without, &x).2;
    near(&tape::hessian(nuclear, &x).2.data, &right.data, SECOND);
    // Of rank 1: as |x| at 0, what is 0 has the derivative 0.
    let a = [1.0, 2.0, 2.0, 4.0];
    near(&square(2, &a).singular_values().unwrap(), &[5.0, 0.0], 1e-14);
    near(&tape::gradient(nuclear, &a).1, &[0.2, 0.4, 0.4, 0.8], FIRST);
    near(&tape::gradient(nuclear, &[0.0; 4]).1, &[0.0; 4], FIRST);
    let error = square(2, &a).svd().unwrap_err();
    assert!(matches!(error, Error::Singular { call: "svd", pivot: 1 }), "{error}");
    assert!(Matrix::<f64>::from_rows(0, 3, vec![]).unwrap().singular_values().unwrap().is_empty());
}

/// Vectors of a singular value of 0 could be any: a program that is replayed there, or a lane, must not make some up.
#[test]
fn vectors_of_a_singular_value_of_0_are_nan_in_a_program_and_an_error_in_any_lane() {
    let rank_1 = [1.0, 2.0, 2.0, 4.0];
    let f = |x: &[Var]| Polar::with(x);
    let program = Program::trace(f, &[2.0, 0.3, -0.7, 1.1]).unwrap();
    assert!(program.value(&rank_1).unwrap().is_nan());
    assert!(program.gradient(&rank_1).unwrap().1.iter().all(|entry| entry.is_nan()));
    let lanes: Vec<Lanes<2>> =
        rank_1.iter().zip([2.0, 0.3, -0.7, 1.1]).map(|(&a, b)| Lanes([b, a])).collect();
    assert!(matches!(square(2, &lanes).svd(), Err(Error::Singular { pivot: 1, .. })));
}

/// More results than a trace packs in one piece, with another operation that uses all of them.
#[test]
fn a_traced_operation_with_more_results_than_a_piece_has_room_for() {
    const N: usize = 190;
    let f = |x: &[Var]| {
        let (a, b) = (square(N, x), square(N, &x[N * N..]));
        let product = &(&a * &b) * &a;
        product[(3, 7)] + product[(N - 1, 0)] * x[5]
    };
    let number = |i: usize| ((i * 37 % 101) as f64 - 50.0) * 1e-3;
    let x: Vec<f64> = (0..2 * N * N).map(number).collect();
    let elsewhere: Vec<f64> = (0..2 * N * N).map(|i| number(i * 3 + 1)).collect();
    let program = Program::trace(f, &x).unwrap();
    for x in [&x, &elsewhere] {
        let (value, gradient) = tape::gradient(f, x);
        let replayed = program.gradient(x).unwrap();
        near(&[replayed.0], &[value], FIRST);
        near(&replayed.1, &gradient, FIRST);
    }
}

/// The polar factor, where singular values are equal.
#[test]
fn a_polar_factor_by_a_square_root() {
    let polar = |x: &[Var]| {
        let a = square(2, x);
        let root = (&a.transpose() * &a).symmetric_sqrt().unwrap();
        weighed(&(&a * &root.inverse().unwrap()).data)
    };
    for x in [[3.0, 0.0, 0.0, 3.0], [1.0, 2.0, -3.0, 1.0]] {
        near(&tape::gradient(polar, &x).1, &tape::gradient(Polar::without, &x).1, FIRST);
        let right = tape::hessian(Polar::without, &x).2;
        near(&tape::hessian(polar, &x).2.data, &right.data, SECOND);
    }
}

#[test]
fn what_is_not_a_number_is_refused_by_name() {
    let a = Matrix::from_rows(2, 2, vec![1.0, f64::NAN, 0.0, 1.0]).unwrap();
    let lower = a.transpose();
    assert!(a.symmetric_eigen().is_ok());
    let errors = [
        lower.symmetric_eigen().map(|_| ()).unwrap_err(),
        lower.symmetric_sqrt().map(|_| ()).unwrap_err(),
        a.singular_values().map(|_| ()).unwrap_err(),
        a.svd().map(|_| ()).unwrap_err(),
    ];
    for (error, name) in
        errors.iter().zip(["symmetric_eigen", "symmetric_sqrt", "singular_values", "svd"])
    {
        assert_eq!(error.to_string(), format!("{name}: a number of the matrix is NaN or infinite"));
    }
    let wide = Matrix::from_rows(1, 2, vec![1.0, 2.0]).unwrap();
    assert!(matches!(wide.symmetric_eigen(), Err(Error::NotSquare { rows: 1, columns: 2, .. })));
    let lanes = [1.0, f64::INFINITY].map(|second| second);
    let lanes = Matrix::from_rows(1, 1, vec![Lanes(lanes)]).unwrap();
    assert!(matches!(lanes.symmetric_eigen(), Err(Error::NotFinite { .. })));
    let program = Program::trace(of_values, POSITIVE[0]).unwrap();
    assert!(program.value(&[f64::NAN; 6]).unwrap().is_nan());
}

#[test]
#[should_panic(expected = "exp of a 1×2 matrix: it must be square")]
fn an_exponential_of_a_matrix_that_is_not_square_is_refused() {
    Matrix::from_rows(1, 2, vec![1.0, 2.0]).unwrap().exp();
}
