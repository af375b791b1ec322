//! Everything that can be wrong with a network, its samples or its training, each with what to do about it.

use tape::Matrix;
use thiserror::Error;

use crate::chain::error as chain;
use crate::precision::{Precision, UnknownPrecision};
use crate::setting::InvalidSetting;

/// What is wrong with a network, its samples or its training.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that is no operation with exactly one argument.
    #[error(
        "{name:?} is no activation: it is `identity` or an operation with one argument (tanh, sigmoid, relu, softplus, …)"
    )]
    UnknownActivation {
        /// The name as given.
        name: String,
    },
    /// A name that is no loss.
    #[error(
        "{name:?} is no loss: there are mean-squared, mean-absolute, huber:DELTA, cross-entropy and binary-cross-entropy"
    )]
    UnknownLoss {
        /// The name as given.
        name: String,
    },
    /// A name that is no precision.
    #[error(transparent)]
    UnknownPrecision(#[from] UnknownPrecision),
    /// An infinite weight or bias, or NaN.
    #[error("{name} cannot be {value}: weights and biases are finite")]
    NonFiniteParameter {
        /// The edge or node.
        name: String,
        /// The value as given.
        value: f64,
    },
    /// No samples to learn from.
    #[error("no samples: give at least one")]
    NoSamples,
    /// A setting of the training that makes no sense.
    #[error(transparent)]
    InvalidSetting(#[from] InvalidSetting),
    /// A part of a report whose values do not fill its shape.
    #[error("{part} needs {wanted} values, got {got}")]
    ReportSize {
        /// Which part.
        part: String,
        /// How many values its shape asks for.
        wanted: usize,
        /// How many were given.
        got: usize,
    },
    /// Units drawn as images whose inputs form no square.
    #[error("{part} cannot be drawn as square images: {inputs} inputs are no square number")]
    NotSquare {
        /// Which part.
        part: String,
        /// How many inputs a unit has.
        inputs: usize,
    },
    /// A network without layers.
    #[error("a network needs at least one layer")]
    NoLayers,
    /// An input, a layer or a parameter with no numbers in it.
    #[error("{what} is empty: it needs at least one number")]
    Empty {
        /// `the input`, a layer (`layer2`) or a parameter (`layer1.scale`).
        what: String,
    },
    /// A parameter with more numbers than a tape can hold.
    #[error("{name} of shape {shape:?} is too large: a parameter has at most {most} numbers")]
    TooLarge {
        /// The parameter.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// How many numbers there may be.
        most: usize,
    },
    /// A name that cannot stand for a parameter of a layer.
    #[error(
        "{name:?} cannot name a parameter: each of a layer needs a name of its own, not empty and without a dot"
    )]
    ParameterName {
        /// The name, with its layer's before it.
        name: String,
    },
    /// A parameter that is not in the network.
    #[error("the network has no parameter {name:?}: it has {}", known.join(", "))]
    UnknownParameter {
        /// The name as given.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A weight of a row that makes no sense.
    #[error(
        "the weight of row {row} (counted from 0) cannot be {value}: it must be finite and greater than 0"
    )]
    InvalidWeight {
        /// The row's place, from 0.
        row: usize,
        /// The weight.
        value: f64,
    },
    /// A layer or an objective of the user's that is not the function that its trace is.
    #[error("{what} cannot be traced: {why}")]
    NotTraceable {
        /// A layer (`layer2`), or the objective's name.
        what: String,
        /// What it does, and what to do about it.
        why: &'static str,
    },
    /// An embedding where there is no index to look up.
    #[error(
        "{layer} is an embedding that cannot look up its input: {why}; embeddings look up inputs of the network, before \
         all other layers"
    )]
    Misplaced {
        /// The layer, as `layer2`.
        layer: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A number that an embedding cannot look up.
    #[error(
        "row {row}, input {input} (counted from 0) is {value}: an embedding looks up whole numbers from 0 to {most}, the \
         last for what is no category"
    )]
    NoIndex {
        /// The row's place, from 0.
        row: usize,
        /// The input's place, from 0.
        input: usize,
        /// The number.
        value: f64,
        /// The index of what is no category.
        most: usize,
    },
    /// Numbers that are too many or too few.
    #[error("{what}: {expected} expected, {found} given")]
    Shape {
        /// What was counted.
        what: String,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A row of inputs and targets with a number that is infinite, or NaN.
    #[error("row {row} (counted from 0) has {value} in it: inputs and targets must be finite")]
    NonFiniteRow {
        /// Its place, from 0.
        row: usize,
        /// The number.
        value: f64,
    },
    /// A row of inputs with a number that is infinite, or NaN.
    #[error("row {row} (counted from 0), column {column:?}, has {value}: give finite numbers")]
    NonFiniteInput {
        /// Its place, from 0.
        row: usize,
        /// The column's name.
        column: String,
        /// The number.
        value: f64,
    },
    /// A training that comes from a file and is to go on with other rows.
    #[error(
        "the {what} are not those that the training was saved with: resume with the same, or start a new training from \
         its network"
    )]
    OtherRows {
        /// `rows to learn from`, `weights of the rows` or `validation rows`.
        what: &'static str,
    },
    /// A training that came to its end and could not be saved.
    #[error("the training is done up to epoch {epoch}, but not saved: {reason}")]
    NotSaved {
        /// The epoch that it stands after.
        epoch: usize,
        /// Why, with the path.
        reason: String,
    },
    /// A network's training that ran away.
    #[error(transparent)]
    NonFinite(Box<NonFinite>),
    /// What is wrong with a chain, its samples or its training.
    #[error(transparent)]
    Chain(#[from] chain::Error),
    /// What the engine refuses: rows of another width, a function that cannot be traced.
    #[error(transparent)]
    Engine(#[from] tape::Error),
}

/// A training that ran away: where, and what is wrong.
#[derive(Clone, Debug, PartialEq, Error)]
#[error(
    "the training left the finite numbers in epoch {epoch}, batch {batch}: {what} is not finite, {} (loss {loss}); the \
     network keeps its parameters from before; try a rate below {rate}, or clip the derivatives{}",
    if *what == LOSS {
        format!("while the largest number is in {parameter}")
    } else {
        format!("first in {parameter}")
    },
    match precision {
        Precision::Double => "",
        Precision::Single => "; double precision may help, which holds numbers beyond 3e38",
    }
)]
pub struct NonFinite {
    /// `the loss`, `a derivative` or `a parameter`.
    pub what: &'static str,
    /// The epoch, from 1.
    pub epoch: usize,
    /// The step in the epoch, from 1.
    pub batch: usize,
    /// The first parameter that it shows in. Where only the loss is not finite, the parameter with the largest number.
    pub parameter: String,
    /// The mean loss of the batch.
    pub loss: f64,
    /// The rate, before the schedule.
    pub rate: f64,
    /// How the loss and the derivatives were computed.
    pub precision: Precision,
}

pub(crate) const LOSS: &str = "the loss";

/// Refuses a matrix whose numbers do not fill it.
pub(crate) fn whole(what: &str, matrix: &Matrix<f64>) -> Result<(), Error> {
    let expected = matrix.rows.saturating_mul(matrix.columns);
    length(&format!("the numbers of {what}"), expected, matrix.data.len())
}

/// Refuses numbers that are too many or too few.
pub(crate) fn length(what: &str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found {
        Ok(())
    } else {
        Err(Error::Shape { what: what.to_owned(), expected, found })
    }
}
