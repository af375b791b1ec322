//! First and second derivatives at single points where a formula decides: they are right, or NaN where there is none.

use tape::{Real, Var};

use crate::{Function, by_duals, by_sweeps};

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

/// Equal but for rounding in the last places; NaN is NaN.
#[track_caller]
fn check(f: impl Function, x: &[f64], gradient: &[f64], hessian: &[f64]) {
    for (way, got) in [("duals", by_duals(&f, x)), ("sweeps", by_sweeps(&f, x))] {
        let (first, second) = got[1..].split_at(x.len());
        for (what, got, right) in [("gradient", first, gradient), ("Hessian", second, hessian)] {
            let close = |(a, b): (&f64, &f64)| {
                a == b || (a.is_nan() && b.is_nan()) || ((a - b) / b).abs() < 1e-13
            };
            assert!(
                got.len() == right.len() && got.iter().zip(right).all(close),
                "{what} by {way} at {x:?}: {got:?}, not {right:?}"
            );
        }
    }
}

macro_rules! function {
    ($name:ident |$x:ident| $value:expr) => {
        struct $name;

        impl Function for $name {
            fn at<T: Real>(&self, $x: &[T]) -> T {
                $value
            }
        }
    };
}
function!(Power | x | x[0].powf(x[1]));
function!(Length | x | x[0].hypot(x[1]));
function!(Norm | x | tape::norm(x));
function!(Angle | x | x[0].atan2(x[1]));
function!(Remainder | x | x[0] % x[1]);
function!(ClampBelowItself | x | x[0].clamp(T::from_f64(0.0), x[0]));
function!(Clamp | x | x[0].clamp(x[1], x[2]));
function!(Entropy | x | x[0].mul_add(x[0].ln(), T::from_f64(0.0)));
function!(
    LogOfNormal
        | x
        | (T::from_f64(0.5) * (-x[0] * T::from_f64(core::f64::consts::FRAC_1_SQRT_2)).erfc()).ln()
);
function!(SumOfExponentials | x | x[0].log_add_exp(x[1]));
function!(LargePower | x | x[0].powi(i32::MIN));
function!(Quotient | x | x[0] / x[1]);
function!(Gelu | x | x[0].gelu());
function!(Silu | x | x[0].silu());
function!(ErrorFunction | x | x[0].erf());

#[test]
fn a_power_keeps_its_second_derivatives() {
    let ln_2 = core::f64::consts::LN_2;
    check(Power, &[2.0, 0.0], &[0.0, ln_2], &[0.0, 0.5, ln_2 * ln_2]);
    check(Power, &[2.0, 1.0], &[1.0, 2.0 * ln_2], &[0.0, 1.0 + ln_2, 2.0 * ln_2 * ln_2]);
    check(Power, &[-2.0, 3.0], &[12.0, NAN], &[-12.0, NAN, NAN]);
    check(
        Power,
        &[2.0, -1.0],
        &[-0.25, 0.5 * ln_2],
        &[0.25, 0.25 - 0.25 * ln_2, 0.5 * ln_2 * ln_2],
    );
}

#[test]
fn a_power_of_zero_has_the_second_derivatives_that_exist() {
    check(Power, &[0.0, 0.0], &[0.0, 0.0], &[0.0, NAN, NAN]);
    check(Power, &[0.0, 1.0], &[1.0, 0.0], &[0.0, NAN, 0.0]);
    check(Power, &[0.0, 2.0], &[0.0, 0.0], &[2.0, 0.0, 0.0]);
    check(Power, &[0.0, 3.0], &[0.0, 0.0], &[0.0, 0.0, 0.0]);
    check(Power, &[0.0, 1.5], &[0.0, 0.0], &[INF, 0.0, 0.0]);
    check(Power, &[0.0, 0.5], &[INF, 0.0], &[-INF, NAN, 0.0]);
    check(Power, &[0.0, 0.25], &[INF, 0.0], &[-INF, NAN, 0.0]);
    check(Power, &[0.0, -1.0], &[-INF, -INF], &[INF, INF, INF]);
}

#[test]
fn the_tip_of_a_cone_has_no_second_derivative() {
    check(Length, &[0.0, 0.0], &[0.0, 0.0], &[NAN; 3]);
    check(Norm, &[0.0, 0.0], &[0.0, 0.0], &[NAN; 3]);
    check(Angle, &[0.0, 0.0], &[0.0, 0.0], &[NAN; 3]);
}

#[test]
fn a_side_that_is_zero_is_no_tip() {
    check(Length, &[0.0, 2.0], &[0.0, 1.0], &[0.5, 0.0, 0.0]);
    check(Length, &[-2.0, 0.0], &[-1.0, 0.0], &[0.0, 0.0, 0.5]);
    check(Norm, &[0.0, 2.0], &[0.0, 1.0], &[0.5, 0.0, 0.0]);
}

#[test]
fn a_remainder_has_the_quotient_that_its_value_used() {
    check(Remainder, &[1.0, 0.1], &[1.0, -9.0], &[0.0; 3]);
    check(Remainder, &[-7.5, 2.0], &[1.0, 3.0], &[0.0; 3]);
}

#[test]
fn a_bound_that_is_met_takes_all() {
    check(ClampBelowItself, &[5.0], &[1.0], &[0.0]);
    check(Clamp, &[1.0, 0.0, 1.0], &[0.0, 0.0, 1.0], &[0.0; 6]);
    check(Clamp, &[0.0, 0.0, 1.0], &[0.0, 1.0, 0.0], &[0.0; 6]);
    check(Clamp, &[1.0, 1.0, 1.0], &[0.0, 1.0, 0.0], &[0.0; 6]);
}

#[test]
fn an_indeterminate_product_with_a_summand_has_no_derivative() {
    assert!(tape::gradient(|x: &[Var]| Entropy.at(x), &[0.0]).1[0].is_nan());
}

#[test]
fn a_quotient_of_small_numbers_does_not_overflow() {
    check(LogOfNormal, &[-30.0], &[30.033_259_667_433_68], &[-0.998_896_228_488_109_9]);
    check(Quotient, &[1e-100, 1e-120], &[1e120, -1e140], &[0.0, -1e240, 2e260]);
}

#[test]
fn a_program_finds_the_curvature_of_small_probabilities_too() {
    let program = tape::Program::trace(|x| LogOfNormal.at(x), &[1.0]).unwrap();
    let second = program.hessian(&[-30.0]).unwrap().2.data[0];
    assert!((second + 0.998_896_228_488_109_9).abs() < 1e-12, "{second}");
    let (.., product) = program.hessian_vector(&[-30.0], &[1.0]).unwrap();
    assert!((product[0] + 0.998_896_228_488_109_9).abs() < 1e-12, "{product:?}");
}

#[test]
fn a_difference_of_exponents_keeps_the_share_of_the_smaller() {
    let curvature = 1.928_749_847_963_917_8e-22;
    check(SumOfExponentials, &[50.0, 0.0], &[1.0, curvature], &[curvature, -curvature, curvature]);
    check(SumOfExponentials, &[INF, 1.0], &[1.0, 0.0], &[0.0; 3]);
}

#[test]
fn the_smallest_exponent_has_a_smaller_one() {
    check(LargePower, &[1.0], &[-2_147_483_648.0], &[4_611_686_020_574_871_552.0]);
}

#[test]
fn infinite_arguments_of_activations_have_flat_derivatives() {
    check(Gelu, &[INF], &[1.0], &[0.0]);
    check(Silu, &[INF], &[1.0], &[0.0]);
    check(ErrorFunction, &[INF], &[0.0], &[0.0]);
    check(ErrorFunction, &[-1e200], &[0.0], &[0.0]);
}
