//! The checker on functions of nalgebra's, with derivatives that came out wrong through it.

use super::library::{Matrix2, Matrix3, UnitQuaternion, Vector3};
use tape::Var;
use tape::check::{self, Verdict};

/// A wrong gradient, written beside the value as one operation, must be a mismatch; the right one must not.
#[track_caller]
fn check_mismatch(value: impl Fn(&[f64]) -> f64, x: &[f64], wrong: &[f64], right: &[f64]) {
    let of = |given: &[f64]| {
        let f = |x: &[Var]| {
            let numbers: Vec<f64> = x.iter().map(|x| x.value()).collect();
            tape::custom(x, value(&numbers), given)
        };
        [check::gradient(f, x), check::gradient_of(&value, given, x)]
    };
    for verdict in of(wrong) {
        assert!(verdict.is_mismatch(), "{wrong:?} instead of {right:?}: {verdict}");
    }
    for verdict in of(right) {
        assert!(!verdict.is_mismatch(), "the right {right:?}: {verdict}");
    }
}

#[test]
fn a_polar_factor_without_derivatives_at_a_diagonal_matrix_is_a_mismatch() {
    let polar = |x: &[f64]| {
        let svd = Matrix3::from_row_slice(x).svd(true, true);
        (svd.u.unwrap() * svd.v_t.unwrap())[(0, 1)]
    };
    let x = [3.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0];
    let right = [0.0, 0.2, 0.0, -0.2, 0.0, 0.0, 0.0, 0.0, 0.0];
    let with = |first: f64, second: f64| [0.0, first, 0.0, second, 0.0, 0.0, 0.0, 0.0, 0.0];
    check_mismatch(polar, &x, &with(0.0, -1.0 / 3.0), &right);
    check_mismatch(polar, &x, &with(0.0, -0.2), &right);
    check_mismatch(polar, &x, &with(0.2, 0.0), &right);
    // As the tape has it through nalgebra: the gradient beside the point is another.
    let recorded = |x: &[Var]| {
        let svd = Matrix3::from_row_slice(x).svd(true, true);
        (svd.u.unwrap() * svd.v_t.unwrap())[(0, 1)]
    };
    assert!(!check::gradient(recorded, &x).is_pass());
}

#[test]
fn a_root_without_derivatives_at_a_diagonal_matrix_is_a_mismatch() {
    let root = |x: &[f64]| {
        let mut eigen = Matrix2::new(x[0], x[1], x[1], x[2]).symmetric_eigen();
        eigen.eigenvalues = eigen.eigenvalues.map(f64::sqrt);
        eigen.recompose()[(0, 1)]
    };
    check_mismatch(root, &[1.0, 0.0, 4.0], &[0.0; 3], &[0.0, 1.0 / 3.0, 0.0]);
}

#[test]
fn an_eigenvalue_that_forgets_what_is_below_the_diagonal_is_a_mismatch() {
    let largest = |x: &[f64]| {
        let a = Matrix3::new(1.0, 1.0, 1.0, 0.0, 2.0, 1.0, x[0], x[1], x[2]);
        a.schur().eigenvalues().map_or(f64::NAN, |values| values.max())
    };
    check_mismatch(largest, &[0.0, 0.0, 4.0], &[0.0, 0.0, 1.0], &[0.5, 0.5, 1.0]);
}

#[test]
fn a_turn_without_derivatives_at_no_turn_is_a_mismatch() {
    let v = Vector3::new(1.0, 2.0, 3.0);
    let turned =
        |i: usize| move |w: &[f64]| (UnitQuaternion::new(Vector3::new(w[0], w[1], w[2])) * v)[i];
    // −[v]ₓ.
    let right = [[0.0, 3.0, -2.0], [-3.0, 0.0, 1.0], [2.0, -1.0, 0.0]];
    for (i, right) in right.iter().enumerate() {
        check_mismatch(turned(i), &[0.0; 3], &[0.0; 3], right);
    }
    // Of a component that is 0 and stays 0 close to no turn.
    let turned = |w: &[f64]| (UnitQuaternion::new(Vector3::new(w[0], w[1], w[2])) * Vector3::x()).y;
    check_mismatch(turned, &[0.0; 3], &[0.0; 3], &[0.0, 0.0, 1.0]);
}

#[test]
fn a_factor_of_0_without_a_derivative_is_a_mismatch() {
    let product = |beta: &[f64]| {
        let mut y = Vector3::new(5.0, -1.0, 2.0);
        y.gemv(0.7, &Matrix3::identity(), &Vector3::new(1.0, 2.0, 3.0), beta[0]);
        y.axpy(1.5, &Vector3::new(0.5, 1.0, 2.0), 1.0);
        y.sum()
    };
    check_mismatch(product, &[0.0], &[0.0], &[6.0]);
    let sum = |beta: &[f64]| {
        let mut y = Vector3::new(5.0, -1.0, 2.0);
        y.axpy(0.7, &Vector3::new(1.0, 2.0, 3.0), beta[0]);
        y.x
    };
    check_mismatch(sum, &[0.0], &[0.0], &[5.0]);
    assert_eq!(Verdict::Pass, check::gradient_of(sum, &[5.0], &[0.0]));
}
