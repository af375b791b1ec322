//! Guards: the comparisons that a function made while it was traced, so that a replay notices when one comes out
//! otherwise.

use core::cmp::Ordering;
use core::fmt::{self, Display};

/// A comparison with the outcome that it had while tracing.
///
/// `Id` says how operands are named: by a variable's place in the list, a graph's node, or a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Guard<Id> {
    pub(crate) comparison: Comparison,
    /// A comparison of one number has it twice.
    pub(crate) operands: [Id; 2],
    pub(crate) outcome: Outcome,
}

impl<Id: Copy> Guard<Id> {
    /// The guard with its operands named otherwise.
    pub(crate) fn map<Other>(&self, mut name: impl FnMut(Id) -> Other) -> Guard<Other> {
        let [a, b] = self.operands;
        Guard { comparison: self.comparison, operands: [name(a), name(b)], outcome: self.outcome }
    }

    /// Whether the comparison comes out as it did while tracing.
    #[inline]
    pub(crate) fn holds(&self, a: f64, b: f64) -> bool {
        self.comparison.of(a, b) == self.outcome
    }
}

/// A question about one or two numbers that a function can branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    /// Which of the two is larger, or neither: `partial_cmp`.
    Order,
    /// Whether the first number's sign bit is set.
    IsNegative,
    /// Whether the first number is neither infinite nor NaN. The machine asks it, no function does: see
    /// [`lower`](crate::program::graph::lower).
    IsFinite,
}

/// What a comparison gives: 0 or 1; of [`Comparison::Order`], −1, 0, 1. 2 where that or the sign is asked of NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub(crate) struct Outcome(pub(crate) i8);

impl Comparison {
    /// Whether this is one of the comparison's outcomes.
    pub(crate) fn can_give(self, outcome: Outcome) -> bool {
        match self {
            Self::Order => (-1..=2).contains(&outcome.0),
            Self::IsNegative => (0..=2).contains(&outcome.0),
            _ => (0..=1).contains(&outcome.0),
        }
    }

    /// The outcome for two numbers. A question about one number is about `a`.
    #[inline]
    pub(crate) fn of(self, a: f64, b: f64) -> Outcome {
        Outcome(match self {
            Self::Less => i8::from(a < b),
            Self::LessOrEqual => i8::from(a <= b),
            Self::Greater => i8::from(a > b),
            Self::GreaterOrEqual => i8::from(a >= b),
            Self::Equal => i8::from(a == b),
            Self::Order => match a.partial_cmp(&b) {
                Some(Ordering::Less) => -1,
                Some(Ordering::Equal) => 0,
                Some(Ordering::Greater) => 1,
                None => 2,
            },
            // Which sign a NaN gets is not defined: it may differ from one computation of it to another.
            Self::IsNegative if a.is_nan() => 2,
            Self::IsNegative => i8::from(a.is_sign_negative()),
            Self::IsFinite => i8::from(a.is_finite()),
        })
    }
}

/// `v3 < v1`, or `not v3 < v1` where it was false.
impl<Id: Display> Display for Guard<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b] = &self.operands;
        if self.comparison == Comparison::Order {
            return match self.outcome {
                Outcome(-1) => write!(f, "{a} < {b}"),
                Outcome(0) => write!(f, "{a} == {b}"),
                Outcome(1) => write!(f, "{a} > {b}"),
                _ => write!(f, "{a} or {b} is NaN"),
            };
        }
        if self.outcome == Outcome(0) {
            f.write_str("not ")?;
        }
        match self.comparison {
            Comparison::Less => write!(f, "{a} < {b}"),
            Comparison::LessOrEqual => write!(f, "{a} <= {b}"),
            Comparison::Greater => write!(f, "{a} > {b}"),
            Comparison::GreaterOrEqual => write!(f, "{a} >= {b}"),
            Comparison::Equal => write!(f, "{a} == {b}"),
            Comparison::IsNegative if self.outcome == Outcome(2) => write!(f, "{a} is NaN"),
            Comparison::IsNegative => write!(f, "{a} has a negative sign"),
            Comparison::IsFinite => write!(f, "{a} is finite"),
            Comparison::Order => Ok(()),
        }
    }
}
