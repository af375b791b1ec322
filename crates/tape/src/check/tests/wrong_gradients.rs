//! Wrong derivatives that passed for right ones somewhere, each by hand beside a right value: none may pass here.

use super::*;

/// A function of plain numbers with a derivative written beside it, as one operation.
fn by_hand(
    value: impl Fn(&[f64]) -> f64,
    gradient: impl Fn(&[f64]) -> Vec<f64>,
) -> impl Fn(&[Var]) -> Var {
    move |x| {
        let numbers: Vec<f64> = x.iter().map(|x| x.value()).collect();
        crate::custom(x, value(&numbers), &gradient(&numbers))
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Wanted {
    Mismatch,
    /// The value does not tell in double precision, but never a pass.
    Unchecked,
    /// The fault is below the seven digits that a pass stands for.
    Pass,
}

/// Holds a wrong gradient against its function, in both ways that users have; the right one must not be a mismatch.
#[track_caller]
fn check_wrong(
    value: impl Fn(&[f64]) -> f64 + Copy,
    x: &[f64],
    wrong: &[f64],
    right: &[f64],
    wanted: Wanted,
) {
    for (given, is_wrong) in [(wrong, true), (right, false)] {
        let verdicts =
            [gradient(by_hand(value, |_| given.to_vec()), x), gradient_of(value, given, x)];
        for verdict in verdicts {
            if is_wrong {
                let came = match verdict {
                    Verdict::Pass => Wanted::Pass,
                    Verdict::Mismatch { .. } => Wanted::Mismatch,
                    Verdict::Unchecked { .. } => Wanted::Unchecked,
                };
                assert_eq!(came, wanted, "{given:?} instead of {right:?} at {x:?}: {verdict}");
            } else {
                assert!(!verdict.is_mismatch(), "the right {given:?} at {x:?}: {verdict}");
            }
        }
    }
}

/// The polar factor's entry [0, 1] of a 2×2 matrix of positive determinant; entries below ε·|a| count as 0, as in an
/// iteration that stops there.
fn polar_factor(a: &[f64]) -> f64 {
    let negligible = f64::EPSILON * (a[0].abs() + a[3].abs());
    let [b, c] = [a[1], a[2]].map(|x| if x.abs() <= negligible { 0.0 } else { x });
    (b - c) / (a[0] + a[3]).hypot(b - c)
}

#[test]
fn what_an_iteration_neglects_is_no_derivative_of_0() {
    let right = [0.0, 0.2, -0.2, 0.0];
    check_wrong(
        polar_factor,
        &[3.0, 0.0, 0.0, 2.0],
        &[0.0, 0.0, -0.333, 0.0],
        &right,
        Wanted::Mismatch,
    );
    check_wrong(
        polar_factor,
        &[3.0, 0.0, 0.0, 2.0],
        &[0.0, 0.0, -0.2, 0.0],
        &right,
        Wanted::Mismatch,
    );
    // Behind a slope of its own, too.
    let with_slope = |a: &[f64]| polar_factor(a) + a[1];
    check_wrong(
        with_slope,
        &[3.0, 0.0, 0.0, 2.0],
        &[0.0, 1.0, -0.2, 0.0],
        &[0.0, 1.2, -0.2, 0.0],
        Wanted::Mismatch,
    );
    // √A[0, 1] at diag(1, 4) is a01/(1 + 2).
    let root = |x: &[f64]| if x[0].abs() < 1e-15 { 0.0 } else { x[0] / 3.0 };
    check_wrong(root, &[0.0], &[0.0], &[1.0 / 3.0], Wanted::Mismatch);
    // A turn of less than ε is none.
    let turned = |w: &[f64]| if w[0].abs() <= f64::EPSILON { 0.0 } else { w[0].sin() };
    check_wrong(turned, &[0.0], &[0.0], &[1.0], Wanted::Mismatch);
    let turned = |w: &[f64]| {
        if w[0].abs() <= f64::EPSILON { 7.0 } else { 7.0 * w[0].cos() + 3.0 * w[0].sin() }
    };
    check_wrong(turned, &[0.0], &[0.0], &[3.0], Wanted::Mismatch);
    // The largest eigenvalue of [[1, 1, 1], [0, 2, 1], [0, 0, 4]].
    let largest =
        |a: &[f64]| largest_eigenvalue([[1.0, 1.0, 1.0], [0.0, 2.0, 1.0], [a[0], a[1], a[2]]]);
    check_wrong(largest, &[0.0, 0.0, 4.0], &[0.0, 0.0, 1.0], &[0.5, 0.5, 1.0], Wanted::Mismatch);
    check_wrong(largest, &[0.0, 0.0, 4.0], &[0.5, 0.0, 1.0], &[0.5, 0.5, 1.0], Wanted::Mismatch);
    // β·y, where β = 0.
    check_wrong(|x| 2.0 + x[0] * 5.0, &[0.0], &[0.0], &[5.0], Wanted::Mismatch);
}

/// By Newton's method on the characteristic polynomial, from above.
fn largest_eigenvalue(a: [[f64; 3]; 3]) -> f64 {
    let minor = |i: usize, j: usize| a[i][i] * a[j][j] - a[i][j] * a[j][i];
    let trace = a[0][0] + a[1][1] + a[2][2];
    let minors = minor(0, 1) + minor(0, 2) + minor(1, 2);
    let determinant = a[0][0] * minor(1, 2) - a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0])
        + a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]);
    let mut x = a.iter().flatten().map(|x| x.abs()).sum::<f64>();
    for _ in 0..100 {
        let value = ((x - trace) * x + minors) * x - determinant;
        let slope = (3.0 * x - 2.0 * trace) * x + minors;
        let next = x - value / slope;
        if next == x || slope == 0.0 {
            break;
        }
        x = next;
    }
    x
}

#[test]
fn the_wrong_side_of_a_kink_is_a_mismatch() {
    check_wrong(|x| x[0].abs(), &[-2.0], &[1.0], &[-1.0], Wanted::Mismatch);
    check_wrong(|x| x[0].max(0.0), &[-1.0], &[1.0], &[0.0], Wanted::Mismatch);
    check_wrong(|x| x[0].max(0.0) + 3.0, &[-1.0], &[1.0], &[0.0], Wanted::Mismatch);
    check_wrong(|x| x[0].max(x[1]), &[1.0, 2.0], &[1.0, 0.0], &[0.0, 1.0], Wanted::Mismatch);
    check_wrong(|x| x[0].clamp(0.0, 1.0), &[5.0], &[1.0], &[0.0], Wanted::Mismatch);
    check_wrong(
        |x| if x[0] > 0.0 { 2.0 * x[0] } else { -3.0 * x[0] },
        &[-1.0],
        &[2.0],
        &[-3.0],
        Wanted::Mismatch,
    );
    check_wrong(|x| 2.0 * x[0].max(0.0), &[-1.0], &[2.0], &[0.0], Wanted::Mismatch);
    check_wrong(|x| x[0].hypot(x[1]), &[3.0, 4.0], &[0.0, 0.0], &[0.6, 0.8], Wanted::Mismatch);
    check_wrong(
        |x| x[0].powf(x[1]),
        &[2.0, 3.0],
        &[0.0, 8.0 * 2.0_f64.ln()],
        &[12.0, 8.0 * 2.0_f64.ln()],
        Wanted::Mismatch,
    );
    check_wrong(
        |x| if x[0] > 0.0 { x[0].sqrt() } else { 0.0 },
        &[-1.0],
        &[f64::NAN],
        &[0.0],
        Wanted::Mismatch,
    );
    check_wrong(
        |x| (x[0].exp() + x[1].exp()).ln() - x[0],
        &[300.0, 301.0],
        &[f64::NAN, f64::NAN],
        &[-0.731_058_578_630_004_9, 0.731_058_578_630_004_9],
        Wanted::Mismatch,
    );
    check_wrong(|x| x[0].cos(), &[100.0], &[0.110_4], &[0.506_365_641_110_758_8], Wanted::Mismatch);
    check_wrong(|x| x[0].clamp(0.0, x[0]), &[5.0], &[0.0], &[1.0], Wanted::Mismatch);
    // Left of everything that the first steps see.
    check_wrong(|x| (x[0] - 1e6).max(0.0), &[2.0], &[1.0], &[0.0], Wanted::Mismatch);
    // Beside a bound that is a tie, each side is an answer.
    check_wrong(
        |x| x[0].hypot(x[1]),
        &[0.0, 0.0],
        &[f64::NAN, f64::NAN],
        &[0.0, 0.0],
        Wanted::Unchecked,
    );
    check_wrong(
        |x| x[0].mul_add(x[0].ln(), 0.0),
        &[0.0],
        &[f64::NEG_INFINITY],
        &[f64::NAN],
        Wanted::Unchecked,
    );
}

#[test]
fn a_second_derivative_lost_to_a_special_value_is_a_mismatch() {
    let ln_2 = 2.0_f64.ln();
    let by_base = |x: &[f64]| x[1] * x[0].powf(x[1] - 1.0);
    let by_exponent = |x: &[f64]| x[0].powf(x[1]) * x[0].ln();
    check_wrong(by_base, &[2.0, 0.0], &[0.0, 0.0], &[0.0, 0.5], Wanted::Mismatch);
    check_wrong(
        by_exponent,
        &[2.0, 0.0],
        &[0.0, ln_2 * ln_2],
        &[0.5, ln_2 * ln_2],
        Wanted::Mismatch,
    );
    let sigmoid =
        |x: f64| if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) };
    let tail = 1.928_749_847_963_917_8e-22;
    check_wrong(
        move |x| sigmoid(x[0] - x[1]),
        &[0.0, 50.0],
        &[0.0, 0.0],
        &[tail, -tail],
        Wanted::Mismatch,
    );
    // Of the other entries no digit is in the value.
    check_wrong(
        move |x| sigmoid(x[0] - x[1]),
        &[50.0, 0.0],
        &[0.0, 0.0],
        &[tail, -tail],
        Wanted::Unchecked,
    );
    // φ(x)/Φ(x), the derivative of ln Φ, by its continued fraction.
    let slope = |x: &[f64]| (1..60).rev().fold(-x[0], |tail, k| f64::from(k) / tail - x[0]);
    let right = -0.998_896_228_488_110_9;
    check_wrong(slope, &[-30.0], &[f64::NEG_INFINITY], &[right], Wanted::Mismatch);
}

#[test]
fn digits_that_a_formula_loses_are_contested_as_far_as_the_value_has_them() {
    let tanh = |x: &[f64]| x[0].tanh();
    check_wrong(tanh, &[1.0], &[1.0], &[0.419_974_341_614_026_1], Wanted::Mismatch);
    check_wrong(tanh, &[10.0], &[0.0], &[8.244_614_455_767_397e-9], Wanted::Mismatch);
    check_wrong(tanh, &[10.0], &[8.3e-9], &[8.244_614_455_767_397e-9], Wanted::Mismatch);
    check_wrong(tanh, &[20.0], &[0.0], &[1.699_341_702_116_635_6e-17], Wanted::Unchecked);
    check_wrong(tanh, &[20.0], &[1e-9], &[1.699_341_702_116_635_6e-17], Wanted::Mismatch);
    check_wrong(
        |x| 1.0 / (1.0 + (-x[0]).exp()),
        &[40.0],
        &[0.0],
        &[4.248_354_255_291_589e-18],
        Wanted::Unchecked,
    );
    check_wrong(
        |x| 1.0 / (1.0 + (-x[0]).exp()),
        &[17.0],
        &[5.96e-8],
        &[4.139_937_376e-8],
        Wanted::Mismatch,
    );
    check_wrong(|x| x[0].acosh(), &[1e200], &[0.0], &[1e-200], Wanted::Mismatch);
    check_wrong(
        |x| x[0].powi(i32::MIN),
        &[1.0 + 1e-10],
        &[-2.662e9],
        &[-1.732_470_399e9],
        Wanted::Mismatch,
    );
    check_wrong(|x| 1.0 % x[0], &[0.1], &[-10.0], &[-9.0], Wanted::Unchecked);
    check_wrong(|x| 1.0 % x[0], &[0.105], &[-10.0], &[-9.0], Wanted::Mismatch);
    // Wrong in the eighth digit, of which the value has none, and in the fourteenth.
    check_wrong(
        tanh,
        &[10.0],
        &[8.244_614_546_66e-9],
        &[8.244_614_455_767_397e-9],
        Wanted::Unchecked,
    );
    let erfc = |x: &[f64]| libm::erfc(x[0]);
    let right = -4.521_732_554_161_152_5e-301;
    check_wrong(erfc, &[26.3], &[right * (1.0 + 1.7e-14)], &[right], Wanted::Pass);
    check_wrong(erfc, &[26.3], &[right * (1.0 + 1e-6)], &[right], Wanted::Mismatch);
}

#[test]
fn a_change_that_may_be_lost_in_rounding_is_not_taken_for_none() {
    // Through an operation in which nothing is recorded.
    let lost = |x: &[f64]| (x[0] + 1e20) - 1e20;
    check_wrong(lost, &[1.0], &[7.0], &[1.0], Wanted::Unchecked);
    // Recorded, a wrong 0 is no pass either.
    let drops_it = |x: &[Var]| (crate::custom(x, x[0].value(), &[0.0]) + 1e20) - 1e20;
    assert!(matches!(gradient(drops_it, &[1.0]), Verdict::Unchecked { .. }));
    // An input that is not used has a derivative of 0 whatever else the function loses.
    let unused = |x: &[Var]| (x[0] + 1e20) - 1e20;
    let report = report(unused, &[1.0, 2.0]);
    assert!(report.components[1].verdict.is_pass(), "{report}");
}
