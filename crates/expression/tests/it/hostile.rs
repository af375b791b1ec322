//! No text crashes the parser, however long or deep, and on a small stack.

use std::thread;
use std::time::Instant;

use expression::Expression;

const STACK: usize = 256 * 1024;
const TEN_MEGABYTES: usize = 10_000_000;

/// Parses `opening` and `closing`, each repeated `count` times around `middle`, on a small stack, and takes the
/// expression through everything it can do.
fn check(opening: &str, middle: &str, closing: &str, count: usize, is_expression: bool) {
    let text = [&opening.repeat(count), middle, &closing.repeat(count)].concat();
    let task = move || {
        let start = Instant::now();
        match Expression::parse(&text) {
            Ok(expression) => {
                let ones = vec![1.0; expression.variables().len()];
                assert!(expression.evaluate(&ones).is_ok());
                let written = expression.to_string();
                assert!(Expression::parse(&written).unwrap() == expression.clone());
                assert!(is_expression);
            }
            Err(error) => {
                assert!(!is_expression, "{error}");
                assert!(error.to_string().len() < 2000);
            }
        }
        start.elapsed()
    };
    let elapsed = thread::Builder::new().stack_size(STACK).spawn(task).unwrap().join().unwrap();
    println!("{count} × {opening:?} {middle:?} {closing:?}: {elapsed:?}");
    // A hundred times what it takes, for slow and busy machines; anything quadratic takes hours.
    assert!(elapsed.as_secs() < 300);
}

#[test]
fn a_hundred_thousand_nested_parentheses_are_an_expression() {
    check("(", "x", ")", 100_000, true);
    check("sin(", "x", ")", 100_000, true);
    check("(-", "x", ")^2", 100_000, true);
    check("|", "x", "|", 100_000, true);
    check("(", "x", ")²", 100_000, true);
    check("max(1, ", "x", ")", 100_000, true);
    check("1 + (", "x", ")*2", 100_000, true);
}

#[test]
fn a_hundred_thousand_operators_in_a_row_are_an_expression() {
    check("x^", "x", "", 100_000, true);
    check("-", "x", "", 100_000, true);
    check("", "x", " - x", 100_000, true);
    check("", "x", "^2", 1, true);
    check("x^-", "x", "", 100_000, true);
}

#[test]
fn ten_megabytes_are_an_expression_or_an_error() {
    for (opening, middle, closing, is_expression) in [
        ("(", "", "", false),
        (")", "", "", false),
        ("(", "x", ")", true),
        ("sin(", "", "", false),
        ("hypot(x,", "", "", false),
        ("sin(x,", "", "", false),
        ("-", "", "", false),
        ("-", "x", "", true),
        ("x^", "", "", false),
        ("x^", "x", "", true),
        ("x", "", "", true),
        ("é", "(1)", "", false),
        ("9", "", "", false),
        ("", "0.", "9", true),
        (" ", "", "", false),
        ("\n", "x", "", true),
        ("x\n", "", "", false),
        (",", "", "", false),
        ("?", "", "", false),
        ("\u{10ffff}", "", "", false),
        ("", "x", "+x", true),
        ("", "max(x", ",x", false),
    ] {
        let count = TEN_MEGABYTES / (opening.len() + closing.len());
        check(opening, middle, closing, count, is_expression);
    }
}

#[test]
fn a_million_variables_keep_their_order() {
    let names: Vec<String> = (0..1_000_000).map(|place| format!("x{place}")).collect();
    let expression = Expression::parse(&names.join("+")).unwrap();
    assert!(expression.variables().keys().eq(&names));
}
