//! The value is bit for bit that of the same formula written in Rust.

use core::f64::consts::{E, PI, TAU};

use expression::{EvaluateError, Expression};
use tape::{Op, Real};

const X: f64 = 1.7;
const Y: f64 = -0.3;

fn check(text: &str, expected: f64) {
    let expression = Expression::parse(text).unwrap_or_else(|error| panic!("{error}"));
    let value = expression.evaluate_named([("x", X), ("y", Y)]).unwrap();
    assert_eq!(value.to_bits(), expected.to_bits(), "{text}: {value}, expected {expected}");
}

#[test]
fn numbers_are_read_as_rust_reads_them() {
    check("7", 7.0);
    check("2.", 2.0);
    check(".5", 0.5);
    check("1e-3", 1e-3);
    check("1E3", 1e3);
    check("6.02e+23", 6.02e23);
    check("2.e2", 2e2);
    check("0.1", 0.1);
    check("4294967296", 4_294_967_296.0);
    check("123456789012345678901234567890", 123_456_789_012_345_678_901_234_567_890.0);
    check("1e-999", 0.0);
    check("1.7976931348623157e308", f64::MAX);
}

#[test]
fn constants_are_those_of_std() {
    check("pi", PI);
    check("e", E);
    check("tau", TAU);
    check("e^x", E.powf(X));
}

#[test]
fn products_bind_tighter_than_sums() {
    check("x + y*x", X + Y * X);
    check("x*y + x", X * Y + X);
    check("(x + y)*x", (X + Y) * X);
    check("x%2 - y", X % 2.0 - Y);
}

#[test]
fn sums_and_products_group_from_the_left() {
    check("x - y - 0.1", X - Y - 0.1);
    check("x + y + 0.1 + 0.7", X + Y + 0.1 + 0.7);
    check("x + (y + (0.1 + 0.7))", X + (Y + (0.1 + 0.7)));
    check("x/y/3", X / Y / 3.0);
    check("x/y*3%2", X / Y * 3.0 % 2.0);
}

#[test]
fn powers_group_from_the_right() {
    check("2^3^2", 512.0);
    check("2**3**2", 512.0);
    check("x^y^x", X.powf(Y.powf(X)));
    check("(x^y)^x", X.powf(Y).powf(X));
}

#[test]
fn a_sign_binds_looser_than_a_power_on_its_right_and_may_begin_an_exponent() {
    check("-x^2", -(X.powi(2)));
    check("(-x)^2", (-X).powi(2));
    check("2^-3", 0.125);
    check("2^-x^2", 2.0_f64.powf(-X.powi(2)));
    check("2^-x*y", 2.0_f64.powf(-X) * Y);
    check("--x", X);
    check("x - -y", X - -Y);
    check("x*-y", X * -Y);
    check("+x + +y", X + Y);
    check("-0", -0.0);
}

#[test]
fn a_whole_number_written_as_exponent_means_powi_and_any_other_exponent_powf() {
    let x: f64 = 1.1;
    // An exponent for which both ways round differently, so that they can be told apart.
    let n = (2..100).find(|&n| x.powi(n).to_bits() != x.powf(n.into()).to_bits()).unwrap();
    for (text, expected) in [
        (format!("x^{n}"), x.powi(n)),
        (format!("x^({n})"), x.powi(n)),
        (format!("x^-{n}"), x.powi(-n)),
        (format!("x^(-{n})"), x.powi(-n)),
        (format!("pow(x, {n})"), x.powi(n)),
        (format!("powi(x, {n})"), x.powi(n)),
        (format!("x^{n}.0"), x.powf(n.into())),
        (format!("x^({n} + 0)"), x.powf(n.into())),
        (format!("powf(x, {n})"), x.powf(n.into())),
    ] {
        let value = Expression::parse(&text).unwrap().evaluate(&[x]).unwrap();
        assert_eq!(value.to_bits(), expected.to_bits(), "{text}");
    }
    check("1^-2147483648", 1.0);
    check("x^2147483648", X.powf(2_147_483_648.0));
}

#[test]
fn functions_are_the_methods_of_their_names() {
    check("x*y + sin(x)^2", X * Y + X.sin().powi(2));
    check("atan2(y, x)", Y.atan2(X));
    check("ln(x)", X.ln());
    check("log(x)", X.ln());
    check("log(x, 3)", X.log(3.0));
    check("clamp(x, y, 1)", X.clamp(Y, 1.0));
    check("mul_add(x, y, 2)", X.mul_add(Y, 2.0));
    check("hypot (x, y)", X.hypot(Y));
    check("max(min(x, y), abs(y))", X.min(Y).max(Y.abs()));
    check("exp_m1(-x)/ln_1p(x)", (-X).exp_m1() / X.ln_1p());
    check("polygamma(x, 1)", Real::polygamma(X, 1));
}

#[test]
fn select_takes_its_second_argument_where_the_first_is_positive() {
    check("select(x, x, y)", X);
    check("select(y, x, y)", Y);
    check("select(0, x, y)", Y);
}

#[test]
fn every_operation_can_be_called_by_its_name() {
    for &op in Op::ALL.iter().filter(|op| !matches!(op, Op::Powi | Op::Polygamma)) {
        let arguments: &[f64] = &[0.3, 0.4, 0.5][..op.arity().unwrap()];
        let names = &["a", "b", "c"][..op.arity().unwrap()];
        let expression: Expression =
            format!("{}({})", op.name(), names.join(", ")).parse().unwrap();
        let (value, expected) = (expression.evaluate(arguments).unwrap(), op.apply(arguments));
        assert_eq!(value.to_bits(), expected.to_bits(), "{expression}");
    }
}

#[test]
fn variables_are_counted_in_order_of_appearance() {
    let expression = Expression::parse("sin(β) + _a1*β - A + pi").unwrap();
    let variables: Vec<_> = expression.variables().iter().map(|(name, n)| (&**name, *n)).collect();
    assert_eq!(variables, [("β", 2), ("_a1", 1), ("A", 1)]);
    assert!(Expression::parse("1 + e").unwrap().variables().is_empty());
}

#[test]
fn values_by_name_may_come_in_any_order_and_with_others() {
    let expression = Expression::parse("a - b").unwrap();
    assert_eq!(expression.evaluate_named([("c", 9.0), ("b", 2.0), ("a", 5.0)]), Ok(3.0));
}

#[test]
fn values_that_do_not_fit_are_refused() {
    let expression = Expression::parse("a - b").unwrap();
    let check = |result: Result<f64, EvaluateError>, message: &str| {
        assert_eq!(result.unwrap_err().to_string(), message);
    };
    check(expression.evaluate(&[1.0]), "the expression has 2 variables, but 1 value is given");
    check(expression.evaluate_named([("b", 1.0)]), "no value is given for the variable `a`");
    check(
        expression.evaluate_named([("b", 1.0), ("a", 1.0), ("b", 1.0)]),
        "more than one value is given for the variable `b`",
    );
    let clamp = Expression::parse("clamp(x, 2, 1)").unwrap();
    check(
        clamp.evaluate(&[1.0]),
        "clamp needs a lower bound that is at most the upper one, but they are 2 and 1",
    );
    let clamp = Expression::parse("clamp(x, 0/0, 1)").unwrap();
    assert!(matches!(clamp.evaluate(&[1.0]), Err(EvaluateError::EmptyRange { .. })));
}

#[test]
fn formulas_are_read_as_they_are_printed() {
    check("x × y", X * Y);
    check("x·y", X * Y);
    check("x⋅y·2", X * Y * 2.0);
    check("x ÷ y", X / Y);
    check("x − y", X - Y);
    check("−x", -X);
    check("x²", X.powi(2));
    check("x⁻¹", X.powi(-1));
    assert_eq!(Expression::parse("x¹⁰").unwrap(), Expression::parse("x^10").unwrap());
    check("(x + y)³·2", (X + Y).powi(3) * 2.0);
    check("−x²", -X.powi(2));
    check("2^x²", 2.0_f64.powf(X.powi(2)));
    check("x²^3", X.powi(2).powi(3));
    check("sin(x)² + cos(x)²", X.sin().powi(2) + X.cos().powi(2));
}

#[test]
fn bars_are_an_absolute_value() {
    check("|y|", Y.abs());
    check("|x - 2| + |y|", (X - 2.0).abs() + Y.abs());
    check("||y| - 1|", (Y.abs() - 1.0).abs());
    check("|y|²", Y.abs().powi(2));
    check("2*|y|*|x|", 2.0 * Y.abs() * X.abs());
    check("max(|x|, |y|)", X.abs().max(Y.abs()));
    check("|(x + |y|)*y|", ((X + Y.abs()) * Y).abs());
    check("-|y|", -Y.abs());
}

#[test]
fn a_name_may_end_in_small_digits() {
    let expression = Expression::parse("cd·C + d₀").unwrap();
    assert!(expression.variables().keys().eq(["cd", "C", "d₀"]));
}
