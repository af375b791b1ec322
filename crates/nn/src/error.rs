//! Everything that can be wrong with a network, its samples or its training, each with what to do about it.

use thiserror::Error;

use crate::chain::parameters::Parameters;

/// What is wrong with a chain or a network, its samples or its training.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum Error {
    /// Fewer than two names.
    #[error("a chain needs at least 2 nodes, got {count}")]
    TooFewNodes {
        /// How many names were given.
        count: usize,
    },
    /// More letters asked for than there are.
    #[error("there are only 26 letters: give {count} nodes names of their own")]
    TooManyLetters {
        /// How many were asked for.
        count: usize,
    },
    /// A name that formulas could not show unambiguously.
    #[error(
        "{name:?} cannot name a node: a name is a letter, followed by letters, digits and underscores"
    )]
    InvalidName {
        /// The name as given.
        name: String,
    },
    /// Two nodes of one name.
    #[error("two nodes have the name {name:?}: each node needs one of its own")]
    DuplicateName {
        /// The name that appears again.
        name: String,
    },
    /// A bias or an activation for a node that is not in the chain.
    #[error("the chain has no node {name:?}")]
    UnknownNode {
        /// The name as given.
        name: String,
    },
    /// A bias or an activation for the first node.
    #[error("{name:?} is the input: it takes the sample as it is, without bias or activation")]
    InputNode {
        /// The first node's name.
        name: String,
    },
    /// A weight of an edge that is not in the chain.
    #[error("the chain has no edge {name:?}: its edges run from {first:?} to {last:?}")]
    UnknownEdge {
        /// The name as given.
        name: String,
        /// The first edge's name.
        first: String,
        /// The last edge's name.
        last: String,
    },
    /// A bias of a node that has none.
    #[error("{node:?} has no bias: ask the builder for it")]
    NoBias {
        /// The name as given.
        node: String,
    },
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
    /// An infinite input or target, or NaN.
    #[error(
        "sample {index} (counted from 0) has input {input} and target {target}: both must be finite"
    )]
    NonFiniteSample {
        /// Its place among the samples, from 0.
        index: usize,
        /// Its input.
        input: f64,
        /// Its target.
        target: f64,
    },
    /// A setting of the training that makes no sense.
    #[error("{setting} cannot be {value}: it must be {range}")]
    InvalidSetting {
        /// Which setting.
        setting: &'static str,
        /// The value as given.
        value: f64,
        /// The values it may have.
        range: &'static str,
    },
    /// A loss beyond the range of `f64` before the first step.
    #[error("the loss is {loss} before the first step: scale the weights or the samples down")]
    NonFiniteStart {
        /// The loss of the chain as it is.
        loss: f64,
    },
    /// A report of a training that left no snapshots.
    #[error("no snapshots to report: give those that `Chain::train_recorded` returns")]
    NoSnapshots,
    /// Snapshots of another chain.
    #[error(
        "the snapshot after epoch {epoch} has other weights or biases than the chain: report a chain with its own snapshots"
    )]
    ForeignSnapshot {
        /// The epoch of the first that does not fit.
        epoch: usize,
    },
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
    /// A training that ran away.
    #[error(transparent)]
    Diverged(Box<Diverged>),
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
    /// A network's training that ran away.
    #[error(transparent)]
    NonFinite(Box<NonFinite>),
    /// What the engine refuses: rows of another width, a function that cannot be traced.
    #[error(transparent)]
    Engine(#[from] tape::Error),
}

/// A training that ran away: where, and what was there before.
#[derive(Clone, Debug, PartialEq, Error)]
#[error(
    "the training diverged: the loss is {loss} after epoch {epoch}; the chain keeps its last finite weights; try a rate below {rate}"
)]
pub struct Diverged {
    /// The epoch after which the loss or a parameter was not finite, counted from 1.
    pub epoch: usize,
    /// The loss after that epoch.
    pub loss: f64,
    /// The rate that was too large.
    pub rate: f64,
    /// The parameters before that epoch: the last whose loss was finite. The chain keeps them too.
    pub last_finite: Parameters,
    /// The loss before the first epoch and after each one, up to the last finite one.
    pub history: Vec<f64>,
}

/// A training that ran away: where, and what is wrong.
#[derive(Clone, Debug, PartialEq, Error)]
#[error(
    "the training left the finite numbers in epoch {epoch}, batch {batch}: {what} is not finite, {} (loss {loss}); the \
     network keeps its parameters from before; try a rate below {rate}, or clip the derivatives",
    if *what == LOSS {
        format!("while the largest number is in {parameter}")
    } else {
        format!("first in {parameter}")
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
}

pub(crate) const LOSS: &str = "the loss";

/// Refuses numbers that are too many or too few.
pub(crate) fn length(what: &str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found {
        Ok(())
    } else {
        Err(Error::Shape { what: what.to_owned(), expected, found })
    }
}

/// Refuses a setting that is not finite and greater than 0.
pub(crate) fn positive(name: &'static str, value: f64) -> Result<(), Error> {
    let accepts = |value: f64| value > 0.0 && value.is_finite();
    setting(name, value, accepts, "finite and greater than 0")
}

/// Refuses a setting that is not finite and at least 0.
pub(crate) fn not_negative(name: &'static str, value: f64) -> Result<(), Error> {
    let accepts = |value: f64| value >= 0.0 && value.is_finite();
    setting(name, value, accepts, "finite and at least 0")
}

/// Refuses a setting whose value is out of its range, which is given in words too.
pub(crate) fn setting(
    setting: &'static str,
    value: f64,
    accepts: impl Fn(f64) -> bool,
    range: &'static str,
) -> Result<(), Error> {
    if accepts(value) { Ok(()) } else { Err(Error::InvalidSetting { setting, value, range }) }
}
