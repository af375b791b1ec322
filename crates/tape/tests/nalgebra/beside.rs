//! What nalgebra cannot do right, done beside it; and what a program remembers of the numbers that nalgebra reads.

use super::library::{DMatrix, Matrix2, Matrix3, Quaternion, UnitQuaternion, Vector3, try_convert};
use tape::check::{self, Verdict};
use tape::{Dual, Function, Real, Var, rotation};

fn assert_close(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{a} instead of {b}");
    }
}

/// Turns v by w, and weights what comes out.
fn turned<T: Real>(x: &[T]) -> T {
    let [a, b, c] = rotation::turn([x[0], x[1], x[2]], [x[3], x[4], x[5]]);
    a * T::from_f64(0.3) - b * T::from_f64(1.2) + c * T::from_f64(0.7)
}

fn quaternion_part<T: Real>(x: &[T]) -> T {
    let [a, b, c, d] = rotation::quaternion([x[0], x[1], x[2]]);
    a * T::from_f64(0.3) - b * T::from_f64(1.2) + c * T::from_f64(0.7) + d * T::from_f64(0.4)
}

/// There and back: x itself.
fn there_and_back<T: Real>(x: &[T]) -> T {
    let [a, b, c] = rotation::rotation_vector(rotation::quaternion([x[0], x[1], x[2]]));
    a * T::from_f64(0.3) - b * T::from_f64(1.2) + c * T::from_f64(0.7)
}

#[test]
fn a_turn_is_that_of_nalgebra() {
    for w in [
        [0.3, -1.0, 0.4],
        [2.0, 1.0, -0.7],
        [0.2, 0.1, 0.0],
        [1e-9, 0.0, 0.0],
        [0.0; 3],
        [0.4, 0.2, 0.2236],
    ] {
        let v = Vector3::new(1.0, -2.0, 0.5);
        let theirs = UnitQuaternion::new(Vector3::from(w));
        assert_close(&rotation::turn(w, v.into()), (theirs * v).as_slice(), 1e-15);
        let ours = UnitQuaternion::new_unchecked(Quaternion::from(rotation::quaternion(w)));
        assert_close(ours.coords.as_slice(), theirs.coords.as_slice(), 1e-15);
        assert_close(&rotation::rotation_vector(rotation::quaternion(w)), &w, 1e-15);
        let negative = rotation::quaternion(w).map(|x| -x);
        assert_close(&rotation::rotation_vector(negative), &w, 1e-15);
    }
}

#[test]
fn turns_have_right_first_and_second_derivatives_at_no_turn_and_elsewhere() {
    for w in [
        [0.0; 3],
        [1e-300, 0.0, 0.0],
        [1e-9, -2e-9, 1e-9],
        [0.1, 0.0, 0.0],
        [0.5, 0.01, 0.0],
        [0.3, -1.0, 0.4],
        [2.0, 1.0, -0.7],
    ] {
        let x = [w.as_slice(), &[1.0, -2.0, 0.5]].concat();
        check_twice(turned, turned, &x);
        check_twice(quaternion_part, quaternion_part, &w);
        let hessian = check_twice(there_and_back, there_and_back, &w);
        assert_close(&tape::gradient(there_and_back, &w).1, &[0.3, -1.2, 0.7], 1e-14);
        assert_close(&hessian, &[0.0; 9], 1e-12);
    }
    // By hand: e^(w×) v = v + w×v + ½·w×(w×v) + …, so that ∂²/∂w₀² = (0, −v₁, −v₂) at w = 0.
    let hessian = tape::hessian(turned, &[0.0, 0.0, 0.0, 1.0, -2.0, 0.5]).2;
    assert_close(&hessian.data[..1], &[-1.2 * 2.0 - 0.7 * 0.5], 1e-15);
}

/// Holds the gradient, and the second derivatives along a direction, against numeric ones; gives the Hessian.
fn check_twice(f: impl Fn(&[Var]) -> Var, dual: impl Fn(&[Dual]) -> Dual, x: &[f64]) -> Vec<f64> {
    let gradient = tape::gradient(&f, x).1;
    assert_eq!(check::gradient(&f, x), Verdict::Pass, "{x:?}");
    let seeded =
        |i| x.iter().enumerate().map(move |(j, &x)| Dual::new(x, if i == j { 1.0 } else { 0.0 }));
    let tangents: Vec<f64> =
        (0..x.len()).map(|i| dual(&seeded(i).collect::<Vec<_>>()).tangent).collect();
    assert_close(&tangents, &gradient, 1e-13);
    let hessian = tape::hessian(&f, x).2;
    for (i, row) in hessian.data.chunks(x.len()).enumerate() {
        let verdict = check::gradient_of(|x| tape::gradient(&f, x).1[i], row, x);
        let is_rounding = matches!(verdict, Verdict::Mismatch { exact, numeric, .. } if (exact - numeric).abs() < 1e-15);
        assert!(is_rounding || !verdict.is_mismatch(), "{x:?}, row {i}: {verdict}");
    }
    hessian.data
}

#[test]
fn a_program_keeps_to_the_numbers_that_nalgebra_read() {
    // cos x, by as many squarings of the matrix as its size asks for.
    let cosine = |x: &[Var]| {
        let zero = Var::constant(0.0);
        Matrix2::new(zero, x[0], -x[0], zero).exp()[(0, 0)]
    };
    let function = Function::new(cosine);
    for x in [5.0, 100.0, 0.01, 5.5] {
        let (value, gradient) = function.gradient(&[x]).unwrap();
        let (cos, sin) = (x.cos(), x.sin());
        assert_close(&[value, gradient[0]], &[cos, -sin], 1e-12);
    }
    let (value, gradient) = function.gradient(&[100.0]).unwrap();
    assert_close(&[value, gradient[0]], &[0.862_318_872_287_683_9, 0.506_365_641_110_758_8], 1e-12);
}

#[test]
fn a_branch_on_a_converted_number_takes_the_right_side() {
    let branch = |x: &[Var]| match try_convert::<_, f64>(x[0]) {
        Some(number) if number > 0.0 => x[0] * 2.0,
        _ => x[0] * -3.0,
    };
    let of_dual = |x: &[Var]| {
        let dual = Dual::new(x[0], Var::constant(1.0));
        let number = try_convert::<_, f32>(dual).unwrap();
        if number > 0.0 { (dual * dual).tangent } else { (dual * dual * dual).tangent }
    };
    let (branch, of_dual) = (Function::new(branch), Function::new(of_dual));
    for (x, doubled, slope) in
        [(1.0, 2.0, 2.0), (-1.0, 3.0, 3.0), (2.0, 4.0, 4.0), (-2.0, 6.0, 12.0)]
    {
        assert_eq!(branch.gradient(&[x]).unwrap().0, doubled);
        assert_eq!(of_dual.gradient(&[x]).unwrap().0, slope);
    }
}

#[test]
fn a_singular_matrix_of_variables_is_one() {
    let x = [1.0, 2.0, 3.0, 2.0, 4.0, 6.0, 1.0, 0.5, 2.0];
    let singular = |x: &[Var]| {
        let a = Matrix3::from_row_slice(x);
        assert!(a.try_inverse().is_none());
        assert!(a.lu().solve(&Vector3::new(x[0], x[1], x[2])).is_none());
        assert!(a.lu().try_inverse().is_none());
        a.determinant()
    };
    // The cofactors.
    assert_close(
        &tape::gradient(singular, &x).1,
        &[5.0, 2.0, -3.0, -2.5, -1.0, 1.5, 0.0, 0.0, 0.0],
        1e-15,
    );
}

/// √A, by values and vectors and as one operation, at a diagonal matrix and where eigenvalues are equal.
#[test]
fn a_root_of_a_diagonal_matrix_has_its_derivatives() {
    let a =
        |x: &[Var]| tape::Matrix::from(DMatrix::from_row_slice(2, 2, &[x[0], x[1], x[1], x[2]]));
    let by_vectors = |x: &[Var]| {
        let eigen = a(x).symmetric_eigen().unwrap();
        let v = eigen.vectors();
        let scaled = tape::Matrix::from_fn(2, 2, |i, j| v[(i, j)] * eigen.values()[j].sqrt());
        (&scaled * &v.transpose())[(0, 1)]
    };
    let root = |x: &[Var]| {
        // Numeric derivatives leave the matrices that have one.
        a(x).symmetric_sqrt().map_or(Var::constant(f64::NAN), |root| root[(0, 1)])
    };
    let x = [1.0, 0.0, 4.0];
    assert_close(&tape::gradient(by_vectors, &x).1, &[0.0, 1.0 / 3.0, 0.0], 1e-14);
    assert_close(&tape::gradient(root, &x).1, &[0.0, 1.0 / 3.0, 0.0], 1e-14);
    assert_eq!(check::gradient(by_vectors, &x), Verdict::Pass);
    assert_eq!(check::gradient(root, &x), Verdict::Pass);
    assert_close(&tape::gradient(root, &[4.0, 0.0, 4.0]).1, &[0.0, 0.25, 0.0], 1e-14);
}

#[test]
fn a_polar_factor_of_a_diagonal_matrix_has_its_derivatives() {
    let a = |x: &[Var]| tape::Matrix::from(DMatrix::from_row_slice(3, 3, x));
    let by_vectors = |x: &[Var]| {
        let svd = a(x).svd().unwrap();
        (svd.left() * &svd.right().transpose())[(0, 1)]
    };
    let by_root = |x: &[Var]| {
        let a = a(x);
        let root = (&a.transpose() * &a).symmetric_sqrt().unwrap();
        (&a * &root.inverse().unwrap())[(0, 1)]
    };
    let right = [0.0, 0.2, 0.0, -0.2, 0.0, 0.0, 0.0, 0.0, 0.0];
    let x = [3.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0];
    assert_close(&tape::gradient(by_vectors, &x).1, &right, 1e-14);
    assert_close(&tape::gradient(by_root, &x).1, &right, 1e-14);
    assert_eq!(check::gradient(by_vectors, &x), Verdict::Pass);
    // Equal singular values: the entry at (0, 1) turns by half of what one beside the diagonal changes.
    let right = [0.0, 0.25, 0.0, -0.25, 0.0, 0.0, 0.0, 0.0, 0.0];
    let x = [2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0];
    assert_close(&tape::gradient(by_root, &x).1, &right, 1e-14);
}
