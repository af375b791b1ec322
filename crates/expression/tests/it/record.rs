//! On a tape just the operations are recorded that are written, and derivatives are those of the formula.

use expression::Expression;
use tape::{Dual, Tape, Var};

/// Records the text and the formula, each on a tape of its own, and compares the lists' lengths, values and adjoints.
fn check(text: &str, formula: impl Fn(Var, Var) -> Var) {
    let record = |formula: &dyn Fn(Var, Var) -> Var| {
        let tape = Tape::new();
        let [x, y] = tape.vars([1.7, 0.3]);
        let z = formula(x, y);
        let adjoints = tape.sweep(z);
        (tape.len(), [z.value(), adjoints.wrt(x), adjoints.wrt(y)].map(f64::to_bits))
    };
    let expression = Expression::parse(text).unwrap();
    let evaluated = record(&|x, y| expression.evaluate_named([("x", x), ("y", y)]).unwrap());
    assert_eq!(evaluated, record(&formula), "{text}");
}

#[test]
fn the_list_is_that_of_the_formula() {
    check("x*y + sin(x)^2", |x, y| x * y + x.sin().powi(2));
    check("x^2.0 - x^y/3", |x, y| x.powf(Var::constant(2.0)) - x.powf(y) / 3.0);
    check("-x^-2*hypot(x, y)", |x, y| -x.powi(-2) * x.hypot(y));
    check("mul_add(x, y, exp(-x))", |x, y| x.mul_add(y, (-x).exp()));
    check("select(x - y, ln(x), y)", |x, y| tape::select(x - y, x.ln(), y));
    check("clamp(x, y, 2)%y", |x, y| x.clamp(y, Var::constant(2.0)) % y);
    check("log(x) + log(x, y)", |x, y| x.ln() + x.log(y));
    check("polygamma(x, 2)", |x, _| x.polygamma(2));
}

#[test]
fn constants_are_not_recorded() {
    check("2*pi*x", |x, _| (2.0 * core::f64::consts::PI) * x);
    check("x - -3", |x, _| x - -3.0);
    check("x + sin(1)^2/e", |x, _| x + 1.0_f64.sin().powi(2) / core::f64::consts::E);
    check("((+(x)))", |x, _| x);
    check("x + 0*1", |x, _| x + 0.0);
}

#[test]
fn an_expression_has_a_gradient() {
    let expression = Expression::parse("x*y + sin(x)").unwrap();
    let (value, gradient) = tape::gradient(|x| expression.evaluate(x).unwrap(), &[2.0, 3.0]);
    assert_eq!(value, 2.0 * 3.0 + 2.0_f64.sin());
    assert_eq!(gradient, [3.0 + 2.0_f64.cos(), 2.0]);
}

#[test]
fn an_expression_of_dual_numbers_has_a_tangent_and_nests() {
    let cube = Expression::parse("x^3").unwrap();
    assert_eq!(cube.evaluate(&[Dual::new(2.0, 1.0)]).unwrap().tangent, 12.0);
    let x = Dual::new(Dual::new(2.0, 1.0), Dual::new(1.0, 0.0));
    assert_eq!(cube.evaluate(&[x]).unwrap().tangent.tangent, 12.0);
}
