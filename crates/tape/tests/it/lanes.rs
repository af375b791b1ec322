//! Each lane is what `f64` gives, whatever its neighbours are.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tape::{Dual, Lanes, Op, Real, Tape, Var};

use crate::engines::{agree, same_bits};

/// Numbers on which functions are regular, and those on which they are not.
fn numbers() -> impl Strategy<Value = f64> {
    let special =
        [0.0, -0.0, 1.0, -1.0, 0.5, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e300, -1e-310];
    prop_oneof![
        3 => -3.0..3.0,
        1 => -800.0..800.0,
        1 => proptest::sample::select(special.to_vec()),
        1 => proptest::num::f64::ANY,
    ]
}

/// Four points of three numbers.
fn four_points() -> impl Strategy<Value = [[f64; 4]; 3]> {
    prop::array::uniform3(prop::array::uniform4(numbers()))
}

/// The arguments as the row can take them: an integer is the same in all lanes, and bounds are in order.
fn fitting(op: Op, mut arguments: [[f64; 4]; 3]) -> Vec<Lanes<4>> {
    if matches!(op, Op::Powi | Op::Polygamma) {
        arguments[1] = [(arguments[1][0] % 5.0).trunc().max(-4.0); 4];
    }
    if op == Op::Clamp {
        let [_, lower, upper] = &mut arguments;
        for (lower, upper) in lower.iter_mut().zip(upper) {
            let (a, b) = (lower.max(-9.0), upper.max(-9.0));
            (*lower, *upper) = (a.min(b), a.max(b));
        }
    }
    arguments[..op.arity().unwrap()].iter().map(|&argument| Lanes(argument)).collect()
}

fn lane_of<const N: usize>(x: &[Lanes<N>], lane: usize) -> Vec<Lanes<1>> {
    x.iter().map(|x| Lanes([x.0[lane]])).collect()
}

#[test]
fn no_lane_of_a_row_depends_on_its_neighbours() {
    for &op in Op::ALL {
        let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
        let result = TestRunner::new(config).run(&four_points(), |point| {
            let x = fitting(op, point);
            let (values, gradients) = tape::gradient(|x| op.apply(x), &x);
            let tangents =
                op.apply(&x.iter().map(|&x| Dual::new(x, x)).collect::<Vec<_>>()).tangent;
            for lane in 0..4 {
                let x = lane_of(&x, lane);
                let (value, gradient) = tape::gradient(|x| op.apply(x), &x);
                let tangent =
                    op.apply(&x.iter().map(|&x| Dual::new(x, x)).collect::<Vec<_>>()).tangent;
                let mut pairs =
                    vec![(values.0[lane], value.0[0]), (tangents.0[lane], tangent.0[0])];
                pairs.extend(
                    lane_of(&gradients, lane).iter().zip(&gradient).map(|(a, b)| (a.0[0], b.0[0])),
                );
                for (beside_others, alone) in pairs {
                    prop_assert!(
                        same_bits(beside_others, alone),
                        "{beside_others:e}, alone {alone:e} at {x:?}"
                    );
                }
            }
            Ok::<_, TestCaseError>(())
        });
        if let Err(failure) = result {
            panic!("{}: {failure}", op.name());
        }
    }
}

#[test]
fn every_row_has_the_values_of_f64_at_special_points_too() {
    for &op in Op::ALL {
        let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
        let result = TestRunner::new(config).run(&four_points(), |point| {
            let x = fitting(op, point);
            let values = op.apply(&x);
            for lane in 0..4 {
                let x: Vec<f64> = x.iter().map(|x| x.0[lane]).collect();
                let expected = op.apply(&x);
                // Of a sum that cancels, the size is that of its terms; the last term is for subnormal results.
                let terms = if op == Op::LogAddExp { x[0].abs().max(x[1].abs()) } else { 0.0 };
                let scale = expected.abs() + terms + 1e-300;
                prop_assert!(
                    same_bits(values.0[lane], expected)
                        || agree(values.0[lane], expected, scale, 8.0 * f64::EPSILON),
                    "{:e}, not {expected:e} at {x:?}",
                    values.0[lane]
                );
            }
            Ok::<_, TestCaseError>(())
        });
        if let Err(failure) = result {
            panic!("{}: {failure}", op.name());
        }
    }
}

/// √x behind a dead branch in some lanes, and alive in others.
#[test]
fn a_lane_s_dead_branch_stays_dead() {
    let f = |x: &[Var<Lanes<4>>]| x[0].relu().sqrt();
    let (value, gradient) = tape::gradient(f, &[Lanes([-1.0, 4.0, 0.0, -2.0])]);
    assert_eq!(value.0, [0.0, 2.0, 0.0, 0.0]);
    assert_eq!(gradient[0].0, [0.0, 0.25, 0.0, 0.0]);
}

#[test]
fn a_lane_s_infinite_derivative_leaves_the_others_alone() {
    let f = |x: &[Var<Lanes<4>>]| Var::dot(&[x[0].sqrt()], &[x[1]]);
    let x = [Lanes([0.0, 4.0, 0.0, -1.0]), Lanes([3.0, 3.0, 0.0, 3.0])];
    let (_, gradient) = tape::gradient(f, &x);
    assert_eq!(gradient[0].0[..3], [f64::INFINITY, 0.75, 0.0]);
    assert!(gradient[0].0[3].is_nan());
    assert_eq!(gradient[1].0[..3], [0.0, 2.0, 0.0]);
}

#[test]
fn second_derivatives_have_lanes() {
    let f = |x: &[Var<Lanes<2>>]| x[0].relu().sqrt() * x[1] * x[1];
    let (_, _, hessian) = tape::hessian(f, &[Lanes([4.0, -1.0]), Lanes([3.0, f64::INFINITY])]);
    assert_eq!(hessian[(0, 1)].0[0], 1.5);
    assert_eq!(hessian[(1, 1)].0[0], 4.0);
    assert_eq!(hessian[(0, 0)].0[1], 0.0);
}

#[test]
fn variables_of_lanes_nest() {
    let outer = Tape::new();
    let x = outer.var(Lanes([2.0, 3.0]));
    let (_, gradient) = tape::gradient(|x| x[0] * x[0] * x[0], &[x]);
    assert_eq!(gradient[0].value().0, [12.0, 27.0]);
    assert_eq!(outer.sweep(gradient[0]).wrt(x).0, [12.0, 18.0]);
}

#[test]
fn plain_numbers_stand_on_either_side() {
    let x = Lanes([1.0, 2.0]);
    assert_eq!((3.0 - x * 2.0).0, [1.0, -1.0]);
    let by_reference = &x;
    assert_eq!((by_reference / x + 1.0).0, [2.0, 2.0]);
    let mut y = x;
    y *= 4.0;
    y -= x;
    assert_eq!(y.0, [3.0, 6.0]);
    let (_, gradient) = tape::gradient(|x| 2.0 * x[0] * 3.0 + x[0] * Lanes([0.0, 1.0]), &[x]);
    assert_eq!(gradient[0].0, [6.0, 7.0]);
    assert_eq!([x, x].iter().sum::<Lanes<2>>().0, [2.0, 4.0]);
    assert_eq!([x, x].into_iter().product::<Lanes<2>>().0, [1.0, 4.0]);
}

#[test]
fn lanes_display_as_a_list() {
    assert_eq!(format!("{:.1}", Lanes([1.0, 2.25])), "[1.0, 2.2]");
    assert_eq!(Lanes::<3>::splat(2.0).to_string(), "[2, 2, 2]");
    assert_eq!(Lanes::from([1.0]).lanes(), [1.0]);
}

#[test]
fn norms_and_log_sums_take_each_lane_s_own_way() {
    let x = [Lanes([3e200, 3.0, 0.0, f64::INFINITY]), Lanes([4e200, 4.0, 0.0, f64::NAN])];
    let norm = Lanes::norm(&x);
    assert!(agree(norm.0[0], 5e200, 5e200, 1e-15));
    assert_eq!(norm.0[1..3], [5.0, 0.0]);
    assert!(norm.0[3].is_nan());
    let x = [Lanes([f64::INFINITY, 1e3, f64::NEG_INFINITY]), Lanes([1.0, 1e3, f64::NEG_INFINITY])];
    let (value, gradient) = tape::gradient(|x| tape::log_sum_exp(x), &x);
    assert_eq!(value.0, [f64::INFINITY, 1e3 + 2.0_f64.ln(), f64::NEG_INFINITY]);
    assert_eq!((gradient[0].0, gradient[1].0), ([1.0, 0.5, 0.5], [0.0, 0.5, 0.5]));
}
