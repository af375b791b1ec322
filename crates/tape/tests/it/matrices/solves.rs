//! Solutions, inverses, determinants, Cholesky factors and least squares.

use tape::{Error, Lanes, Matrix, Program, Real, Triangle, Var};

use super::{FIRST, Pair, SECOND, every_way, near, spectra, square};

/// A·x = b by elimination without pivots, in numbers: the solutions, and the product of the pivots.
fn eliminated<T: Real>(n: usize, a: &[T], b: &[T]) -> (Vec<T>, T) {
    let (mut a, mut b) = (a.to_vec(), b.to_vec());
    let mut determinant = T::from_f64(1.0);
    for k in 0..n {
        determinant *= a[k * n + k];
        for i in 0..n {
            if i == k {
                continue;
            }
            let factor = a[i * n + k] / a[k * n + k];
            for j in k..n {
                let of_pivot = a[k * n + j];
                a[i * n + j] -= factor * of_pivot;
            }
            let of_pivot = b[k];
            b[i] -= factor * of_pivot;
        }
    }
    ((0..n).map(|k| b[k] / a[k * n + k]).collect(), determinant)
}

/// The determinant by its expansion along the first row.
fn expanded<T: Real>(n: usize, a: &[T]) -> T {
    if n == 0 {
        return T::from_f64(1.0);
    }
    let term = |column: usize| {
        let minor = |i: usize| (0..n).filter(move |&j| j != column).map(move |j| a[i * n + j]);
        let minor: Vec<T> = (1..n).flat_map(minor).collect();
        let sign = if column.is_multiple_of(2) { 1.0 } else { -1.0 };
        a[column] * expanded(n - 1, &minor) * T::from_f64(sign)
    };
    (0..n).map(term).reduce(|a, b| a + b).unwrap()
}

/// The factor of a matrix given as its lower triangle, as such.
fn factored<T: Real>(n: usize, lower: &[T]) -> Vec<T> {
    let at = |i: usize, j: usize| i * (i + 1) / 2 + j;
    let mut l = lower.to_vec();
    for i in 0..n {
        for j in 0..=i {
            let rest = (0..j).fold(l[at(i, j)], |rest, k| rest - l[at(i, k)] * l[at(j, k)]);
            l[at(i, j)] = if i == j { rest.sqrt() } else { rest / l[at(j, j)] };
        }
    }
    l
}

/// A matrix with this lower triangle; what is above it must not matter.
pub(super) fn from_lower<T: Real>(n: usize, lower: &[T]) -> Matrix<T> {
    let entry = |i: usize, j: usize| {
        if j > i { T::from_f64(f64::NAN) } else { lower[i * (i + 1) / 2 + j] }
    };
    Matrix::from_fn(n, n, entry)
}

/// Σ (i + 1)·xᵢ² + xᵢ: no two numbers count the same.
pub(super) fn weighed<T: Real>(x: &[T]) -> T {
    let term = |(i, &x): (usize, &T)| T::from_f64(1.0 + i as f64) * x * x + x;
    x.iter().enumerate().map(term).reduce(|a, b| a + b).unwrap()
}

#[rustfmt::skip]
const POINTS: [&[f64]; 5] = [
    // Generic; diagonal; equal eigenvalues; triangular; nearly singular.
    &[2.0, -0.3, 0.5, 0.4, 1.7, -0.6, 0.1, 0.9, 3.1,   0.7, -1.2, 0.4],
    &[2.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.5,     1.0, 2.0, 3.0],
    &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0,     0.3, 0.0, -0.7],
    &[1.0, 2.0, -0.4, 0.0, 2.5, 0.8, 0.0, 0.0, -1.5,   1.0, 0.0, 2.0],
    &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.5,     1.0, 2.0, 2.0],
];

/// One of the pairs. As functions of their own, every way of each would be compiled anew.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    Solve,
    SolveMatrix,
    Inverse,
    LnDeterminant,
    Factor,
    Likelihood,
    Triangles,
    LeastSquares,
    Norm,
    Determinant1,
    Determinant3,
    Determinant4,
    Exponential,
    Root,
    RootSquared,
    Eigen,
    Nuclear,
    FourthPowers,
    Polar,
}

impl Which {
    pub(super) fn with<T: Real>(self, x: &[T]) -> T {
        match self {
            Self::Solve => Solve::with(x),
            Self::SolveMatrix => SolveMatrix::with(x),
            Self::Inverse => Inverse::with(x),
            Self::LnDeterminant => LnDeterminant::with(x),
            Self::Factor => Factor::with(x),
            Self::Likelihood => Likelihood::with(x),
            Self::Triangles => Triangles::with(x),
            Self::LeastSquares => LeastSquares::with(x),
            Self::Norm => Norm::with(x),
            Self::Determinant1 => Determinant::<1>::with(x),
            Self::Determinant3 => Determinant::<3>::with(x),
            Self::Determinant4 => Determinant::<4>::with(x),
            Self::Exponential => spectra::Exponential::with(x),
            Self::Root => spectra::Root::with(x),
            Self::RootSquared => spectra::RootSquared::with(x),
            Self::Eigen => spectra::Eigen::with(x),
            Self::Nuclear => spectra::Nuclear::with(x),
            Self::FourthPowers => spectra::FourthPowers::with(x),
            Self::Polar => spectra::Polar::with(x),
        }
    }

    pub(super) fn without<T: Real>(self, x: &[T]) -> T {
        match self {
            Self::Solve => Solve::without(x),
            Self::SolveMatrix => SolveMatrix::without(x),
            Self::Inverse => Inverse::without(x),
            Self::LnDeterminant => LnDeterminant::without(x),
            Self::Factor => Factor::without(x),
            Self::Likelihood => Likelihood::without(x),
            Self::Triangles => Triangles::without(x),
            Self::LeastSquares => LeastSquares::without(x),
            Self::Norm => Norm::without(x),
            Self::Determinant1 => Determinant::<1>::without(x),
            Self::Determinant3 => Determinant::<3>::without(x),
            Self::Determinant4 => Determinant::<4>::without(x),
            Self::Exponential => spectra::Exponential::without(x),
            Self::Root => spectra::Root::without(x),
            Self::RootSquared => spectra::RootSquared::without(x),
            Self::Eigen => spectra::Eigen::without(x),
            Self::Nuclear => spectra::Nuclear::without(x),
            Self::FourthPowers => spectra::FourthPowers::without(x),
            Self::Polar => spectra::Polar::without(x),
        }
    }
}

struct Solve;
impl Pair for Solve {
    fn with<T: Real>(x: &[T]) -> T {
        weighed(&square(3, x).solve(&x[9..]).unwrap())
    }
    fn without<T: Real>(x: &[T]) -> T {
        weighed(&eliminated(3, x, &x[9..]).0)
    }
}

#[test]
fn a_solution() {
    every_way(Which::Solve, &POINTS);
}

struct SolveMatrix;
impl Pair for SolveMatrix {
    fn with<T: Real>(x: &[T]) -> T {
        let b = Matrix::from_rows(3, 2, vec![x[9], x[1], x[10], x[0], x[11], x[9]]).unwrap();
        weighed(&square(3, x).solve_matrix(&b).unwrap().data)
    }
    fn without<T: Real>(x: &[T]) -> T {
        let first = eliminated(3, x, &[x[9], x[10], x[11]]).0;
        let second = eliminated(3, x, &[x[1], x[0], x[9]]).0;
        weighed(&[first[0], second[0], first[1], second[1], first[2], second[2]])
    }
}

#[test]
fn solutions_for_several_right_hand_sides() {
    every_way(Which::SolveMatrix, &POINTS[..4]);
}

struct Inverse;
impl Pair for Inverse {
    fn with<T: Real>(x: &[T]) -> T {
        weighed(&square(3, x).inverse().unwrap().data)
    }
    fn without<T: Real>(x: &[T]) -> T {
        let unit = |k: usize| [0, 1, 2].map(|i| T::from_f64(f64::from(u8::from(i == k))));
        let columns = [0, 1, 2].map(|k| eliminated(3, x, &unit(k)).0);
        let entries: Vec<T> = (0..9).map(|at| columns[at % 3][at / 3]).collect();
        weighed(&entries)
    }
}

#[test]
fn an_inverse() {
    let points: Vec<&[f64]> = POINTS[..4].iter().map(|x| &x[..9]).collect();
    every_way(Which::Inverse, &points);
}

struct LnDeterminant;
impl Pair for LnDeterminant {
    fn with<T: Real>(x: &[T]) -> T {
        square(3, x).ln_determinant().unwrap()
    }
    fn without<T: Real>(x: &[T]) -> T {
        expanded(3, x).abs().ln()
    }
}

#[test]
fn a_logarithm_of_a_determinant() {
    let points: Vec<&[f64]> = POINTS[..4].iter().map(|x| &x[..9]).collect();
    every_way(Which::LnDeterminant, &points);
}

struct Determinant<const N: usize>;
impl<const N: usize> Pair for Determinant<N> {
    fn with<T: Real>(x: &[T]) -> T {
        square(N, x).determinant()
    }
    fn without<T: Real>(x: &[T]) -> T {
        expanded(N, x)
    }
}

#[test]
fn a_determinant_at_singular_matrices_too() {
    let mut points: Vec<&[f64]> = POINTS.iter().map(|x| &x[..9]).collect();
    #[rustfmt::skip]
    points.extend([
        // Of rank 2, with a row of zeros, with pivots that are only nearly 0, of rank 1, of rank 0.
        &[1.0, 2.0, 3.0, 2.0, 4.0, 6.0, -1.0, 0.5, 2.0],
        &[1.0, 2.0, 3.0, 0.0, 0.0, 0.0, -1.0, 0.5, 2.0],
        &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
        &[0.1, 0.2, 0.3, 0.3, 0.6, 0.9, -0.7, -1.4, -2.1],
        &[0.0; 9],
    ] as [&[f64]; 5]);
    every_way(Which::Determinant3, &points);
    every_way(Which::Determinant1, &[&[2.0], &[0.0]]);
}

#[test]
fn the_second_derivative_of_a_determinant_where_two_pivots_are_lost() {
    #[rustfmt::skip]
    let points: [&[f64]; 3] = [
        &[2.0, 0.3, 0.1, 0.7, -0.2, 1.5, 0.4, 0.3, 0.9, 0.1, -1.1, 0.2, 0.6, 0.8, 0.5, 1.3],
        // Of rank 2: the gradient is 0, the Hessian is not.
        &[1.0, 0.0, 2.0, 1.0, 0.0, 1.0, 1.0, -1.0, 1.0, 1.0, 3.0, 0.0, 2.0, -1.0, 3.0, 3.0],
        &[0.0, 2.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    ];
    every_way(Which::Determinant4, &points);
    let hessian = tape::hessian(Determinant::<4>::with, points[1]).2;
    assert!(hessian.data.iter().any(|entry| entry.abs() > 1.0));
}

#[test]
fn third_derivatives_are_right_where_there_is_an_inverse() {
    let third = |second: fn(&[Var]) -> Vec<Var>| {
        let x = &POINTS[0][..9];
        Program::trace(second, x).unwrap().jacobian(x).unwrap().1.data
    };
    let [with, without] = [
        third(|x| tape::hessian(Determinant::<3>::with, x).2.data),
        third(|x| tape::hessian(Determinant::<3>::without, x).2.data),
    ];
    near(&with, &without, SECOND);
}

struct Factor;
impl Pair for Factor {
    fn with<T: Real>(x: &[T]) -> T {
        let factor = from_lower(3, x).cholesky().unwrap().factor();
        let lower: Vec<T> = (0..3).flat_map(|i| factor.row(i)[..=i].to_vec()).collect();
        weighed(&lower)
    }
    fn without<T: Real>(x: &[T]) -> T {
        weighed(&factored(3, x))
    }
}

struct Likelihood;
impl Pair for Likelihood {
    fn with<T: Real>(x: &[T]) -> T {
        let (y, factor) = (&x[6..9], from_lower(3, x).cholesky().unwrap());
        let b = Matrix::from_rows(3, 2, vec![y[0], y[1], y[1], y[0], y[2], y[2]]).unwrap();
        let both = weighed(&factor.solve_matrix(&b).data);
        factor.ln_determinant() + T::dot(y, &factor.solve(y)) + both
    }
    fn without<T: Real>(x: &[T]) -> T {
        let y = &x[6..9];
        let a = [x[0], x[1], x[3], x[1], x[2], x[4], x[3], x[4], x[5]];
        let (solution, determinant) = eliminated(3, &a, y);
        let second = eliminated(3, &a, &[y[1], y[0], y[2]]).0;
        let both: Vec<T> = (0..6).map(|at| [&solution, &second][at % 2][at / 2]).collect();
        determinant.ln() + T::dot(y, &solution) + weighed(&both)
    }
}

#[rustfmt::skip]
const POSITIVE: [&[f64]; 4] = [
    &[4.0, 1.0, 3.0, -0.5, 0.7, 2.0,   0.3, -0.4, 1.1],
    &[2.0, 0.0, 3.0, 0.0, 0.0, 1.5,    1.0, 0.5, 0.0],
    &[2.0, 0.0, 2.0, 0.0, 0.0, 2.0,    0.3, 0.2, 0.1],
    &[3.0, 0.9, 3.0, 0.8, 0.9, 3.0,    0.3, 0.2, 0.7],
];

#[test]
fn a_factor() {
    let points: Vec<&[f64]> = POSITIVE.iter().map(|x| &x[..6]).collect();
    every_way(Which::Factor, &points);
}

#[test]
fn what_is_solved_with_a_factor() {
    every_way(Which::Likelihood, &POSITIVE);
}

struct Triangles;
impl Pair for Triangles {
    fn with<T: Real>(x: &[T]) -> T {
        let a = square(3, x);
        let kinds = [
            Triangle::Lower,
            Triangle::LowerTransposed,
            Triangle::Upper,
            Triangle::UpperTransposed,
        ];
        let b = Matrix::from_rows(3, 2, [&x[9..12], &x[3..6]].concat()).unwrap();
        let all = kinds.map(|kind| {
            let one = a.solve_triangular(&x[9..12], kind).unwrap();
            [one, a.solve_triangular_matrix(&b, kind).unwrap().data].concat()
        });
        weighed(&all.concat())
    }
    fn without<T: Real>(x: &[T]) -> T {
        let zero = T::from_f64(0.0);
        let lower = [x[0], zero, zero, x[3], x[4], zero, x[6], x[7], x[8]];
        let upper = [x[0], x[1], x[2], zero, x[4], x[5], zero, zero, x[8]];
        let transposed = |a: [T; 9]| [0, 3, 6, 1, 4, 7, 2, 5, 8].map(|at| a[at]);
        let all = [lower, transposed(lower), upper, transposed(upper)].map(|a| {
            let one = eliminated(3, &a, &x[9..12]).0;
            let first = eliminated(3, &a, &[x[9], x[11], x[4]]).0;
            let second = eliminated(3, &a, &[x[10], x[3], x[5]]).0;
            let both = (0..6).map(|at| [&first, &second][at % 2][at / 2]);
            one.into_iter().chain(both).collect::<Vec<T>>()
        });
        weighed(&all.concat())
    }
}

#[test]
fn solutions_by_triangles() {
    every_way(Which::Triangles, &POINTS[..4]);
}

struct LeastSquares;
impl Pair for LeastSquares {
    fn with<T: Real>(x: &[T]) -> T {
        let a = Matrix::from_rows(4, 2, x[..8].to_vec()).unwrap();
        weighed(&a.least_squares(&x[8..12]).unwrap())
    }
    fn without<T: Real>(x: &[T]) -> T {
        let column = |j: usize| [x[j], x[j + 2], x[j + 4], x[j + 6]];
        let (first, second, b) = (column(0), column(1), &x[8..12]);
        let mixed = T::dot(&first, &second);
        let normal = [T::dot(&first, &first), mixed, mixed, T::dot(&second, &second)];
        weighed(&eliminated(2, &normal, &[T::dot(&first, b), T::dot(&second, b)]).0)
    }
}

#[test]
fn least_squares() {
    #[rustfmt::skip]
    every_way(Which::LeastSquares, &[
        &[1.0, 0.2, 1.0, 1.3, 1.0, 2.1, 1.0, 3.4,   0.3, 1.4, 1.9, 3.3],
        // Triangular; orthogonal columns; a residual of 0.
        &[2.0, 1.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0,   1.0, 2.0, 0.5, -0.7],
        &[1.0, 1.0, 1.0, -1.0, -1.0, 1.0, -1.0, -1.0,   0.1, 0.7, -0.2, 0.4],
        &[1.0, 0.0, 1.0, 1.0, 1.0, 2.0, 1.0, 3.0,   1.0, 3.0, 5.0, 7.0],
    ]);
}

#[test]
fn least_squares_do_not_square_the_condition() {
    // The columns differ by 1e-7: the condition is 1e7, and its square is near the end of the digits.
    let e = 1e-7;
    let a = [1.0, 1.0, e, 0.0, 0.0, e];
    let b = [2.0, e, e];
    let f = |x: &[Var]| {
        let a = Matrix::from_rows(3, 2, x[..6].to_vec()).unwrap();
        a.least_squares(&x[6..]).unwrap()[0]
    };
    let (value, gradient) = tape::gradient(f, &[&a[..], &b[..]].concat());
    assert!((value - 1.0).abs() < 1e-8, "{value}");
    // By b: the first row of the pseudo-inverse, [1, 1/e + e, −1/e]/(2 + e²).
    let right = [0.5, 0.5 / e, -0.5 / e];
    for (given, right) in gradient[6..].iter().zip(right) {
        assert!((given - right).abs() < 1e-7 * right.abs(), "{given} {right}");
    }
}

struct Norm;
impl Pair for Norm {
    fn with<T: Real>(x: &[T]) -> T {
        square(3, x).norm()
    }
    fn without<T: Real>(x: &[T]) -> T {
        T::dot(x, x).sqrt()
    }
}

#[test]
fn a_norm() {
    every_way(Which::Norm, &[&POINTS[0][..9], &POINTS[1][..9]]);
    assert_eq!(tape::gradient(Norm::with, &[0.0; 9]), (0.0, vec![0.0; 9]));
}

/// Numbers that look random, between −1 and 1.
fn scattered(count: usize) -> Vec<f64> {
    let mut state = 1_u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Large enough for every kernel, and for blocks in blocks.
const LARGE: usize = 75;

fn large_matrix() -> Vec<f64> {
    let mut a = scattered(LARGE * LARGE);
    for entry in a.iter_mut().step_by(LARGE + 1) {
        *entry += 9.0;
    }
    a
}

#[test]
fn large_systems_are_solved_as_small_ones() {
    let n = LARGE;
    let (mut a, b, v) = (large_matrix(), scattered(n), scattered(n * n));
    // So that rows are exchanged.
    a.rotate_left(3 * n);
    let with = |x: &[Var]| weighed(&square(n, x).solve(&Var::constants_from(&b)).unwrap());
    let without =
        |x: &[Var]| weighed(&square(n, x).inverse().unwrap().mul_vector(&Var::constants_from(&b)));
    near(&[tape::gradient(with, &a).0], &[tape::gradient(without, &a).0], FIRST);
    near(&tape::gradient(with, &a).1, &tape::gradient(without, &a).1, FIRST);
    let [with, without] =
        [tape::hessian_vector(with, &a, &v).2, tape::hessian_vector(without, &a, &v).2];
    near(&with, &without, SECOND);
    let matrix = square(n, &a);
    let rest: Vec<f64> = matrix.mul_vector(&matrix.solve(&b).unwrap());
    near(&rest, &b, FIRST);
    let kinds =
        [Triangle::Lower, Triangle::LowerTransposed, Triangle::Upper, Triangle::UpperTransposed];
    let diagonal = square(n, &large_matrix());
    for kind in kinds {
        let x = diagonal.solve_triangular(&b, kind).unwrap();
        let triangle = Matrix::from_fn(n, n, |i, j| match kind {
            Triangle::Lower if j <= i => diagonal[(i, j)],
            Triangle::Upper if j >= i => diagonal[(i, j)],
            Triangle::LowerTransposed if i <= j => diagonal[(j, i)],
            Triangle::UpperTransposed if i >= j => diagonal[(j, i)],
            _ => 0.0,
        });
        near(&triangle.mul_vector(&x), &b, FIRST);
    }
}

#[test]
fn large_determinants_agree() {
    let n = LARGE;
    let mut a = large_matrix();
    a.rotate_left(3 * n);
    for entry in &mut a {
        *entry /= 8.0;
    }
    let by_logarithm = tape::gradient(|x| square(n, x).ln_determinant().unwrap(), &a);
    let (value, gradient) = tape::gradient(|x| square(n, x).determinant(), &a);
    near(&[value.abs().ln()], &[by_logarithm.0], FIRST);
    let scaled: Vec<f64> = gradient.iter().map(|entry| entry / value).collect();
    near(&scaled, &by_logarithm.1, FIRST);
    let v = scattered(n * n);
    // (ln d)″·v = d″·v/d − d′·(d′·v)/d²
    let second = tape::hessian_vector(|x| square(n, x).determinant(), &a, &v).2;
    let along = tape::dot(&scaled, &v);
    let right: Vec<f64> =
        second.iter().zip(&scaled).map(|(second, first)| second / value - first * along).collect();
    let second = tape::hessian_vector(|x| square(n, x).ln_determinant().unwrap(), &a, &v).2;
    near(&second, &right, SECOND);
}

fn rows_of_lower(length: usize) -> usize {
    (0..=length).find(|n| n * (n + 1) / 2 == length).unwrap()
}

fn of_large_factor<T: Real>(x: &[T]) -> T {
    let n = rows_of_lower(x.len());
    let factor = from_lower(n, x).cholesky().unwrap().factor();
    weighed(&(0..n).flat_map(|i| factor.row(i)[..=i].to_vec()).collect::<Vec<_>>())
}

fn by_large_loop<T: Real>(x: &[T]) -> T {
    weighed(&factored(rows_of_lower(x.len()), x))
}

#[test]
fn a_large_factor_differentiates_as_its_loop() {
    for n in [40, LARGE, 140] {
        let length = n * (n + 1) / 2;
        let mut lower = scattered(length);
        for row in 0..n {
            lower[row * (row + 1) / 2 + row] += 25.0;
        }
        let (value, right) = tape::gradient(by_large_loop, &lower);
        let (by_blocks, gradient) = tape::gradient(of_large_factor, &lower);
        near(&[by_blocks], &[value], FIRST);
        near(&gradient, &right, FIRST);
        let v = scattered(length);
        let right = tape::hessian_vector(by_large_loop, &lower, &v).2;
        near(&tape::hessian_vector(of_large_factor, &lower, &v).2, &right, SECOND);
        let traced = |x: &[Var]| tape::gradient(of_large_factor, x).1;
        let program = Program::trace(traced, &lower).unwrap();
        near(&program.values(&lower).unwrap(), &gradient, FIRST);
        let along = |x: &[Var]| tape::dot(&traced(x), &Var::constants_from(&v));
        near(&tape::gradient(along, &lower).1, &right, SECOND);
    }
}

#[test]
fn misuse_is_an_error_that_says_what_is_wrong() {
    let wide = Matrix::from_fn(2, 3, |_, _| 1.0);
    let square = Matrix::from_fn(3, 3, |i, j| (i * j) as f64 + 1.0);
    let not_square = |error: Error| matches!(error, Error::NotSquare { rows: 2, columns: 3, .. });
    assert!(not_square(wide.solve(&[1.0, 2.0]).unwrap_err()));
    assert!(not_square(wide.solve_matrix(&wide).unwrap_err()));
    assert!(not_square(wide.inverse().unwrap_err()));
    assert!(not_square(wide.ln_determinant().unwrap_err()));
    assert!(not_square(wide.cholesky().unwrap_err()));
    assert!(not_square(wide.solve_triangular(&[1.0; 2], Triangle::Lower).unwrap_err()));
    let given = |error: Error| match error {
        Error::Dimensions { expected, given, .. } => [expected, given],
        error => panic!("{error}"),
    };
    assert_eq!(given(square.solve(&[1.0]).unwrap_err()), [3, 1]);
    assert_eq!(given(square.solve_matrix(&wide).unwrap_err()), [3, 2]);
    assert_eq!(given(square.solve_triangular(&[], Triangle::Upper).unwrap_err()), [3, 0]);
    assert_eq!(given(wide.least_squares(&[1.0; 3]).unwrap_err()), [2, 3]);
    // The second row is once more the first, and the third pivot is lost.
    let pivot = |error: Error| match error {
        Error::Singular { pivot, .. } => pivot,
        error => panic!("{error}"),
    };
    let singular = Matrix::from_rows(3, 3, vec![1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 0.0, 1.0, 0.0]);
    let singular = singular.unwrap();
    assert_eq!(pivot(singular.solve(&[1.0; 3]).unwrap_err()), 2);
    assert_eq!(pivot(singular.inverse().unwrap_err()), 2);
    assert_eq!(pivot(singular.ln_determinant().unwrap_err()), 2);
    assert_eq!(pivot(singular.solve_triangular(&[1.0; 3], Triangle::Lower).unwrap_err()), 2);
    assert_eq!(pivot(singular.least_squares(&[1.0; 3]).unwrap_err()), 2);
    assert_eq!(pivot(wide.least_squares(&[1.0; 2]).unwrap_err()), 2);
    let large = Matrix::from_fn(50, 50, |i, j| f64::from(u8::from(i == j && i != 30)));
    assert_eq!(pivot(large.solve(&[1.0; 50]).unwrap_err()), 30);
    assert_eq!(large.determinant(), 0.0);
    assert_eq!(pivot(large.least_squares(&[1.0; 50]).unwrap_err()), 30);
    assert_eq!(large.cholesky().unwrap_err(), Error::NotPositiveDefinite { pivot: 30 });
    assert_eq!(singular.cholesky().unwrap_err(), Error::NotPositiveDefinite { pivot: 1 });
    assert_eq!(
        singular.solve(&[1.0; 3]).unwrap_err().to_string(),
        "solve: the matrix is singular: its column 2 (the first is 0) depends on those before it, or a number is NaN"
    );
}

#[test]
fn nan_in_a_matrix_is_an_error_and_in_a_right_hand_side_an_answer() {
    let nan = Matrix::from_rows(2, 2, vec![1.0, 0.0, 0.0, f64::NAN]).unwrap();
    assert!(matches!(nan.solve(&[1.0; 2]), Err(Error::Singular { .. })));
    assert!(matches!(nan.inverse(), Err(Error::Singular { .. })));
    assert!(matches!(nan.ln_determinant(), Err(Error::Singular { .. })));
    assert!(matches!(nan.least_squares(&[1.0; 2]), Err(Error::Singular { .. })));
    assert_eq!(nan.cholesky().unwrap_err(), Error::NotPositiveDefinite { pivot: 1 });
    assert!(nan.determinant().is_nan());
    let large = Matrix::from_fn(40, 40, |i, j| if i == j { f64::NAN } else { 1.0 });
    assert!(large.determinant().is_nan() && large.solve(&[1.0; 40]).is_err());
    assert!(large.cholesky().is_err() && large.least_squares(&[1.0; 40]).is_err());
    let unit = Matrix::from_rows(2, 2, vec![1.0, 0.0, 0.0, 1.0]).unwrap();
    assert!(unit.solve(&[f64::NAN, 1.0]).unwrap()[0].is_nan());
    assert!(unit.least_squares(&[f64::NAN, 1.0]).unwrap()[0].is_nan());
    assert!(unit.cholesky().unwrap().solve(&[f64::NAN, 1.0])[0].is_nan());
}

#[test]
fn single_precision_decides_by_its_own_digits() {
    // Singular in 24 bits, not in 53.
    let entries = [1.0, 1.0, 1.0, 1.0 + 1e-9];
    let matrix = |data: &[f64]| square(2, data);
    assert!(matrix(&entries).solve(&[1.0; 2]).is_ok());
    let single = square(2, &entries.map(|x| x as f32));
    assert!(matches!(single.solve(&[1.0; 2]), Err(Error::Singular { pivot: 1, .. })));
    assert!(matches!(single.least_squares(&[1.0; 2]), Err(Error::Singular { pivot: 1, .. })));
    assert_eq!(single.cholesky().unwrap_err(), Error::NotPositiveDefinite { pivot: 1 });
}

#[test]
fn any_lane_decides() {
    let entry = |i: usize, j: usize| {
        Lanes::<4>(core::array::from_fn(|lane| f64::from(u8::from(i == j && (lane, i) != (2, 1)))))
    };
    let matrix = Matrix::from_fn(2, 2, entry);
    let b = [Lanes([1.0; 4]); 2];
    assert!(matches!(matrix.solve(&b), Err(Error::Singular { pivot: 1, .. })));
    assert!(matches!(matrix.cholesky(), Err(Error::NotPositiveDefinite { pivot: 1 })));
    assert!(matches!(matrix.ln_determinant(), Err(Error::Singular { pivot: 1, .. })));
    assert!(matches!(matrix.least_squares(&b), Err(Error::Singular { pivot: 1, .. })));
    assert!(matches!(
        matrix.solve_triangular(&b, Triangle::Upper),
        Err(Error::Singular { pivot: 1, .. })
    ));
    assert_eq!(matrix.determinant().0, [1.0, 1.0, 0.0, 1.0]);
}

#[test]
fn a_program_asked_at_a_singular_matrix_says_nan_or_infinity() {
    let x = [&[1.0; 9][..], &[1.0, 2.0, 3.0]].concat();
    let program = Program::trace(Solve::with, POINTS[0]).unwrap();
    assert!(program.value(&x).unwrap().is_nan());
    assert!(program.gradient(&x).unwrap().1.iter().all(|x| x.is_nan()));
    let _ = program.hessian(&x).unwrap();
    let program = Program::trace(LnDeterminant::with, &POINTS[0][..9]).unwrap();
    assert!(!program.value(&x[..9]).unwrap().is_finite());
    let program = Program::trace(Factor::with, &POSITIVE[0][..6]).unwrap();
    assert!(program.value(&[-1.0; 6]).unwrap().is_nan());
    let _ = program.hessian(&[-1.0; 6]).unwrap();
    let program = Program::trace(LeastSquares::with, POINTS[0]).unwrap();
    assert!(program.value(&[1.0; 12]).unwrap().is_nan());
    let program = Program::trace(Triangles::with, POINTS[0]).unwrap();
    assert!(!program.value(&[0.0; 12]).unwrap().is_finite());
}

#[test]
fn matrices_without_rows_and_of_one_number() {
    let none = Matrix::<Var>::from_rows(0, 0, vec![]).unwrap();
    assert!(none.solve(&[]).unwrap().is_empty());
    assert!(none.solve_matrix(&none).unwrap().data.is_empty());
    assert!(none.inverse().unwrap().data.is_empty());
    assert_eq!(none.determinant().value(), 1.0);
    assert_eq!(none.ln_determinant().unwrap().value(), 0.0);
    assert_eq!(none.norm().value(), 0.0);
    let factor = none.cholesky().unwrap();
    assert!(factor.solve(&[]).is_empty() && factor.factor().data.is_empty());
    assert_eq!(factor.ln_determinant().value(), 0.0);
    assert!(none.solve_triangular(&[], Triangle::Lower).unwrap().is_empty());
    assert!(none.least_squares(&[]).unwrap().is_empty());
    let tall = Matrix::<f64>::from_rows(3, 0, vec![]).unwrap();
    assert!(tall.least_squares(&[1.0, 2.0, 3.0]).unwrap().is_empty());
    let b = Matrix::from_rows(3, 0, vec![]).unwrap();
    assert!(square(3, POINTS[0]).solve_matrix(&b).unwrap().data.is_empty());

    let one = |x: &[Var]| {
        let matrix = square(1, x);
        let factor = matrix.cholesky().unwrap();
        let all = [
            matrix.solve(&x[1..]).unwrap()[0],
            matrix.inverse().unwrap().data[0],
            matrix.determinant(),
            matrix.ln_determinant().unwrap(),
            factor.solve(&x[1..])[0],
            factor.ln_determinant(),
            matrix.least_squares(&x[1..]).unwrap()[0],
            matrix.norm(),
        ];
        weighed(&all)
    };
    let plain = |x: &[Var]| {
        let (quotient, logarithm) = (x[1] / x[0], x[0].ln());
        let all = [quotient, x[0].recip(), x[0], logarithm, quotient, logarithm, quotient, x[0]];
        weighed(&all)
    };
    let (value, gradient) = tape::gradient(plain, &[2.0, 3.0]);
    near(&[tape::gradient(one, &[2.0, 3.0]).0], &[value], FIRST);
    near(&tape::gradient(one, &[2.0, 3.0]).1, &gradient, FIRST);
    near(
        &tape::hessian(one, &[2.0, 3.0]).2.data,
        &tape::hessian(plain, &[2.0, 3.0]).2.data,
        SECOND,
    );
}

#[test]
#[should_panic(expected = "determinant of a 2×3 matrix: it must be square")]
fn the_determinant_of_a_matrix_that_is_not_square_is_refused() {
    let _ = Matrix::from_fn(2, 3, |_, _| 1.0).determinant();
}

#[test]
#[should_panic(expected = "Cholesky::solve of a matrix with 3 rows, and a right-hand side with 2")]
fn a_right_hand_side_of_another_length_is_refused_by_a_factor() {
    let _ = from_lower(3, POSITIVE[0]).cholesky().unwrap().solve(&[1.0, 2.0]);
}
