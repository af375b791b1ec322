//! `Function` gives what the function itself gives, on whichever path a point is.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use num_traits::{Float, ToPrimitive};
use proptest::prelude::*;
use tape::{Error, Function, Program, Var};

use crate::branches::{Branching, INPUTS, branching, point};
use crate::engines::{agree, same_bits};

/// The value to the bit, and the gradient to rounding, of a fresh recording.
fn check_fresh(
    function: &Branching,
    x: &[f64; INPUTS],
    value: f64,
    gradient: &[f64],
) -> Result<(), TestCaseError> {
    let (expected_value, expected) = tape::gradient(|x| function.at(x), x);
    prop_assert!(same_bits(expected_value, function.at(x.as_slice())), "recording at {:?}", x);
    prop_assert!(
        same_bits(value, expected_value),
        "{:e}, not {:e} at {:?}",
        value,
        expected_value,
        x
    );
    let scales = function.scales(x);
    for i in 0..INPUTS {
        prop_assert!(
            !scales[i].is_finite() || agree(gradient[i], expected[i], scales[i], 1e-12),
            "{:?}, not {:?} at {:?} (scales {:?})",
            gradient,
            expected,
            x,
            scales
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn a_function_is_its_fresh_recording(
        random in branching(12, false),
        points in prop::collection::vec(point(), 12),
        limit in prop_oneof![Just(64_usize), 0_usize..4],
    ) {
        let function = Function::new(|x: &[Var]| random.at(x)).with_limit(limit);
        let mut traced = [0, 0];
        for traced in &mut traced {
            for x in &points {
                let (value, gradient) = function.gradient(x).unwrap();
                check_fresh(&random, x, value, &gradient)?;
                prop_assert!(same_bits(function.value(x).unwrap(), value));
                prop_assert!(function.paths() <= limit);
            }
            *traced = function.traced();
        }
        if limit == 64 {
            prop_assert_eq!(traced[0], traced[1], "a known path is not found again");
            prop_assert_eq!(traced[1], function.paths() as u64);
        }
    }

    #[test]
    fn a_program_is_right_or_has_diverged(
        random in branching(12, false),
        points in prop::collection::vec(point(), 12),
    ) {
        let program = Program::trace(|x| random.at(x), &points[0]).unwrap();
        for x in &points {
            match program.gradient(x) {
                Ok((value, gradient)) => check_fresh(&random, x, value, &gradient)?,
                Err(error) => {
                    let message = error.to_string();
                    let Error::Diverged { guard, condition, .. } = error else {
                        return Err(TestCaseError::fail(message));
                    };
                    prop_assert!(guard < program.guards() && message.contains(&condition));
                    let line = format!("guard {condition}\n");
                    prop_assert!(program.to_string().contains(&line), "{}", message);
                }
            }
        }
    }
}

/// The properties above are not empty: most random functions take several paths, and have derivatives that tell.
#[test]
fn random_functions_branch() {
    let [several, telling] = [Cell::new(0), Cell::new(0)];
    let config =
        ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    let strategy = (branching(12, false), prop::collection::vec(point(), 12));
    let result =
        proptest::test_runner::TestRunner::new(config).run(&strategy, |(random, points)| {
            let function = Function::new(|x: &[Var]| random.at(x));
            let gradients: Vec<f64> =
                points.iter().flat_map(|x| function.gradient(x).unwrap().1).collect();
            let tells =
                gradients.iter().any(|derivative| derivative.is_finite() && *derivative != 0.0);
            several.set(several.get() + usize::from(function.paths() > 1));
            telling.set(telling.get() + usize::from(tells));
            Ok(())
        });
    assert!(result.is_ok());
    assert!(several.get() > 100 && telling.get() > 150, "{several:?}, {telling:?} of 200");
}

/// At each point, value and gradient are those of a fresh recording to the bit; and the function takes so many paths.
#[track_caller]
fn check<F: Fn(&[Var]) -> Var>(f: F, points: &[&[f64]], paths: usize) {
    let function = Function::new(&f);
    for x in points.iter().chain(points) {
        let (value, gradient) = function.gradient(x).unwrap();
        let (expected_value, expected) = tape::gradient(&f, x);
        assert!(same_bits(value, expected_value), "{value:e}, not {expected_value:e} at {x:?}");
        let is_same = gradient.iter().zip(&expected).all(|(&a, &b)| agree(a, b, b.abs(), 1e-14));
        assert!(is_same, "{gradient:?}, not {expected:?} at {x:?}");
    }
    assert_eq!(function.paths(), paths);
    assert_eq!(function.traced(), paths as u64);
}

const NAN: f64 = f64::NAN;
const INFINITY: f64 = f64::INFINITY;

#[test]
fn a_branch_within_sum_over() {
    let f = |x: &[Var]| {
        tape::sum_over([1.0, 2.0, 3.0], |y| if x[0] > y { x[0] * y } else { x[1].sin() })
    };
    check(f, &[&[0.0, 1.0], &[1.5, 1.0], &[2.5, 0.1], &[9.0, 1.0], &[0.5, NAN]], 4);
}

#[test]
fn a_median_by_sorting() {
    let median = |x: &[Var]| {
        let mut sorted = x.to_vec();
        sorted.sort_by(|a, b| a.partial_cmp(b).unwrap());
        sorted[sorted.len() / 2]
    };
    let function = Function::new(median);
    let orders = [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]];
    for order in orders {
        let x = order.map(|rank| 10.0 * f64::from(rank));
        let is_median = order.map(|rank| if rank == 2 { 1.0 } else { 0.0 });
        assert_eq!(function.gradient(&x).unwrap(), (20.0, is_median.to_vec()));
    }
    assert!(function.paths() <= 6);
}

#[test]
fn a_branch_on_an_equality() {
    let f = |x: &[Var]| if x[0] == 2.0 { x[0] * x[0] } else { x[0].exp() };
    check(f, &[&[2.0], &[2.1], &[-2.0], &[NAN]], 2);
}

#[test]
fn a_branch_on_an_inequality() {
    let f = |x: &[Var]| if x[0] == x[1] { x[0] * 3.0 } else { x[0] / x[1] };
    check(f, &[&[2.0, 2.0], &[2.1, 2.0], &[0.0, -0.0], &[NAN, NAN]], 2);
}

#[test]
fn a_branch_on_an_order() {
    let f = |x: &[Var]| match x[0].partial_cmp(&x[1]) {
        None => x[1] * 0.5,
        Some(order) => x[0] * f64::from(order as i8) + x[1],
    };
    check(f, &[&[1.0, 2.0], &[2.0, 2.0], &[3.0, 2.0], &[NAN, 2.0]], 4);
}

#[test]
fn a_branch_on_nan() {
    let f = |x: &[Var]| if x[0].is_nan() { x[1] } else { x[0].sqrt() };
    check(f, &[&[4.0, 1.0], &[-4.0, 1.0], &[NAN, 1.0]], 2);
}

#[test]
fn a_branch_on_what_is_finite() {
    let f = |x: &[Var]| if x[0].is_finite() { x[0] * x[1] } else { x[1] };
    check(f, &[&[4.0, 1.0], &[INFINITY, 1.0], &[-INFINITY, 1.0], &[NAN, 1.0]], 3);
}

#[test]
fn a_branch_on_a_sign() {
    let f = |x: &[Var]| if x[0].is_sign_negative() { -x[0] } else { x[0] * 2.0 };
    check(f, &[&[4.0], &[-4.0], &[0.0], &[-0.0]], 2);
}

#[test]
fn a_branch_on_a_class_of_numbers() {
    let f = |x: &[Var]| x[0] * f64::from(x[0].classify() as u8);
    check(f, &[&[4.0], &[-4.0], &[-1e-310], &[0.0], &[NAN], &[INFINITY]], 6);
    let f = |x: &[Var]| if x[0].is_normal() { x[0] } else { x[0] * 2.0 };
    check(f, &[&[4.0], &[1e-310], &[INFINITY]], 3);
}

#[test]
fn a_table_looked_up_by_an_integer() {
    const TABLE: [f64; 5] = [0.0, 1.0, 4.0, 9.0, 16.0];
    let f = |x: &[Var]| {
        let cell = x[0].to_usize().unwrap_or(0).min(3);
        TABLE[cell] + (x[0] - cell as f64) * (TABLE[cell + 1] - TABLE[cell])
    };
    check(f, &[&[0.5], &[1.5], &[1.75], &[3.0], &[0.25], &[-0.5], &[-1.5], &[17.0], &[NAN]], 6);
}

#[test]
fn a_number_taken_apart() {
    let f = |x: &[Var]| x[0] * x[0].integer_decode().0 as f64;
    check(f, &[&[0.5], &[1.5], &[-1.5], &[0.0], &[-0.0], &[NAN]], 6);
}

#[test]
fn branches_of_generic_methods() {
    let f = |x: &[Var]| {
        let quotient = x[0].div_euclid(x[1]) + x[0].rem_euclid(x[1]);
        x[0].copysign(x[1]) + quotient + Float::abs_sub(x[0], x[1])
    };
    check(f, &[&[5.0, 2.0], &[-5.0, 2.0], &[5.0, -2.0], &[-5.0, -2.0], &[2.0, 5.0]], 4);
}

#[test]
fn a_branch_on_what_is_nearly_equal() {
    let f = |x: &[Var]| {
        let [a, b] = [0, 1].map(|i| nalgebra::Vector1::new(x[i]));
        if a.relative_eq(&b, Var::constant(1e-9), Var::constant(1e-6)) { x[0] } else { x[1] * x[1] }
    };
    let points: [&[f64]; 6] = [
        &[1.0, 1.0],
        &[1.0, 1.0 + 1e-8],
        &[1e-12, 0.0],
        &[1.0, 2.0],
        &[INFINITY, 1.0],
        &[INFINITY, INFINITY],
    ];
    let function = Function::new(f);
    for x in points {
        assert_eq!(function.gradient(x).unwrap(), tape::gradient(f, x), "{x:?}");
    }
    let program = Program::trace(f, points[0]).unwrap();
    assert!(matches!(program.gradient(points[3]), Err(Error::Diverged { .. })));
}

#[test]
fn operations_with_kinks_need_no_branch() {
    let f = |x: &[Var]| {
        let bounded = x[0].clamp(Var::constant(-1.0), Var::constant(1.0));
        x[0].abs() + x[0].max(x[1]) - x[1].min(bounded) + tape::select(x[0], x[1], x[0].floor())
    };
    check(f, &[&[0.5, 1.0], &[-3.0, 2.0], &[0.0, 0.0], &[7.0, -1.0]], 1);
}

#[test]
fn bounds_of_a_clamp_are_asked_after_the_branches() {
    let f = |x: &[Var]| {
        if x[0] > x[1] { x[2].clamp(x[1], x[0]) } else { x[2].clamp(x[0], x[1]) * 2.0 }
    };
    check(f, &[&[2.0, 1.0, 1.5], &[1.0, 2.0, 7.0], &[3.0, -1.0, -5.0]], 2);
}

fn newton(x: &[Var]) -> Var {
    let mut root = x[0];
    while (root * root - x[0]).abs() > 1e-9 * x[0] {
        root = 0.5 * (root + x[0] / root);
    }
    root
}

#[test]
fn a_loop_that_ends_by_a_comparison() {
    let points: Vec<[f64; 1]> = (1..100).map(|i| [f64::from(i) * 0.37]).collect();
    let points: Vec<&[f64]> = points.iter().map(<[f64; 1]>::as_slice).collect();
    check(newton, &points, 5);
}

/// Takes a path of its own for each of 64 intervals, found by bisection.
fn bisected(x: &[Var]) -> Var {
    let (mut low, mut high) = (0.0, 64.0);
    while high - low > 1.0 {
        let middle = f64::midpoint(low, high);
        if x[0] < middle { high = middle } else { low = middle }
    }
    x[0] * x[0] * low
}

#[test]
fn a_known_path_among_many_is_found_in_few_replays() {
    let function = Function::new(bisected);
    let point = |i: u32| [f64::from(i * 27 % 64) + 0.5];
    (0..64).for_each(|i| assert!(function.value(&point(i)).is_ok()));
    assert_eq!((function.paths(), function.traced()), (64, 64));
    for i in 0..64 {
        let before = function.replayed();
        assert_eq!(function.gradient(&point(i)).unwrap(), tape::gradient(bisected, &point(i)));
        assert!(function.replayed() - before <= 7, "{} replays", function.replayed() - before);
    }
    assert_eq!(function.traced(), 64);
}

#[test]
fn the_path_that_was_not_used_for_longest_is_dropped() {
    let function = Function::new(bisected).with_limit(2);
    let mut traced = Vec::new();
    for x in [0.5, 1.5, 0.5, 2.5, 0.5, 1.5] {
        function.value(&[x]).unwrap();
        traced.push(function.traced());
        assert!(function.paths() <= function.limit());
    }
    assert_eq!(traced, [1, 2, 2, 3, 3, 4]);
}

#[test]
fn a_function_without_room_traces_every_time() {
    let function = Function::new(newton).with_limit(0);
    for _ in 0..3 {
        assert_eq!(function.gradient(&[2.0]).unwrap(), tape::gradient(newton, &[2.0]));
    }
    assert_eq!((function.paths(), function.traced()), (0, 3));
}

#[test]
fn a_path_belongs_to_a_number_of_inputs() {
    let function = Function::new(|x: &[Var]| if x[0] > 0.0 { tape::sum(x) } else { x[0] });
    for _ in 0..2 {
        assert_eq!(function.gradient(&[1.0]).unwrap(), (1.0, vec![1.0]));
        assert_eq!(function.gradient(&[1.0, 2.0]).unwrap(), (3.0, vec![1.0, 1.0]));
        assert_eq!(function.gradient(&[-1.0, 2.0]).unwrap(), (-1.0, vec![1.0, 0.0]));
    }
    assert_eq!(function.traced(), 3);
}

#[test]
fn every_derivative_is_that_of_the_path() {
    let f = |x: &[Var]| if x[0] < x[1] { x[0] * x[1] * x[1] } else { x[0].powi(3) };
    let function = Function::new(f);
    for x in [[1.0, 2.0], [2.0, 1.0]] {
        let (value, gradient, hessian) = tape::hessian(f, &x);
        let mut own = [0.0; 2];
        assert_eq!(function.gradient_into(&x, &mut own).unwrap(), value);
        assert_eq!(own, *gradient);
        assert_eq!(function.hessian(&x).unwrap(), (value, gradient.clone(), hessian));
        assert_eq!(
            function.hessian_vector(&x, &[1.0, -1.0]).unwrap(),
            tape::hessian_vector(f, &x, &[1.0, -1.0])
        );
        assert_eq!(function.jacobian(&x).unwrap().1.data, gradient);
        assert_eq!(function.values(&x).unwrap(), [value]);
        assert_eq!(function.program(&x).unwrap().guards(), 1);
    }
    assert_eq!(function.traced(), 2);
}

#[test]
fn wrong_calls_are_told() {
    let function = Function::new(|x: &[Var]| [x[0], x[1]]);
    assert!(matches!(function.value(&[1.0, 2.0]), Err(Error::Outputs { outputs: 2, .. })));
    let function = Function::new(|x: &[Var]| x[0]);
    let short = function.gradient_into(&[1.0, 2.0], &mut [0.0]);
    assert!(matches!(short, Err(Error::Length { expected: 2, given: 1, .. })));
    let short = function.hessian_vector(&[1.0], &[]);
    assert!(matches!(short, Err(Error::Length { expected: 1, given: 0, .. })));
    let function = Function::new(|x: &[Var]| tape::custom(x, 1.0, &[1.0]));
    assert!(matches!(function.value(&[1.0]), Err(Error::Opaque { .. })));
}

#[test]
fn a_function_that_is_another_each_time_ends() {
    let calls = AtomicUsize::new(0);
    let function = Function::new(|x: &[Var]| {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        if (x[0] < 3.0) == call.is_multiple_of(2) { x[0] * call as f64 } else { x[0] + 1.0 }
    });
    for i in 0..1000 {
        let _ = function.gradient(&[f64::from(i % 7)]);
    }
    assert!(function.paths() <= 64 && function.traced() <= 1000);
}

#[test]
fn a_panic_leaves_a_function_as_it_was() {
    let function = Function::new(|x: &[Var]| {
        assert!(x[0] >= 0.0, "no roots of negative numbers");
        x[0].sqrt()
    });
    assert_eq!(function.value(&[4.0]).unwrap(), 2.0);
    let panicked = catch_unwind(AssertUnwindSafe(|| function.value(&[-1.0])));
    assert!(panicked.is_err());
    assert_eq!(function.value(&[9.0]).unwrap(), 3.0);
    assert_eq!((function.paths(), function.traced()), (1, 2));
}

#[test]
fn threads_share_the_paths() {
    let function = Function::new(bisected);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let function = &function;
            scope.spawn(move || {
                for i in 0..640_u32 {
                    let x = [f64::from((i * 27 + thread) % 64) + 0.25];
                    let expected = tape::gradient(bisected, &x);
                    assert_eq!(function.gradient(&x).unwrap(), expected);
                }
            });
        }
    });
    assert_eq!(function.paths(), 64);
}

#[test]
fn a_function_may_call_itself() {
    // At a point of plain numbers, as an inner optimisation would.
    type Inner = Function<fn(&[Var]) -> Var>;
    static INNER: std::sync::LazyLock<Inner> =
        std::sync::LazyLock::new(|| Function::new(recursive));
    fn recursive(x: &[Var]) -> Var {
        if x[0] > 1.0 { x[0] * 2.0 } else { x[0] * INNER.value(&[2.0]).unwrap() }
    }
    assert_eq!(INNER.gradient(&[0.5]).unwrap(), (2.0, vec![4.0]));
}
