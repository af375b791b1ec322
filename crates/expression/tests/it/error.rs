//! An error says what is wrong and points at it.

use expression::{Expression, ParseError, ParseErrorKind};

fn error(text: &str) -> ParseError {
    Expression::parse(text).expect_err(text)
}

fn check(text: &str, expected: &str) {
    assert_eq!(error(text).to_string(), expected, "\n{}", error(text));
}

#[test]
fn an_unknown_function_brings_the_nearest_name() {
    check(
        "x + sni(y)",
        "unknown function `sni` at line 1, column 5\n  |\n1 | x + sni(y)\n  |     ^^^ did you mean `sin`?",
    );
    for (written, meant) in [
        ("Sin", "sin"),
        ("arctan", "atan"),
        ("sqr", "sqrt"),
        ("lngamma", "ln_gamma"),
        ("logg", "log"),
        ("poww", "pow"),
    ] {
        let error = error(&format!("{written}(x)"));
        let expected =
            ParseErrorKind::UnknownFunction { name: written.into(), nearest: Some(meant) };
        assert_eq!(*error.kind(), expected);
    }
}

#[test]
fn a_name_like_no_function_may_be_meant_as_a_factor() {
    check(
        "2*pi(x + 1)",
        "unknown function `pi` at line 1, column 3\n  |\n1 | 2*pi(x + 1)\n  |   ^^ to multiply, write `pi*(`",
    );
}

#[test]
fn two_operands_side_by_side_may_be_meant_as_a_product() {
    check(
        "2x + 1",
        "expected an operator in front of `x` at line 1, column 2\n  |\n1 | 2x + 1\n  |  ^ to multiply, write `*x`",
    );
    check(
        "(x)(y)",
        "expected an operator in front of `(` at line 1, column 4\n  |\n1 | (x)(y)\n  |    ^ to multiply, write `*(`",
    );
    assert!(matches!(error("1.2.3").kind(), ParseErrorKind::OperatorExpected { .. }));
    assert!(matches!(error("x 1").kind(), ParseErrorKind::OperatorExpected { .. }));
}

#[test]
fn a_wrong_number_of_arguments_is_counted() {
    check(
        "sin(x, y)",
        "`sin` takes 1 argument, but 2 are given at line 1, column 1\n  |\n1 | sin(x, y)\n  | ^^^",
    );
    check(
        "1 + hypot((x))",
        "`hypot` takes 2 arguments, but 1 is given at line 1, column 5\n  |\n1 | 1 + hypot((x))\n  |     ^^^^^",
    );
    check(
        "log()",
        "`log` takes 1 to 2 arguments, but 0 are given at line 1, column 1\n  |\n1 | log()\n  | ^^^",
    );
    check(
        "log(x, y, sin(z))",
        "`log` takes 1 to 2 arguments, but 3 are given at line 1, column 1\n  |\n1 | log(x, y, sin(z))\n  | ^^^",
    );
}

#[test]
fn a_function_without_parentheses_is_no_variable() {
    check(
        "sin x",
        "`sin` is a function, and its arguments are missing at line 1, column 1\n  |\n1 | sin x\n  | ^^^ write `sin(…)`",
    );
}

#[test]
fn an_operand_is_missed_where_it_should_stand() {
    check(
        "x + ",
        "expected a number, a name or `(`, but the text ends at line 1, column 4\n  |\n1 | x + \n  |    ^",
    );
    check(
        "",
        "expected a number, a name or `(`, but the text ends at line 1, column 1\n  |\n1 |\n  | ^",
    );
    check(
        "x * / y",
        "expected a number, a name or `(`, but found `/` at line 1, column 5\n  |\n1 | x * / y\n  |     ^",
    );
    check(
        "()",
        "expected a number, a name or `(`, but found `)` at line 1, column 2\n  |\n1 | ()\n  |  ^",
    );
    check(
        "max(x,)",
        "expected a number, a name or `(`, but found `)` at line 1, column 7\n  |\n1 | max(x,)\n  |       ^",
    );
}

#[test]
fn parentheses_have_to_match() {
    check(
        "(x + (y)",
        "this parenthesis is never closed at line 1, column 1\n  |\n1 | (x + (y)\n  | ^",
    );
    check(
        "x + sin (y",
        "this parenthesis is never closed at line 1, column 9\n  |\n1 | x + sin (y\n  |         ^",
    );
    check("x)*y", "this parenthesis closes nothing at line 1, column 2\n  |\n1 | x)*y\n  |  ^");
}

#[test]
fn a_comma_separates_arguments_only() {
    let expected = "this comma is not between the arguments of a function at line 1, column ";
    check("1,5", &format!("{expected}2\n  |\n1 | 1,5\n  |  ^"));
    check("max((x, y))", &format!("{expected}7\n  |\n1 | max((x, y))\n  |       ^"));
}

#[test]
fn a_number_beyond_f64_is_refused() {
    check(
        "x + 1e999",
        "this number is larger than any f64 at line 1, column 5\n  |\n1 | x + 1e999\n  |     ^^^^^",
    );
    assert_eq!(*error(&"9".repeat(400)).kind(), ParseErrorKind::NumberTooLarge);
}

#[test]
fn an_integer_argument_has_to_be_written_as_one() {
    check(
        "1 + powi(x, n)",
        "the last argument of `powi` must be a whole number, written in digits, from -2147483648 to 2147483647 \
         at line 1, column 5\n  |\n1 | 1 + powi(x, n)\n  |     ^^^^^^^^^^",
    );
    for text in [
        "powi(x, 2.0)",
        "powi(x, 2147483648)",
        "powi(x, 1 + 1)",
        "polygamma(x, -1)",
        "polygamma(2, x)",
    ] {
        assert!(matches!(error(text).kind(), ParseErrorKind::WholeNumberNeeded { .. }), "{text}");
    }
}

#[test]
fn a_character_of_no_token_is_shown() {
    check(
        "x = 3",
        "unexpected character '=' at line 1, column 3\n  |\n1 | x = 3\n  |   ^ a formula is one side of an equation",
    );
    assert_eq!(*error("x + \0").kind(), ParseErrorKind::UnexpectedCharacter { character: '\0' });
    assert_eq!(*error("1e+").kind(), ParseErrorKind::OperatorExpected { found: "e".into() });
}

#[test]
fn the_place_is_counted_in_lines_and_characters_and_the_span_in_bytes() {
    let error = error("α +\n\n  β*(γ + ?)\n");
    assert_eq!((error.line(), error.column(), error.span()), (3, 10, 17..18));
    assert_eq!(
        error.to_string(),
        "unexpected character '?' at line 3, column 10\n  |\n3 |   β*(γ + ?)\n  |          ^"
    );
}

#[test]
fn the_carets_stand_below_wide_and_combining_characters() {
    check(
        "変数 + e\u{301} + ?",
        "unexpected character '?' at line 1, column 11\n  |\n1 | 変数 + e\u{301} + ?\n  |            ^",
    );
}

#[test]
fn a_long_line_is_shown_around_the_error_only() {
    let text = format!("{}? + {}", "x + ".repeat(1000), "y + ".repeat(1000));
    let message = error(&text).to_string();
    assert!(message.starts_with("unexpected character '?' at line 1, column 4001\n"), "{message}");
    assert!(message.contains("x + ? + y") && message.len() < 500, "{message}");
}

#[test]
fn a_long_name_is_cut_short() {
    let message = error(&format!("{}(x)", "f".repeat(100_000))).to_string();
    assert!(
        message.contains(&format!("`{}…`", "f".repeat(40))) && message.len() < 1000,
        "{message}"
    );
}

#[test]
fn errors_can_cross_threads_and_be_boxed() {
    let boxed: Box<dyn std::error::Error + Send + Sync> = Box::new(error("(x"));
    assert!(boxed.to_string().contains("never closed"));
}

#[test]
fn a_bar_without_its_other_one_is_pointed_at() {
    check(
        "2*|x + 1",
        "this bar is never closed at line 1, column 3\n  |\n1 | 2*|x + 1\n  |   ^ an absolute value is `|x|` or `abs(x)`",
    );
    check(
        "|x||y|",
        "this bar closes nothing at line 1, column 4\n  |\n1 | |x||y|\n  |    ^ to multiply by an absolute value, write `*|`",
    );
    assert!(matches!(error("(x|").kind(), ParseErrorKind::UnopenedBar));
    assert!(matches!(error("|(x|").kind(), ParseErrorKind::UnopenedBar));
    assert!(matches!(error("|x)").kind(), ParseErrorKind::UnopenedParenthesis));
    assert!(matches!(error("|x, y|").kind(), ParseErrorKind::MisplacedComma));
    assert!(matches!(error("||").kind(), ParseErrorKind::OperandExpected { found: None }));
    assert!(matches!(error("²").kind(), ParseErrorKind::OperandExpected { .. }));
    assert!(matches!(error("x⁹⁹⁹⁹⁹⁹⁹⁹⁹⁹").kind(), ParseErrorKind::WholeNumberNeeded { .. }));
}

#[test]
fn characters_of_printed_formulas_that_are_not_read_bring_what_to_write() {
    check("√x", "unexpected character '√' at line 1, column 1\n  |\n1 | √x\n  | ^ write `sqrt(…)`");
    for (text, advice) in [
        ("x – y", "write `-`"),
        ("[x + y]*2", "write `(`"),
        ("y = x", "one side of an equation"),
        ("x!", "exp(ln_gamma(n + 1))"),
    ] {
        assert!(error(text).to_string().contains(advice), "{}", error(text));
    }
}
