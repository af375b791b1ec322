//! Decompositions of `nalgebra` and products of `ndarray` differentiate: each is held against its analytic gradient,
//! against numeric derivatives, and in reverse mode against forward mode, to second order.

use nalgebra::{DMatrix, DVector, Matrix3, RealField, Rotation3, SMatrix, SVector, Vector3};
use ndarray::{Array1, Array2, LinalgScalar, ScalarOperand, array};
use tape::{Dual, Real, Tape, Var};

/// Three rows, positive definite when taken as a symmetric matrix.
const A: [f64; 9] = [4.0, 1.0, -0.5, 1.0, 3.0, 0.7, -0.5, 0.7, 2.0];
const B: [f64; 3] = [1.0, -2.0, 0.5];

fn assert_close(a: &[f64], b: &[f64], tolerance: f64) {
    let largest = a.iter().chain(b).fold(1.0, |largest: f64, x| largest.max(x.abs()));
    let close = a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance * largest);
    assert!(a.len() == b.len() && close, "\n{a:?}\n{b:?}");
}

/// Checks a function's value, and its gradient in both modes against an analytic one.
fn check_gradient(
    plain: impl Fn(&[f64]) -> f64,
    forward: impl Fn(&[Dual]) -> Dual,
    reverse: impl Fn(&[Var]) -> Var,
    x: &[f64],
    analytic: &[f64],
) {
    let (value, gradient) = tape::gradient(&reverse, x);
    assert_eq!(value.to_bits(), plain(x).to_bits(), "the value is that of plain numbers");
    assert_close(&gradient, analytic, 1e-12);
    tape::check::assert_gradient(&reverse, x);

    let in_direction =
        |i: usize| move |(j, x): (usize, &f64)| Dual::new(*x, if i == j { 1.0 } else { 0.0 });
    let tangents: Vec<f64> = (0..x.len())
        .map(|i| {
            let x: Vec<Dual> = x.iter().enumerate().map(in_direction(i)).collect();
            forward(&x).tangent
        })
        .collect();
    assert_close(&gradient, &tangents, 1e-12);
}

/// Checks a function's gradient, and its second derivatives against forward over reverse and numeric ones.
fn check(
    plain: impl Fn(&[f64]) -> f64,
    forward: impl Fn(&[Dual]) -> Dual,
    reverse: impl Fn(&[Var]) -> Var,
    forward_over_reverse: impl Fn(&[Dual<Var>]) -> Dual<Var>,
    x: &[f64],
    analytic: &[f64],
) {
    check_gradient(plain, forward, &reverse, x, analytic);
    assert!(tape::check::gradient(&reverse, x).is_pass());

    let hessian = tape::hessian(&reverse, x).2;
    for (i, row) in hessian.data.chunks(x.len()).enumerate() {
        let tape = Tape::new();
        let variables: Vec<Var> = tape.vars_from(x);
        let x: Vec<Dual<Var>> = variables
            .iter()
            .enumerate()
            .map(|(j, &x)| Dual::new(x, Var::constant(if i == j { 1.0 } else { 0.0 })))
            .collect();
        let adjoints = tape.sweep(forward_over_reverse(&x).tangent);
        let nested: Vec<f64> = variables.iter().map(|&x| adjoints.wrt(x)).collect();
        assert_close(row, &nested, 1e-10);
    }
    for i in 0..x.len() {
        let ith = |xi| {
            let mut x = x.to_vec();
            x[i] = xi;
            tape::gradient(&reverse, &x).1[i]
        };
        let numeric = tape::check::derivative(ith, x[i]);
        let difference = (hessian.data[i * x.len() + i] - numeric.value).abs();
        assert!(difference <= 1e-6 * (1.0 + numeric.value.abs()), "∂²/∂x{i}²: {difference}");
    }
}

macro_rules! check {
    ($f:ident, $x:expr, $analytic:expr) => {
        check($f::<f64>, $f::<Dual>, $f::<Var>, $f::<Dual<Var>>, &$x, $analytic)
    };
}

/// For iterations, whose second derivatives lag behind the values that end them.
macro_rules! check_gradient {
    ($f:ident, $x:expr, $analytic:expr) => {
        check_gradient($f::<f64>, $f::<Dual>, $f::<Var>, &$x, $analytic)
    };
}

fn a_then_b() -> Vec<f64> {
    [A.as_slice(), B.as_slice()].concat()
}

/// A⁻¹b.
fn solution() -> Vector3<f64> {
    Matrix3::from_row_slice(&A).try_inverse().unwrap() * Vector3::from(B)
}

/// The gradient of bᵀA⁻¹b: −ssᵀ for the matrix and 2s for the vector, where s = A⁻¹b.
fn gradient_of_quadratic_form() -> Vec<f64> {
    let s = solution();
    let with_matrix = -s * s.transpose();
    with_matrix.iter().copied().chain((2.0 * s).iter().copied()).collect()
}

#[test]
fn cholesky_solve_differentiates() {
    fn quadratic_form<T: RealField + Copy>(x: &[T]) -> T {
        let m = Matrix3::from_row_slice(&x[..9]);
        let a = (m + m.transpose()) * nalgebra::convert::<f64, T>(0.5);
        let b = Vector3::from_column_slice(&x[9..]);
        b.dot(&a.cholesky().unwrap().solve(&b))
    }
    check!(quadratic_form, a_then_b(), &gradient_of_quadratic_form());
}

#[test]
fn cholesky_solve_of_a_dynamic_matrix_differentiates() {
    fn quadratic_form<T: RealField + Copy>(x: &[T]) -> T {
        let m = DMatrix::from_row_slice(3, 3, &x[..9]);
        let a = (&m + m.transpose()) * nalgebra::convert::<f64, T>(0.5);
        let b = DVector::from_column_slice(&x[9..]);
        b.dot(&a.cholesky().unwrap().solve(&b))
    }
    check!(quadratic_form, a_then_b(), &gradient_of_quadratic_form());
}

#[test]
fn lu_solve_differentiates() {
    fn quadratic_form<T: RealField + Copy>(x: &[T]) -> T {
        let a = DMatrix::from_row_slice(3, 3, &x[..9]);
        let b = DVector::from_column_slice(&x[9..]);
        b.dot(&a.lu().solve(&b).unwrap())
    }
    check!(quadratic_form, a_then_b(), &gradient_of_quadratic_form());
}

#[test]
fn inverse_differentiates() {
    fn quadratic_form<T: RealField + Copy>(x: &[T]) -> T {
        let a = Matrix3::from_row_slice(&x[..9]);
        let b = Vector3::from_column_slice(&x[9..]);
        b.dot(&(a.try_inverse().unwrap() * b))
    }
    check!(quadratic_form, a_then_b(), &gradient_of_quadratic_form());
}

#[test]
fn determinant_by_lu_has_the_cofactors_as_gradient() {
    fn determinant<T: RealField + Copy>(x: &[T]) -> T {
        Matrix3::from_row_slice(x).lu().determinant()
    }
    let a = Matrix3::from_row_slice(&A);
    let cofactors = a.try_inverse().unwrap() * a.determinant();
    check!(determinant, A, cofactors.as_slice());
}

#[test]
fn least_squares_by_qr_differentiate() {
    /// Σᵢ sᵢ of the s that makes |As − b| least, for A of 4 rows and 2 columns.
    fn sum_of_solution<T: RealField + Copy>(x: &[T]) -> T {
        let a = SMatrix::<T, 4, 2>::from_row_slice(&x[..8]);
        let b = SVector::<T, 4>::from_column_slice(&x[8..]);
        let qr = a.qr();
        qr.r().solve_upper_triangular(&(qr.q().transpose() * b)).unwrap().sum()
    }
    let a = SMatrix::<f64, 4, 2>::from_row_slice(&[1.0, 0.3, -0.4, 2.0, 0.9, 1.1, 0.2, -0.7]);
    let b = SVector::<f64, 4>::new(1.0, 2.0, -0.5, 0.8);
    // s = Mb with M = (AᵀA)⁻¹Aᵀ; with w = (AᵀA)⁻¹1 the gradient is (b − As)wᵀ − (Aw)sᵀ, and Mᵀ1 = Aw for b.
    let gram_inverse = (a.transpose() * a).try_inverse().unwrap();
    let s = gram_inverse * a.transpose() * b;
    let w = gram_inverse * SVector::<f64, 2>::repeat(1.0);
    let with_a = (b - a * s) * w.transpose() - a * w * s.transpose();
    let row_major = with_a.transpose();
    let analytic: Vec<f64> = row_major.iter().chain((a * w).iter()).copied().collect();
    let x: Vec<f64> = a.transpose().iter().chain(b.iter()).copied().collect();
    check!(sum_of_solution, x, &analytic);
}

#[test]
fn largest_eigenvalue_has_the_outer_product_of_its_vector_as_gradient() {
    fn largest_eigenvalue<T: RealField + Copy>(x: &[T]) -> T {
        let m = Matrix3::from_row_slice(x);
        let a = (m + m.transpose()) * nalgebra::convert::<f64, T>(0.5);
        a.symmetric_eigen().eigenvalues.max()
    }
    let eigen = Matrix3::from_row_slice(&A).symmetric_eigen();
    let vector = eigen.eigenvectors.column(eigen.eigenvalues.imax());
    let analytic = vector * vector.transpose();
    check_gradient!(largest_eigenvalue, A, analytic.as_slice());
}

#[test]
fn sum_of_singular_values_has_the_polar_factor_as_gradient() {
    fn nuclear_norm<T: RealField + Copy>(x: &[T]) -> T {
        Matrix3::from_row_slice(x).svd(true, true).singular_values.sum()
    }
    let x = [1.0, 2.0, -0.5, 0.3, -1.4, 0.8, 2.2, 0.1, 0.6];
    let svd = Matrix3::from_row_slice(&x).svd(true, true);
    let polar = svd.u.unwrap() * svd.v_t.unwrap();
    check_gradient!(nuclear_norm, x, polar.transpose().as_slice());
}

#[test]
fn trace_of_a_matrix_exponential_has_the_exponential_as_gradient() {
    fn trace_of_exponential<T: RealField + Copy>(x: &[T]) -> T {
        Matrix3::from_row_slice(x).exp().trace()
    }
    check!(trace_of_exponential, A, Matrix3::from_row_slice(&A).exp().as_slice());
}

#[test]
fn rotations_differentiate() {
    /// The third component of a vector turned about the x axis.
    fn height<T: RealField + Copy>(x: &[T]) -> T {
        let turn = Rotation3::from_euler_angles(x[0], T::zero(), T::zero());
        (turn * Vector3::new(T::zero(), x[1], x[2])).z
    }
    let (sin, cos) = 0.7_f64.sin_cos();
    check!(height, [0.7, 2.0, 3.0], &[2.0 * cos - 3.0 * sin, sin, cos]);
}

#[test]
fn ndarray_products_differentiate() {
    /// |2Ax|² for A of 2 rows and 3 columns.
    fn squared_length<T: Real + LinalgScalar + ScalarOperand>(x: &[T]) -> T {
        let a = Array2::from_shape_vec((2, 3), x[..6].to_vec()).unwrap();
        let y = a.dot(&Array1::from(x[6..].to_vec())) * T::from_f64(2.0);
        y.dot(&y)
    }
    let x = [1.0, -0.5, 2.0, 0.3, 1.5, -1.0, 0.7, -0.2, 1.1];
    // y = Ax; the gradient is 8yxᵀ and 8Aᵀy.
    let y = [0.7 + 0.1 + 2.2, 0.21 - 0.3 - 1.1];
    let analytic = [
        8.0 * y[0] * 0.7,
        8.0 * y[0] * -0.2,
        8.0 * y[0] * 1.1,
        8.0 * y[1] * 0.7,
        8.0 * y[1] * -0.2,
        8.0 * y[1] * 1.1,
        8.0 * (y[0] + 0.3 * y[1]),
        8.0 * (-0.5 * y[0] + 1.5 * y[1]),
        8.0 * (2.0 * y[0] - y[1]),
    ];
    check!(squared_length, x, &analytic);
}

#[test]
fn ndarray_matrices_of_variables_multiply_and_scale() {
    let tape = Tape::new();
    let x = tape.var(3.0);
    let a: Array2<Var> = array![[1.0, 2.0], [3.0, 4.0]].mapv(Var::constant);
    let y = (a.dot(&(&a * x)) + &a * 2.0 - 1.0).sum();
    assert_eq!(y.value(), 3.0 * 54.0 + 20.0 - 4.0);
    assert_eq!(tape.sweep(y).wrt(x), 54.0);
}

#[test]
fn approximate_equality_compares_values() {
    let tape = Tape::new();
    let (x, len) = (tape.var(1.0), tape.len());
    assert!(approx_eq(x, Var::constant(1.0 + 1e-13)));
    assert!(!approx_eq(x, Var::constant(1.0 + 1e-11)));
    assert_eq!(tape.len(), len, "a comparison records nothing");
}

fn approx_eq<T: RealField + Copy>(a: T, b: T) -> bool {
    a.relative_eq(&b, nalgebra::convert(1e-12), nalgebra::convert(1e-12))
}
