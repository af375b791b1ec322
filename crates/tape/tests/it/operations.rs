//! Every row of the table of operations: its partials and its values. A new row is tested here by itself; CONTRIBUTING.md says what it needs besides.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tape::check::{self, Verdict};
use tape::{Op, Real, Tape, Var};

use crate::engines::{ENGINES, Engine, Function, agree, forward, same_bits};

/// A row of the table, some of whose arguments are constants.
#[derive(Clone, Debug)]
struct Row {
    op: Op,
    /// The constants in their places; the variables fill the other places.
    arguments: Vec<Option<f64>>,
}

impl Function for Row {
    fn at<T: Real>(&self, x: &[T]) -> T {
        self.op.apply(&self.arguments(x))
    }
}

impl Row {
    /// Bounds in the wrong order make `clamp` panic; numeric derivatives try them.
    fn is_defined(&self, x: &[Var]) -> bool {
        let arguments = self.arguments(x);
        self.op != Op::Clamp || arguments[1] <= arguments[2]
    }

    fn arguments<T: Real>(&self, x: &[T]) -> Vec<T> {
        let mut variables = x.iter().copied();
        let arguments = self.arguments.iter().map(|argument| match argument {
            Some(constant) => T::from_f64(*constant),
            None => variables.next().unwrap(),
        });
        arguments.collect()
    }
}

/// Whether the last argument is an integer, with respect to which there is no derivative.
fn is_indexed(op: Op) -> bool {
    ["powi", "polygamma"].contains(&op.name())
}

/// A row with at least one variable argument, and the values of the variables.
fn points(op: Op) -> impl Strategy<Value = (Row, Vec<f64>)> {
    let constants = vec![proptest::bool::weighted(0.25); op.arity().unwrap()];
    (op.ranges().to_vec(), constants).prop_map(move |(point, mut constant)| {
        constant[0] &= op.arity() > Some(1) && !is_indexed(op);
        if is_indexed(op) {
            constant[1] = true;
        } else if constant.iter().all(|&constant| constant) {
            constant[0] = false;
        }
        let places = || point.iter().zip(&constant);
        let arguments = places().map(|(&x, &constant)| constant.then_some(x)).collect();
        let variables = places().filter(|(_, constant)| !**constant).map(|(&x, _)| x).collect();
        (Row { op, arguments }, variables)
    })
}

/// The property holds for every row, at random points of the row's ranges.
fn check_rows(property: impl Fn(&Row, &[f64]) -> Result<(), String>) {
    for &op in Op::ALL {
        let config = Config { cases: 100, failure_persistence: None, ..Config::default() };
        let result = TestRunner::new(config).run(&points(op), |(row, x)| {
            property(&row, &x).map_err(|why| TestCaseError::fail(format!("{}: {why}", op.name())))
        });
        if let Err(failure) = result {
            panic!("{}: {failure}", op.name());
        }
    }
}

#[test]
fn every_engine_has_the_partials_of_dual_numbers() {
    check_rows(|row, x| {
        for Engine { name, compute, oracle, .. } in ENGINES {
            let (_, expected) = oracle(row, x);
            let (_, gradient) = compute(row, x);
            let mut pairs = gradient.iter().zip(&expected);
            if !pairs.all(|(&a, &b)| agree(a, b, b.abs(), 1e-14)) {
                return Err(format!("{name} gives {gradient:?}, not {expected:?}"));
            }
        }
        Ok(())
    });
}

#[test]
fn every_engine_has_the_values_of_f64() {
    check_rows(|row, x| {
        let expected = row.at(x);
        for engine in ENGINES {
            let (value, _) = (engine.compute)(row, x);
            if !engine.accepts(value, expected, x) {
                let name = engine.name;
                return Err(format!("{name} gives {value:e}, not {expected:e}"));
            }
        }
        Ok(())
    });
}

#[test]
fn values_of_variables_of_f32_are_those_of_f32() {
    check_rows(|row, x| {
        let x: Vec<f32> = x.iter().map(|&x| x as f32).collect();
        let value = row.at(&Tape::new().vars_from(&x)).value();
        let expected = row.at(&x);
        let is_expected = value.to_bits() == expected.to_bits();
        is_expected.then_some(()).ok_or_else(|| format!("{value:e}, not {expected:e}"))
    });
}

#[test]
fn partials_of_variables_of_f32_are_those_of_f64_rounded() {
    check_rows(|row, x| {
        let rounded: Vec<f32> = x.iter().map(|&x| x as f32).collect();
        let x: Vec<f64> = rounded.iter().map(|&x| f64::from(x)).collect();
        let (value, expected) = forward(row, &x);
        let (_, gradient) = tape::gradient(|x| row.at(x), &rounded);
        // Rounding the result costs a partial what it costs the function: a few parts of value and slope.
        let scale = |slope: f64| slope.abs() + value.abs() + 1.0;
        let mut pairs = gradient.iter().zip(&expected);
        let is_expected = pairs.all(|(&a, &b)| agree(f64::from(a), b, scale(b), 1e-5));
        is_expected.then_some(()).ok_or_else(|| format!("{gradient:?}, not {expected:?} at {x:?}"))
    });
}

#[test]
fn partials_agree_with_numeric_derivatives() {
    for &op in Op::ALL {
        let config = Config { cases: 40, failure_persistence: None, ..Config::default() };
        let passed = std::cell::Cell::new(0);
        let result = TestRunner::new(config).run(&points(op), |(row, x)| {
            let report =
                check::report(|x| if row.is_defined(x) { row.at(x) } else { f64::NAN.into() }, &x);
            match report.verdict() {
                Verdict::Pass => passed.set(passed.get() + 1),
                Verdict::Mismatch { .. } => return Err(TestCaseError::fail(report.to_string())),
                Verdict::Unchecked { .. } => {}
            }
            Ok(())
        });
        if let Err(failure) = result {
            panic!("{}: {failure}", op.name());
        }
        assert!(
            passed.get() >= 20,
            "{}: only {} points could be compared",
            op.name(),
            passed.get()
        );
    }
}

/// What `std` calls by the row's name; `None` for the special functions, which `std` does not have.
#[allow(clippy::cast_possible_truncation, reason = "the index of `powi` is a small integer")]
fn std_value(op: Op, x: &[f64]) -> Option<f64> {
    let argument = |i: usize| x.get(i).copied().unwrap_or(f64::NAN);
    let (a, b, c) = (x[0], argument(1), argument(2));
    Some(match op.name() {
        "neg" => -a,
        "add" => a + b,
        "sub" => a - b,
        "mul" => a * b,
        "div" => a / b,
        "rem" => a % b,
        "sin" => a.sin(),
        "cos" => a.cos(),
        "tan" => a.tan(),
        "asin" => a.asin(),
        "acos" => a.acos(),
        "atan" => a.atan(),
        "sinh" => a.sinh(),
        "cosh" => a.cosh(),
        "tanh" => a.tanh(),
        "asinh" => a.asinh(),
        "acosh" => a.acosh(),
        "atanh" => a.atanh(),
        "exp" => a.exp(),
        "exp2" => a.exp2(),
        "exp_m1" => a.exp_m1(),
        "ln" => a.ln(),
        "ln_1p" => a.ln_1p(),
        "log2" => a.log2(),
        "log10" => a.log10(),
        "sqrt" => a.sqrt(),
        "cbrt" => a.cbrt(),
        "recip" => a.recip(),
        "abs" => a.abs(),
        "signum" => a.signum(),
        "floor" => a.floor(),
        "ceil" => a.ceil(),
        "round" => a.round(),
        "trunc" => a.trunc(),
        "powi" => a.powi(b as i32),
        "powf" => a.powf(b),
        "log" => a.log(b),
        "atan2" => a.atan2(b),
        "max" => a.max(b),
        "min" => a.min(b),
        "hypot" => a.hypot(b),
        "clamp" => a.clamp(b, c),
        "mul_add" => a.mul_add(b, c),
        "relu" => a.max(0.0),
        "select" => {
            if a > 0.0 {
                b
            } else {
                c
            }
        }
        "sigmoid" | "softplus" | "silu" | "gelu" | "erf" | "erfc" | "gauss" | "normal_density"
        | "logistic_density" | "ln_gamma" | "digamma" | "polygamma" | "log_add_exp" => return None,
        unknown => panic!("say here what the value of {unknown} is"),
    })
}

#[test]
fn rows_have_the_values_of_std() {
    for &op in Op::ALL {
        let config = Config { cases: 100, failure_persistence: None, ..Config::default() };
        let result = TestRunner::new(config).run(&op.ranges().to_vec(), |x| {
            let value = op.apply(&x);
            let expected = std_value(op, &x).unwrap_or(value);
            let is_expected = same_bits(value, expected);
            is_expected
                .then_some(())
                .ok_or_else(|| TestCaseError::fail(format!("{value:e}, not {expected:e}")))
        });
        if let Err(failure) = result {
            panic!("{}: {failure}", op.name());
        }
    }
}

#[test]
fn every_row_has_a_range_for_each_argument() {
    for &op in Op::ALL {
        assert!(op.arity().is_some_and(|arity| (1..=3).contains(&arity)), "{}", op.name());
        assert_eq!(Some(op.ranges().len()), op.arity(), "{}", op.name());
    }
}

#[test]
fn every_row_is_found_by_its_name() {
    for &op in Op::ALL {
        assert_eq!(Op::from_name(op.name()), Some(op));
    }
}
