//! The oracle held to its promise: a gradient that is right never gives a mismatch, and one that is wrong does.

mod wrong_gradients;

use std::collections::BTreeMap;

use super::*;
use crate::Real;

/// A function of one variable, a point, and what the verdict on its gradient must be.
#[track_caller]
fn check(f: impl Fn(Var) -> Var, x: f64, wanted: &str) {
    let verdict = gradient(|x| f(x[0]), &[x]);
    let text = verdict.to_string();
    assert!(text.starts_with(wanted), "at {x:e} the verdict is “{text}”, not “{wanted}”");
}

/// A gradient that is right may go unchecked, but must not be a mismatch.
#[track_caller]
fn check_no_mismatch(f: impl Fn(Var) -> Var, x: f64) {
    let verdict = gradient(|x| f(x[0]), &[x]);
    assert!(!verdict.is_mismatch(), "at {x:e}: {verdict}");
}

/// A gradient that is right must pass, and must be a mismatch when it is made wrong.
#[track_caller]
fn check_detection(f: impl Fn(Var) -> Var, x: f64) {
    check(&f, x, "pass");
    let value = |x: &[f64]| f(Var::constant(x[0])).value();
    let exact = crate::gradient(|x| f(x[0]), &[x]).1[0];
    for wrong in [
        exact * (1.0 + 1e-6),
        exact * (1.0 - 1e-6),
        -exact,
        2.0 * exact,
        0.0,
        f64::NAN,
        f64::INFINITY,
    ] {
        let verdict = gradient_of(value, &[wrong], &[x]);
        assert!(
            verdict.is_mismatch(),
            "at {x:e}, {wrong:e} instead of {exact:e} gives “{verdict}”"
        );
    }
}

#[test]
fn a_wrong_derivative_of_a_smooth_function_is_a_mismatch() {
    check_detection(|x| x.sin(), 1.0);
    check_detection(|x| x.exp(), -20.0);
    check_detection(|x| x.ln(), 1e-3);
    check_detection(|x| x.ln(), 1e-200);
    check_detection(|x| x.sqrt(), 1e-9);
    check_detection(|x| x.sqrt(), 1e308);
    check_detection(|x| x.recip(), 1e-150);
    check_detection(|x| x.cos(), 1e-3);
    check_detection(|x| x * x * x - 2.0 * x, 0.7);
    check_detection(|x| 1e300 * x.sin(), 1.2);
    check_detection(|x| 1e-300 * x.sin(), 1.2);
    check_detection(|x| (x * 1e-10).exp(), 1.0);
    check_detection(|x| (x * 1e3).sin(), 1.0);
    check_detection(|x| (x * 1e5).sin(), 1.0);
    check_detection(|x| x.tan(), 1.570);
    check_detection(|x| (-1.0 / (x * x)).exp(), 0.3);
    check_detection(|x| x.tanh(), 5.0);
    check_detection(|x| x.erfc(), 5.0);
    check_detection(|x| x.ln_gamma(), 1e-5);
    check_detection(|x| (x - 1.0).abs(), 1.0 + 1e-6);
    check_detection(|x| x.floor() + x, 2.5);
}

#[test]
fn a_right_derivative_passes_where_it_can_be_seen() {
    check(|x| x.cos(), 0.0, "pass");
    check(|x| x * x, 0.0, "pass");
    check(|x| x.floor(), 1.3, "pass");
    check(|x| x * 0.0 + 3.0, 0.0, "pass");
    check(|x| x.abs(), 1e-12, "pass");
    check(|x| x.abs(), -1e-20, "pass");
    check(|x| (x + 1e4) - 1e4, 1.0, "pass");
    check(|x| (x * 1e6).sin(), 1.0, "pass");
    check(|x| x + (x * 1e6).floor() * 1e-6, 1.0 / 3.0, "pass");
    check(|x| x.exp(), 709.0, "pass");
    check(|x| (x - 1.0).sqrt(), 1.0 + 1e-9, "pass");
    check(|x| x.powi(2), 1.3e154, "pass");
    check(|x| (x * x + x).sin() * 1e-310, 1.0, "pass");
}

#[test]
fn the_value_must_be_finite() {
    check(|x| x.ln(), 0.0, "unchecked: the value is not finite");
    check(|x| x.sqrt(), -1.0, "unchecked: the value is not finite");
    check(|x| x.exp(), 710.0, "unchecked: the value is not finite");
    check(|x| x, f64::NAN, "unchecked: the value is not finite");
}

#[test]
fn the_edge_of_the_domain_is_recognised() {
    check(|x| x.sqrt(), 0.0, "unchecked: component 0: the value next to x");
    check(|x| x.asin(), 1.0, "unchecked: component 0: the value next to x");
    check(|x| x.powf(Var::constant(1.5)), 0.0, "unchecked: component 0: the value next to x");
    check(|x| x.atan(), f64::INFINITY, "unchecked: component 0: the value next to x");
    check(|x| x * 0.0, f64::MAX, "unchecked: component 0: the value next to x");
}

#[test]
fn a_kink_is_recognised_with_its_slopes() {
    check(
        |x| x.abs(),
        0.0,
        "unchecked: component 0: a kink: slope -1.000000e0 below x, 1.000000e0 above",
    );
    check(|x| (x - 1.0).relu() * 3.0 + x, 1.0, "unchecked: component 0: a kink: slope 1.0");
    check(|x| x.max(Var::constant(1.0 + 1e-15)), 1.0, "unchecked: component 0: a kink");
    check(|x| x.exp() + (x - 0.5).abs() * 1e-5, 0.5, "unchecked: component 0: a kink");
}

#[test]
fn a_jump_is_recognised() {
    check(|x| x.floor(), 1.0, "unchecked: component 0: with no step");
    check(|x| x.signum(), 0.0, "unchecked: component 0: with no step");
    check(|x| x + x.round(), 0.5, "unchecked: component 0: with no step");
}

#[test]
fn what_rounding_hides_is_not_held_against_the_gradient() {
    let lost = |big: f64, x: Var| (x + big) - big;
    check(|x| lost(1e20, x), 1.0, "unchecked: component 0: the value does not change");
    for big in [1e8, 1e9, 1e10, 1e12, 1e14, 1e16, 1e20, 1e30] {
        check_no_mismatch(|x| lost(big, x), 1.0);
        check_no_mismatch(|x| x + lost(big, x), 1.0);
        check(|x| x + lost(big, x.sin()), 1.0, "unchecked");
        check(|x| x.exp() + lost(big, x.sin()), 1.0, "unchecked");
    }
    check(|x| x * 1e-30 + 1.0, 1.0, "unchecked: component 0: the value does not change");
    check(|x| x.sin() * 1e-12 + 1.0, 1.0, "unchecked");
    check(|x| x.tanh(), 18.0, "unchecked: component 0: the numeric derivative");
    check(|x| (x.exp() - 1.0) / x, 1e-8, "unchecked");
    check(|x| ((x * x + 1.0) - 1.0) / x, 1e-7, "unchecked");
}

#[test]
fn a_slope_that_depends_on_the_step_is_not_called_wrong_without_the_recording() {
    for big in [1e10, 1e11, 1e12] {
        let value = |x: &[f64]| x[0] + ((big + x[0]) - big);
        let verdict = gradient_of(value, &[2.0], &[1.0]);
        assert!(!verdict.is_mismatch(), "{big:e}: {verdict}");
    }
    // The slope is 1 between the steps, and close to 2 across many.
    let staircase = |x: &[f64]| x[0] + (x[0] * 1e6).floor() * 1e-6;
    assert_eq!(gradient_of(staircase, &[1.0], &[1.0 / 3.0]), Verdict::Pass);
    let verdict = gradient_of(staircase, &[2.0], &[1.0 / 3.0]);
    assert!(matches!(verdict, Verdict::Unchecked { why: Why::Contradictory { .. } }), "{verdict}");
}

#[test]
fn oscillation_beyond_the_digits_of_x_is_not_held_against_the_gradient() {
    for frequency in [1e7, 1e8, 1e9, 1e10, 1e12, 1e14, 1e16, 1e17, 1e20, 1e50] {
        for x in [1.0, 0.3, 7.7] {
            for amplitude in [1.0, 1e-3, 1e-6, 1e-9, 1e-12, 1e-14, 1e-16, 1e-20] {
                for slow in [0.0, 1.0, 1e6] {
                    check_no_mismatch(|x| x.exp() * slow + (x * frequency).sin() * amplitude, x);
                    check_no_mismatch(|x| x.exp() * slow + (x * frequency).floor() * amplitude, x);
                    check_no_mismatch(
                        |x| x.exp() * slow + (x * frequency) % Var::constant(1.0) * amplitude,
                        x,
                    );
                    check_no_mismatch(
                        |x| x.exp() * slow + (x * frequency).sin().asin() * amplitude,
                        x,
                    );
                }
            }
        }
    }
}

#[test]
fn steps_and_kinks_close_to_x_are_not_held_against_the_gradient() {
    for exponent in 1..=16 {
        for (sign, at) in [(1.0, 1.0), (-1.0, 1.0), (1.0, 0.0), (-1.0, 0.0)] {
            let x = at + sign * 10_f64.powi(-exponent);
            for size in [1.0, 1e-3, 1e-6, 1e-9, 1e-12] {
                let functions: [&dyn Fn(Var) -> Var; 6] = [
                    &|x| x.sin() + x.floor() * size,
                    &|x| x.sin() + (x - at).abs() * size,
                    &|x| x.sin() + (x - at).relu() * size,
                    &|x| x.sin() + (x - at).abs().powf(Var::constant(1.5)) * size,
                    &|x| x.sin() + (x - at).abs().sqrt() * size,
                    &|x| x.sin() + (x * 1e5).floor() * 1e-5 * size,
                ];
                for (number, f) in functions.iter().enumerate() {
                    let verdict = gradient(|x| f(x[0]), &[x]);
                    assert!(
                        !verdict.is_mismatch(),
                        "function {number}, x {x:e}, size {size:e}: {verdict}"
                    );
                }
            }
        }
    }
}

#[test]
fn conventions_at_ties_are_not_held_against_the_gradient() {
    // Smooth, but made of kinks, at which each part follows its convention.
    check(|x| x.relu() - (-x).relu(), 0.0, "unchecked: component 0: the gradient itself");
    let verdict = gradient(|x| (x[0] - x[1]).relu() - (x[1] - x[0]).relu(), &[2.0, 2.0]);
    assert!(matches!(verdict, Verdict::Unchecked { why: Why::Unstable { index: 0 } }), "{verdict}");
    // The convention for `floor`, where floating point has no fractions.
    check(|x| (x.exp() * 1e14).floor(), 5.0, "unchecked: component 0: the gradient itself");
}

#[test]
fn a_gradient_of_nan_where_there_is_a_derivative_is_a_mismatch() {
    check(|x| x + (x - x).sqrt(), 1.0, "mismatch: component 0 is NaN, numerically 1");
    // A cusp too small to be seen.
    let cusp = |x: &[f64]| x[0].sin() + (x[0] - 1.0).abs().sqrt() * 1e-12;
    let verdict = gradient_of(cusp, &[f64::NAN], &[1.0]);
    assert!(verdict.to_string().starts_with("mismatch: component 0 is NaN"), "{verdict}");
}

#[test]
fn the_first_mismatch_outweighs_components_that_cannot_be_checked() {
    let value = |x: &[f64]| x[0].abs() + x[1] * x[1] + x[2].exp();
    let verdict = gradient_of(value, &[0.0, 7.0, 7.0], &[0.0, 3.0, 1.0]);
    assert!(matches!(verdict, Verdict::Mismatch { index: 1, .. }), "{verdict}");
    let verdict = gradient_of(value, &[0.0, 6.0, 1.0_f64.exp()], &[0.0, 3.0, 1.0]);
    assert!(matches!(verdict, Verdict::Unchecked { why: Why::Kink { index: 0, .. } }), "{verdict}");
}

#[test]
fn no_inputs_are_nothing_to_find_fault_with() {
    assert_eq!(gradient(|_| Var::constant(1.0), &[]), Verdict::Pass);
    assert_eq!(gradient(|_| Var::constant(1.0), &[2.0]), Verdict::Pass);
}

#[test]
fn noise_is_not_held_against_the_gradient() {
    // Values that change with every bit of x, as those of an iteration that stops at a tolerance.
    let noisy = |x: f64, size: f64| {
        let scrambled = x.to_bits().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        x.sin() + size * (scrambled as f64 / f64::from(1 << 23) - 1.0)
    };
    for exponent in 1..=18 {
        let size = 10_f64.powi(-exponent);
        for x in [0.1, 1.0, 1.5, 3.0] {
            let verdict = gradient_of(|x| noisy(x[0], size), &[x.cos()], &[x]);
            assert!(!verdict.is_mismatch(), "noise {size:e} at {x}: {verdict}");
        }
    }
}

#[test]
fn the_error_is_a_bound() {
    for step in 1..=400 {
        let x = f64::from(step) * 0.037;
        for (f, exact) in [
            (f64::sin as fn(f64) -> f64, x.cos()),
            (f64::exp, x.exp()),
            (f64::ln, 1.0 / x),
            (f64::sqrt, 0.5 / x.sqrt()),
            (f64::atan, 1.0 / (1.0 + x * x)),
            (f64::cbrt, 1.0 / (3.0 * x.cbrt() * x.cbrt())),
        ] {
            let estimate = derivative(f, x);
            let deviation = (estimate.value - exact).abs();
            assert!(deviation <= estimate.error, "at {x}: {estimate:?}, exactly {exact}");
            assert!(estimate.error < 1e-9 * exact.abs().max(1.0), "at {x}: {estimate:?}");
        }
    }
}

#[test]
#[should_panic(expected = "
index  x          exact        numeric    error  verdict
    0  2  3.000000000e0  3.000000000e0")]
fn a_panic_shows_the_table() {
    // What is computed from the value alone is missing from the gradient.
    let f = |x: &[Var]| x[0] * x[1] + Var::constant(x[1].value().sin());
    assert_gradient(f, &[2.0, 3.0]);
}

#[test]
fn a_long_report_shows_what_does_not_pass() {
    let components = 100;
    let exact = vec![2.0; components];
    let mut point = vec![1.0; components];
    point[70] = 2.0;
    let value = |x: &[f64]| x.iter().map(|x| x * x).sum();
    let text = compare(value, &exact, &point, |_| 0.0, |_, _| 0.0).to_string();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.contains("   70  2  2.000000000e0  4.000000000e0"), "{text}");
    assert!(text.ends_with("MISMATCH\n0 more of these; 99 components pass\n"), "{text}");
}

/// A small generator of random numbers that needs no crate.
struct Random(u64);

impl Random {
    fn below(&mut self, end: f64) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64 * end
    }
}

/// How many components came to which verdict.
#[derive(Debug, Default)]
struct Tally {
    value_not_finite: u32,
    gradient_not_finite: u32,
    pass_at_zero: u32,
    pass: u32,
    unchecked: BTreeMap<String, u32>,
    mismatches: Vec<String>,
    /// Of components made wrong by 10⁻⁶ of themselves.
    wrong: u32,
    wrong_pass: u32,
    wrong_mismatch: u32,
}

impl Tally {
    /// Counts the verdicts on the gradient of `f`, and on one made wrong.
    fn note(&mut self, name: &dyn Display, f: impl Fn(&[Var]) -> Var, x: &[f64]) {
        let value = |x: &[f64]| {
            let constants: Vec<Var> = x.iter().map(|&x| Var::constant(x)).collect();
            f(&constants).value()
        };
        let (at_x, exact) = crate::gradient(&f, x);
        assert_eq!(at_x.to_bits(), value(x).to_bits(), "{name} at {x:?}");
        if !at_x.is_finite() {
            self.value_not_finite += 1;
            return;
        }
        let recording = Recording::new(&f, x);
        let spread = |index, step| recording.spread(&f, x, &exact, index, step);
        for component in
            compare(value, &exact, x, |input| recording.rounding_along(input), spread).components
        {
            match component.verdict {
                _ if !component.exact.is_finite() => self.gradient_not_finite += 1,
                Verdict::Pass if component.exact == 0.0 => self.pass_at_zero += 1,
                Verdict::Pass => self.pass += 1,
                Verdict::Unchecked { why } => {
                    let kind = format!("{why:?}");
                    let kind = kind.split(' ').next().unwrap_or_default();
                    *self.unchecked.entry(kind.to_owned()).or_default() += 1;
                }
                verdict @ Verdict::Mismatch { .. } => {
                    self.mismatches.push(format!("{name} at {x:?}: {verdict}"));
                }
            }
        }
        let wrong: Vec<f64> = exact.iter().map(|exact| exact * (1.0 + 1e-6)).collect();
        let report = compare(value, &wrong, x, |input| recording.rounding_along(input), spread);
        let counts = |it: &&Component| it.exact.is_finite() && it.exact != 0.0;
        for component in report.components.iter().filter(counts) {
            self.wrong += 1;
            self.wrong_pass += u32::from(component.verdict.is_pass());
            self.wrong_mismatch += u32::from(component.verdict.is_mismatch());
        }
    }
}

/// Adds the verdicts on one operation at random points of the ranges on which it is tested.
fn note_row(tally: &mut Tally, op: Op, cases: u32) {
    let mut random = Random(1);
    for _ in 0..cases {
        let mut x: Vec<f64> =
            op.ranges().iter().map(|r| r.start + random.below(r.end - r.start)).collect();
        // Integers have no derivative, and bounds out of order panic.
        let inputs = if matches!(op, Op::Powi | Op::Polygamma | Op::Clamp) { 1 } else { x.len() };
        let others: Vec<Var> = x.drain(inputs..).map(Var::constant).collect();
        tally.note(&op.name(), |x| op.apply(&[x, &others].concat()), &x);
    }
}

#[test]
fn every_row_of_the_table_is_checked_without_a_mismatch() {
    for &op in Op::ALL {
        let mut tally = Tally::default();
        note_row(&mut tally, op, 20);
        assert!(tally.mismatches.is_empty(), "{}: {tally:#?}", op.name());
        assert_eq!(tally.wrong_pass, 0, "{}: {tally:#?}", op.name());
        let unchecked: u32 = tally.unchecked.values().sum();
        assert!(unchecked <= 2, "{}: {tally:#?}", op.name());
    }
}

#[cfg(feature = "proptest")]
mod with_expressions {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

    use super::*;
    use crate::check::arbitrary::{Expression, expression, points};

    /// Shrinks from the first expression for which `fails` holds, and returns the text of the last.
    fn shrunk(fails: impl Fn(&Expression) -> bool) -> String {
        let config = Config { cases: 10_000, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(
            config,
            proptest::test_runner::TestRng::deterministic_rng(
                proptest::test_runner::RngAlgorithm::ChaCha,
            ),
        );
        let result = runner.run(&expression(3, 20), |expression| {
            if fails(&expression) { Err(TestCaseError::fail("")) } else { Ok(()) }
        });
        match result {
            Err(TestError::Fail(_, expression)) => expression.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn points_shrink_to_ones() {
        let mut runner = TestRunner::deterministic();
        for _ in 0..100 {
            let mut tree = points(2).new_tree(&mut runner).unwrap();
            while tree.simplify() {}
            assert_eq!(tree.current(), [1.0, 1.0]);
        }
    }

    #[test]
    fn a_failing_operation_shrinks_to_itself() {
        for name in ["tanh", "erfc", "ln_gamma"] {
            assert_eq!(shrunk(|it| it.to_string().contains(name)), format!("{name}(x0)"));
        }
        assert_eq!(shrunk(|it| it.to_string().contains("atan2")), "atan2(x0, x0)");
    }

    #[test]
    fn a_failing_pair_of_operations_shrinks_to_the_pair() {
        let has_both =
            |it: &Expression| ["cbrt(", "erfc("].iter().all(|name| it.to_string().contains(name));
        let text = shrunk(has_both);
        assert!(["cbrt(erfc(x0))", "erfc(cbrt(x0))"].contains(&text.as_str()), "{text}");
    }

    #[test]
    fn a_failing_value_shrinks_to_a_short_expression() {
        let text = shrunk(|it| it.evaluate(&[1.0, 2.0, 3.0]) > 100.0);
        assert!(text.len() <= 20, "{text}");
    }

    /// The verdicts on random expressions.
    fn tally(cases: u32, operations: usize) -> Tally {
        let mut tally = Tally::default();
        let mut runner = TestRunner::deterministic();
        let strategy = (expression(3, operations), points(3));
        for _ in 0..cases {
            let (expression, x) = strategy.new_tree(&mut runner).unwrap().current();
            tally.note(&expression, |x| expression.evaluate(x), &x);
        }
        tally
    }

    #[test]
    fn no_right_gradient_of_a_random_expression_is_a_mismatch_and_no_wrong_one_passes() {
        let tally = tally(1000, 12);
        assert!(tally.mismatches.is_empty(), "{tally:#?}");
        assert_eq!(tally.wrong_pass, 0, "{tally:#?}");
        assert!(f64::from(tally.wrong_mismatch) > 0.97 * f64::from(tally.wrong), "{tally:#?}");
        assert!(tally.value_not_finite < 500, "{tally:#?}");
    }

    #[test]
    fn no_right_gradient_at_special_points_is_a_mismatch() {
        let mut runner = TestRunner::deterministic();
        let special = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 1e-20, -1e-16, 1e-14, 1e-9, 1e8, 40.0];
        let points = proptest::collection::vec(proptest::sample::select(special.to_vec()), 3);
        let strategy = (expression(3, 8), points);
        let mut told = 0;
        for _ in 0..600 {
            let (expression, x) = strategy.new_tree(&mut runner).unwrap().current();
            let f = |x: &[Var]| expression.evaluate(x);
            if crate::gradient(f, &x).1.iter().all(|component| component.is_finite()) {
                let verdict = gradient(f, &x);
                assert!(!verdict.is_mismatch(), "{expression} at {x:?}: {verdict}");
                told += u32::from(verdict.is_pass());
            }
        }
        assert!(told > 100, "{told}");
    }

    /// `cargo test --release -p tape --features proptest oracle -- --ignored --nocapture`
    #[test]
    #[ignore = "takes minutes: it measures how often the oracle can tell"]
    fn measure_the_oracle() {
        let mut rows = Tally::default();
        for &op in Op::ALL {
            note_row(&mut rows, op, 1000);
        }
        println!("rows of the table: {rows:#?}");
        assert!(rows.mismatches.is_empty());
        for (cases, operations) in [(100_000, 4), (100_000, 12), (20_000, 100)] {
            let tally = tally(cases, operations);
            println!("{cases} expressions of up to {operations} operations: {tally:#?}");
            assert!(tally.mismatches.is_empty());
        }
    }
}
