//! Text to expression to value: `x*y + sin(x)^2`, evaluated on any [`tape::Real`].
//!
//! ```
//! use expression::Expression;
//!
//! let expression: Expression = "x*y + sin(x)^2".parse()?;
//! assert!(expression.variables().keys().eq(["x", "y"]));
//! assert_eq!(expression.evaluate(&[0.0, 3.0])?, 0.0);
//! assert_eq!(expression.evaluate_named([("y", 5.0), ("x", 2.0)])?, 2.0 * 5.0 + 2.0_f64.sin().powi(2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The same expression evaluated on variables of a tape is recorded, and so has a gradient:
//!
//! ```
//! let product = expression::Expression::parse("x*y")?;
//! let (value, gradient) = tape::gradient(|x| product.evaluate(x).unwrap(), &[2.0, 3.0]);
//! assert_eq!((value, gradient), (6.0, vec![3.0, 2.0]));
//! # Ok::<(), expression::ParseError>(())
//! ```
//!
//! # The language
//!
//! | what | how it is written |
//! |---|---|
//! | numbers | `2`, `2.`, `.5`, `1e-3`, `6.02e+23` |
//! | constants | `pi`, `e`, `tau` |
//! | variables | any other name: a letter or `_`, then letters, digits and `_`, of any script |
//! | operators, from the loosest to the tightest | `+ -`, then `* / %`, then a sign in front, then `^` (or `**`) |
//! | functions | each operation of [`tape::Op`] under its name, the receiver of the method first: `atan2(y, x)`, `log(x, base)`, `clamp(x, low, high)`, `select(condition, a, b)` |
//! | and | `log(x)` is the natural logarithm, as `ln(x)`; `pow(x, y)` is `x^y` |
//!
//! - `^` groups from the right, `2^3^2 = 2^9`, the other operators from the left. It binds tighter than a sign on its
//!   left, `-x^2 = -(x^2)`, and takes a sign on its right, `2^-3`.
//! - `x^n` is `powi` where `n` is written as a whole number that fits an `i32`, and `powf` otherwise: `x^2` and
//!   `x^(-2)` call `powi`, `x^2.0` and `x^y` call `powf`. `powf(x, 2)` and `powi(x, 2)` name the one that is meant;
//!   the last argument of `powi` and `polygamma` has to be written as a whole number.
//! - A small exponent belongs to what it stands at: `2^x²` is `2^(x^2)`, `-x²` is `-(x^2)`, and `x²^3` is `(x^2)^3`.
//! - A bar where an operand begins opens an absolute value, a bar after an operand closes one: `||x| - 1|` is
//!   `abs(abs(x) - 1)`.
//! - A product needs its `*`: neither `2x` nor `x(y + 1)` is one.
//! - Names distinguish upper and lower case. A name of a function is not the name of a variable.
//!
//! # What is promised
//!
//! - An expression does what is written, in the order in which it is written: on `f64` the value is bit for bit that of
//!   the same formula in Rust, and on a tape exactly these operations are recorded. Nothing is folded or rearranged.
//! - [`Display`](std::fmt::Display) writes an expression back with the fewest parentheses, and parsing that text gives
//!   an equal expression.
//! - No text crashes the parser, whatever its length or depth: nothing here recurses, and time and memory grow in
//!   proportion to the text.

mod constant;
mod error;
mod evaluate;
mod expression;
mod function;
mod operation;
mod operator;
mod parse;
mod print;
mod token;

pub use error::{EvaluateError, ParseError, ParseErrorKind};
pub use expression::Expression;
pub use operation::Operation;

/// The README's example runs with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
