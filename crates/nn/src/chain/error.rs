//! Everything that can be wrong with a chain, its samples or its training, each with what to do about it.

use crate::chain::parameters::Parameters;
use crate::setting::InvalidSetting;

/// What is wrong with a chain, its samples or its training.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
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
    /// A loss beyond the range of `f64` before the first step.
    #[error("the loss is {loss} before the first step: scale the weights or the samples down")]
    NonFiniteStart {
        /// The loss of the chain as it is.
        loss: f64,
    },
    /// A setting of the training that makes no sense.
    #[error(transparent)]
    InvalidSetting(#[from] InvalidSetting),
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
    /// A training that ran away.
    #[error(transparent)]
    Diverged(Box<Diverged>),
}

/// A training that ran away: where, and what was there before.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
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
