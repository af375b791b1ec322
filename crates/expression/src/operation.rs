//! An operation by itself: what it computes, and how it is written with its arguments.

use tape::{Op, Real};

use crate::error::EvaluateError;
use crate::expression::Step;
use crate::operator::Infix;

/// An operation of an expression, as [`Expression::fold`](crate::Expression::fold) hands it on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Operation(pub(crate) Step);

impl Operation {
    /// Its value for these arguments.
    ///
    /// # Errors
    /// [`EvaluateError::EmptyRange`] of a `clamp` that has no number between its bounds.
    ///
    /// # Panics
    /// When there are not as many arguments as it was handed on with.
    pub fn apply<T: Real>(self, arguments: &[T]) -> Result<T, EvaluateError> {
        Ok(match self.0 {
            Step::Powi(n) => arguments[0].powi(n),
            Step::Polygamma(n) => arguments[0].polygamma(n),
            Step::Apply(op) => {
                if op == Op::Clamp {
                    check_range(arguments[1].primal(), arguments[2].primal())?;
                }
                op.apply(arguments)
            }
            step => unreachable!("{step:?} takes no arguments"),
        })
    }

    /// With these names of its arguments, as in print: `x · y`, `sin(x)`.
    pub fn show(self, arguments: &[&str]) -> String {
        match self.0 {
            Step::Powi(n) => format!("{}^{n}", arguments[0]),
            Step::Polygamma(n) => format!("polygamma({}, {n})", arguments[0]),
            Step::Apply(Op::Neg) => format!("−{}", arguments[0]),
            Step::Apply(op) => match Infix::from_op(op) {
                Some(infix) => format!("{} {} {}", arguments[0], infix.printed, arguments[1]),
                None => format!("{}({})", op.name(), arguments.join(", ")),
            },
            step => unreachable!("{step:?} takes no arguments"),
        }
    }
}

/// `f64::clamp` panics without such a range, and a text must not make its reader panic.
fn check_range(low: f64, high: f64) -> Result<(), EvaluateError> {
    if low <= high { Ok(()) } else { Err(EvaluateError::EmptyRange { low, high }) }
}
