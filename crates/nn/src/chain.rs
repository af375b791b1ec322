//! The chain network: its nodes and parameters, what it predicts, its loss, and the gradient by one sweep.

use indexmap::IndexMap;
use tape::Real;

use crate::Activation;

mod builder;
pub(crate) mod error;
pub(crate) mod explanation;
pub(crate) mod parameters;
pub(crate) mod step;
mod training;
mod words;

pub use builder::Builder;
pub use error::{Diverged, Error};
pub use explanation::{Explanation, Factor, Multiplications, Step, Term};
pub use parameters::Parameters;
pub use step::{Descended, Nudge};
pub use training::{Batch, Epoch, Recorded, Snapshot, Stop, Trained, Training};
pub use words::WORDS;

/// A training example: for this input, the last node should have this target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The value of the first node.
    pub input: f64,
    /// The desired value of the last node.
    pub target: f64,
}

/// `(input, target)`.
impl From<(f64, f64)> for Sample {
    fn from((input, target): (f64, f64)) -> Self {
        Self { input, target }
    }
}

/// A network whose nodes form a chain: one number per node, one weight per edge.
///
/// The first node is the input. Every other node multiplies its predecessor's value by the weight of the edge between
/// them, adds its bias if it has one, and applies its activation if it has one: C = tanh(bc·B + c₀).
///
/// ```
/// use nn::Chain;
///
/// let mut chain = Chain::new();
/// chain.set_weight("ab", 2.0)?;
/// chain.set_weight("cd", 5.0)?;
/// assert_eq!(chain.predict(3.0), 30.0);                  // 2 · 1 · 5 · 3
/// assert_eq!(chain.loss(&[(3.0, 17.0).into()])?, 169.0); // (30 − 17)²
/// # Ok::<(), nn::chain::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// The first node's name.
    pub(crate) input: String,
    /// The other nodes by name, in order.
    pub(crate) nodes: IndexMap<String, Node>,
    pub(crate) parameters: Parameters,
}

/// What a node does with its weighted input.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Node {
    pub(crate) biased: bool,
    pub(crate) activation: Activation,
}

impl Node {
    pub(crate) fn value<T: Real>(&self, weight: T, source: T, bias: Option<T>) -> T {
        let weighted = weight * source;
        self.activation.apply(bias.map_or(weighted, |bias| weighted + bias))
    }
}

/// A→B→C→D with every weight 1, without biases and activations.
impl Default for Chain {
    fn default() -> Self {
        Builder::default().build().expect("the default names are valid")
    }
}

impl Chain {
    /// A→B→C→D with every weight 1, without biases and activations.
    pub fn new() -> Self {
        Self::default()
    }

    /// Builds a chain with other names, biases, activations or random weights.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The nodes' names, input first.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        core::iter::once(&self.input).chain(self.nodes.keys()).map(String::as_str)
    }

    /// All weights and biases.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The weights by edge, first to last.
    pub fn weights(&self) -> &IndexMap<String, f64> {
        &self.parameters.weights
    }

    /// The biases by node, first to last; only of nodes that have one.
    pub fn biases(&self) -> &IndexMap<String, f64> {
        &self.parameters.biases
    }

    /// Sets the weight of an edge.
    ///
    /// # Errors
    /// [`Error::UnknownEdge`]; [`Error::NonFiniteParameter`].
    pub fn set_weight(&mut self, edge: &str, value: f64) -> Result<(), Error> {
        let weights = &mut self.parameters.weights;
        let Some(weight) = weights.get_mut(edge) else {
            let [first, last] = [weights.keys().next(), weights.keys().next_back()]
                .map(|edge| edge.cloned().unwrap_or_default());
            return Err(Error::UnknownEdge { name: edge.to_owned(), first, last });
        };
        *weight = finite(edge, value)?;
        Ok(())
    }

    /// Sets the bias of a node.
    ///
    /// # Errors
    /// [`Error::NoBias`]; [`Error::NonFiniteParameter`].
    pub fn set_bias(&mut self, node: &str, value: f64) -> Result<(), Error> {
        let Some(bias) = self.parameters.biases.get_mut(node) else {
            return Err(Error::NoBias { node: node.to_owned() });
        };
        *bias = finite(node, value)?;
        Ok(())
    }

    /// The value of the last node when the first has the value `input`.
    pub fn predict(&self, input: f64) -> f64 {
        self.output(&self.flat_parameters(), input)
    }

    /// The mean over the samples of (prediction − target)².
    ///
    /// # Errors
    /// [`Error::NoSamples`]; [`Error::NonFiniteSample`].
    pub fn loss(&self, samples: &[Sample]) -> Result<f64, Error> {
        check_samples(samples)?;
        Ok(self.loss_at(&self.flat_parameters(), samples))
    }

    /// The loss, and its derivative with respect to every weight and bias, all by one reverse sweep.
    ///
    /// # Errors
    /// [`Error::NoSamples`]; [`Error::NonFiniteSample`].
    ///
    /// ```
    /// use nn::Chain;
    ///
    /// let (_, gradient) = Chain::new().gradient(&[(3.0, 17.0).into()])?;
    /// assert_eq!(gradient.to_string(), "ab = -84, bc = -84, cd = -84");
    /// # Ok::<(), nn::chain::Error>(())
    /// ```
    pub fn gradient(&self, samples: &[Sample]) -> Result<(f64, Parameters), Error> {
        check_samples(samples)?;
        let (loss, derivatives) = self.gradient_at(&self.flat_parameters(), samples);
        Ok((loss, self.parameters.with_values(&derivatives)))
    }

    /// The loss and its derivatives at given parameters, weights before biases.
    pub(crate) fn gradient_at(&self, parameters: &[f64], samples: &[Sample]) -> (f64, Vec<f64>) {
        tape::gradient(|parameters| self.loss_at(parameters, samples), parameters)
    }

    /// The loss at given parameters, weights before biases. There must be a sample.
    pub(crate) fn loss_at<T: Real>(&self, parameters: &[T], samples: &[Sample]) -> T {
        let squares: Vec<T> = samples
            .iter()
            .map(|sample| squared_error(self.output(parameters, T::from_f64(sample.input)), sample))
            .collect();
        T::sum(&squares) / T::from_f64(samples.len() as f64)
    }

    fn output<T: Real>(&self, parameters: &[T], input: T) -> T {
        let steps = self.steps(parameters);
        steps.fold(input, |value, (node, weight, bias)| node.value(weight, value, bias))
    }

    /// Each node after the input, with the weight of the edge to it and its bias.
    pub(crate) fn steps<'a, T: Real>(
        &'a self,
        parameters: &'a [T],
    ) -> impl Iterator<Item = (&'a Node, T, Option<T>)> {
        let (weights, biases) = parameters.split_at(self.nodes.len());
        let mut biases = biases.iter().copied();
        self.nodes.values().zip(weights).map(move |(node, &weight)| {
            let bias = if node.biased { biases.next() } else { None };
            (node, weight, bias)
        })
    }

    /// All weights, then all biases.
    pub(crate) fn flat_parameters(&self) -> Vec<f64> {
        self.parameters.values().collect()
    }
}

pub(crate) fn squared_error<T: Real>(prediction: T, sample: &Sample) -> T {
    let error = prediction - T::from_f64(sample.target);
    error * error
}

pub(crate) fn check_samples(samples: &[Sample]) -> Result<(), Error> {
    if samples.is_empty() {
        return Err(Error::NoSamples);
    }
    let is_finite = |sample: &Sample| sample.input.is_finite() && sample.target.is_finite();
    match samples.iter().position(|sample| !is_finite(sample)) {
        Some(index) => {
            let Sample { input, target } = samples[index];
            Err(Error::NonFiniteSample { index, input, target })
        }
        None => Ok(()),
    }
}

fn finite(name: &str, value: f64) -> Result<f64, Error> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Error::NonFiniteParameter { name: name.to_owned(), value })
    }
}
