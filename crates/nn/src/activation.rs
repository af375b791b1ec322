//! What a node applies to its weighted input: an operation of one argument, or nothing.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use tape::{Op, Real};

use crate::Error;

/// A function of one number that a node applies to its weighted input.
///
/// Every operation of one argument is an activation, under its name in the tape's table.
///
/// ```
/// use nn::Activation;
///
/// let tanh: Activation = "tanh".parse()?;
/// assert_eq!(tanh.apply(0.5), 0.5_f64.tanh());
/// assert_eq!(Activation::Identity.apply(0.5), 0.5);
/// assert!("powf".parse::<Activation>().is_err());        // takes two arguments
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[non_exhaustive]
pub enum Activation {
    /// x itself.
    #[default]
    Identity,
    /// An operation with one argument. Made by [`Activation::new`] or from its name.
    #[non_exhaustive]
    Operation(Op),
}

impl Activation {
    /// The operation as an activation.
    ///
    /// # Errors
    /// [`Error::UnknownActivation`] when the operation does not take exactly one number.
    pub fn new(operation: Op) -> Result<Self, Error> {
        operation.name().parse()
    }

    /// The activation of `x`.
    pub fn apply<T: Real>(self, x: T) -> T {
        match self {
            Self::Identity => x,
            Self::Operation(operation) => operation.apply(&[x]),
        }
    }
}

/// `identity`, or the operation's name.
impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Identity => "identity",
            Self::Operation(operation) => operation.name(),
        })
    }
}

/// The inverse of `Display`.
impl FromStr for Activation {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        if name == "identity" {
            return Ok(Self::Identity);
        }
        Op::from_name(name)
            .filter(|operation| operation.arity() == Some(1))
            .map(Self::Operation)
            .ok_or_else(|| Error::UnknownActivation { name: name.to_owned() })
    }
}

/// The name, as files have it.
impl From<Activation> for String {
    fn from(activation: Activation) -> Self {
        activation.to_string()
    }
}

impl TryFrom<String> for Activation {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        name.parse()
    }
}
