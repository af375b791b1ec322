//! The expression itself: a flat list of steps and the names of its variables.

use core::fmt;

use indexmap::IndexMap;
use tape::Op;

use crate::constant::Constant;
use crate::function::arity;

/// A parsed expression, ready to be evaluated on any [`tape::Real`].
///
/// Two expressions are equal when the same numbers, names and operations are written in the same order; spaces and
/// needless parentheses make no difference.
///
/// ```
/// use expression::Expression;
///
/// let expression = Expression::parse("((a) * a) - 2^(-b)")?;
/// assert_eq!(expression.to_string(), "a*a - 2^-b");
/// assert_eq!(expression, "a*a-2^-b".parse()?);
/// assert_eq!(expression.evaluate(&[3.0, 1.0]), Ok(8.5));
/// # Ok::<(), expression::ParseError>(())
/// ```
#[derive(Clone)]
pub struct Expression {
    /// In postfix order: a step's arguments stand before it, so that a loop with a stack evaluates them. Never empty.
    pub(crate) steps: Vec<Step>,
    pub(crate) variables: IndexMap<String, usize>,
}

/// Pushes one value onto the stack, after taking its arguments from there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    /// A number written without point and exponent, so that it can be the integer of a `powi`.
    Integer(u32),
    /// Any other number; never negative.
    Number(f64),
    Constant(&'static Constant),
    /// The variable at this place in order of appearance.
    Variable(usize),
    Apply(Op),
    Powi(i32),
    Polygamma(u32),
}

impl Expression {
    /// The variables in order of appearance, each with the number of times it is written.
    ///
    /// ```
    /// let expression = expression::Expression::parse("b*b + a*pi")?;
    /// assert_eq!(expression.variables().iter().map(|(name, uses)| (&name[..], *uses)).collect::<Vec<_>>(), [
    ///     ("b", 2),
    ///     ("a", 1),
    /// ]);
    /// # Ok::<(), expression::ParseError>(())
    /// ```
    pub fn variables(&self) -> &IndexMap<String, usize> {
        &self.variables
    }
}

impl Step {
    /// How many arguments it takes from the stack.
    pub(crate) fn arity(self) -> usize {
        match self {
            Self::Integer(_) | Self::Number(_) | Self::Constant(_) | Self::Variable(_) => 0,
            Self::Powi(_) | Self::Polygamma(_) => 1,
            Self::Apply(op) => arity(op),
        }
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        // As slices, since two maps that differ in their order alone are equal.
        self.steps == other.steps && self.variables.as_slice() == other.variables.as_slice()
    }
}

impl fmt::Debug for Expression {
    /// The text, since equal expressions, and only these, have equal texts.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Expression({self})")
    }
}
