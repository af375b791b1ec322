//! The layers of a network: dense ones, what goes between them, and any function that a user writes.

use core::fmt;
use std::sync::Arc;

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use tape::{Real, Var};

use crate::setting::{InvalidSetting, setting};
use crate::{Activation, Embedding, Initializer};

/// A part of a network: a function from the outputs of the layer before to its own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Layer {
    /// Every output is an activation of a weighted sum of all inputs.
    Dense(Dense),
    /// Brings the inputs to one scale, row by row.
    LayerNorm(LayerNorm),
    /// While the network trains, drops some of the inputs.
    Dropout(Dropout),
    /// Puts numbers that are learnt in the place of a category's index.
    Embedding(Embedding),
    /// A function of the user's.
    Own(Own),
}

/// A dense layer: y = activation(W·x + b). W has a row for each output and a column for each input.
///
/// Its parameters are `weight`, of shape outputs × inputs in row-major order, and `bias`, of shape outputs: the names
/// and shapes of PyTorch's `Linear`.
///
/// ```
/// use nn::{Dense, Initializer};
///
/// let hidden = Dense::new(32, "relu".parse()?);
/// let last = Dense::linear(10).initializer(Initializer::Zeros).without_bias();
/// assert_eq!((hidden.outputs(), last.outputs()), (32, 10));
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dense {
    outputs: usize,
    activation: Activation,
    has_bias: bool,
    initializer: Initializer,
}

impl Dense {
    /// A layer with this many outputs, with a bias, its weights drawn as suits the activation
    /// ([`Initializer::for_activation`]).
    pub fn new(outputs: usize, activation: Activation) -> Self {
        let initializer = Initializer::for_activation(activation);
        Self { outputs, activation, has_bias: true, initializer }
    }

    /// A layer without activation, for outputs of any size and for logits.
    pub fn linear(outputs: usize) -> Self {
        Self::new(outputs, Activation::Identity)
    }

    /// The layer without biases.
    pub fn without_bias(self) -> Self {
        Self { has_bias: false, ..self }
    }

    /// The layer with weights that are drawn another way. Biases start at 0.
    pub fn initializer(self, initializer: Initializer) -> Self {
        Self { initializer, ..self }
    }

    /// The number of outputs.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// What is applied to each weighted sum.
    pub fn activation(&self) -> Activation {
        self.activation
    }
}

/// The values of a dense layer, for any type of number: `weights` is row-major with `biases.len()` rows, or, without
/// biases, as many as there are.
///
/// # Panics
/// When there are not whole rows of `inputs.len()` weights, or not a bias for each.
///
/// ```
/// let y = nn::dense(&[1.0, 2.0, 3.0, 4.0], Some(&[0.5, 0.0]), &[1.0, 10.0], nn::Activation::Identity);
/// assert_eq!(y, [21.5, 43.0]);
/// ```
#[track_caller]
pub fn dense<T: Real>(
    weights: &[T],
    biases: Option<&[T]>,
    inputs: &[T],
    activation: Activation,
) -> Vec<T> {
    let rows = weights.len() / inputs.len().max(1);
    assert_eq!(
        (weights.len(), biases.map_or(rows, <[T]>::len)),
        (rows * inputs.len(), rows),
        "weights of a dense layer with {} inputs, and its biases",
        inputs.len()
    );
    let sums = weights.chunks_exact(inputs.len().max(1)).map(|row| T::dot(row, inputs));
    match biases {
        Some(biases) => sums.zip(biases).map(|(sum, &bias)| activation.apply(sum + bias)).collect(),
        None => sums.map(|sum| activation.apply(sum)).collect(),
    }
}

/// Brings the inputs of each row to mean 0 and deviation 1, then scales and shifts each by parameters of its own (Ba,
/// Kiros and Hinton 2016): y = (x − mean)/√(variance + 10⁻⁵)·weight + bias, the variance being that of the population.
///
/// Its parameters are `weight`, 1 at the start, and `bias`, 0 at the start, one of each for each input: the names and
/// shapes of PyTorch's `LayerNorm`.
///
/// ```
/// use nn::{Dense, LayerNorm, Network};
///
/// let hidden = Dense::new(32, "relu".parse()?);
/// let network =
///     Network::builder(4).layer(hidden).layer(LayerNorm).layer(Dense::linear(1)).build()?;
/// assert_eq!(network.parameters()["layer2.weight"].shape(), [32]);
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerNorm;

/// The values of a [`LayerNorm`], for any type of number.
///
/// # Panics
/// When there is not a weight and a bias for each input.
///
/// ```
/// let y: Vec<f64> = nn::layer_norm(&[1.0, 2.0], &[0.0, 0.5], &[3.0, 5.0]);
/// assert!((y[0] + 1.0).abs() < 1e-5 && (y[1] - 2.5).abs() < 1e-4);    // ∓1, then 1·2 + 0.5
/// ```
#[track_caller]
pub fn layer_norm<T: Real>(weights: &[T], biases: &[T], inputs: &[T]) -> Vec<T> {
    let count = inputs.len();
    assert_eq!(
        (weights.len(), biases.len()),
        (count, count),
        "weights and biases of {count} inputs"
    );
    let share = T::from_f64(1.0 / count as f64);
    let mean = T::sum(inputs) * share;
    let deviations: Vec<T> = inputs.iter().map(|&x| x - mean).collect();
    let variance = T::dot(&deviations, &deviations) * share;
    let scale = (variance + T::from_f64(1e-5)).sqrt().recip();
    let parameters = weights.iter().zip(biases);
    let scaled = deviations.iter().zip(parameters);
    scaled.map(|(&deviation, (&weight, &bias))| deviation * scale * weight + bias).collect()
}

/// While the network trains, each input is 0 with this probability, drawn anew for each row in each epoch, and the others
/// are larger, by the factor 1/(1 − share), so that their mean stays (Srivastava and others 2014). Otherwise the inputs
/// pass as they are.
///
/// What is dropped depends on the seed, the epoch and the place in it alone, so a resumed training drops the same.
///
/// ```
/// use nn::{Dense, Dropout, Network};
///
/// let hidden = Dense::new(32, "relu".parse()?);
/// Network::builder(4).layer(hidden).layer(Dropout::new(0.2)).layer(Dense::linear(1)).build()?;
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dropout {
    share: f64,
}

impl Dropout {
    /// A layer that drops this share of its inputs: at least 0 and below 1, which
    /// [`NetworkBuilder::build`](crate::NetworkBuilder::build) checks.
    pub fn new(share: f64) -> Self {
        Self { share }
    }

    /// The share that is dropped.
    pub fn share(&self) -> f64 {
        self.share
    }

    pub(crate) fn check(self) -> Result<(), InvalidSetting> {
        let accepts = |share| (0.0..1.0).contains(&share);
        setting("the share that is dropped", self.share, accepts, "at least 0 and below 1")
    }

    /// What an input is multiplied by while the network trains.
    pub(crate) fn draw(self, random: &mut impl Rng) -> f64 {
        if random.random::<f64>() < self.share { 0.0 } else { 1.0 / (1.0 - self.share) }
    }
}

type Function = dyn Fn(&[Var], &[Var]) -> Vec<Var> + Send + Sync;

/// A layer of your own: a function of its parameters and its inputs. Any generic function will do.
///
/// ```
/// use nn::{Dense, Initializer, Network, Own};
/// use tape::Real;
///
/// /// Every input times a number of its own.
/// fn scaled<T: Real>(parameters: &[T], inputs: &[T]) -> Vec<T> {
///     parameters.iter().zip(inputs).map(|(&scale, &x)| scale * x).collect()
/// }
///
/// let scale = Own::new(scaled).parameter("scale", &[3], Initializer::Constant(1.0));
/// let network = Network::builder(3).layer(scale).layer(Dense::linear(1)).build()?;
/// assert!(network.parameters().keys().eq(["layer1.scale", "layer2.weight", "layer2.bias"]));
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone)]
pub struct Own {
    function: Arc<Function>,
    parameters: Vec<(String, Vec<usize>, Initializer)>,
}

impl Own {
    /// A layer of this function: of all its parameters, one after the other as they are named by
    /// [`parameter`](Self::parameter), and of its inputs. How many outputs it has shows when it is called.
    ///
    /// It is traced, so it may branch on its numbers, but must not take them out by `value()`, nor depend on anything
    /// else, such as random numbers: [`NetworkBuilder::build`](crate::NetworkBuilder::build) refuses that.
    pub fn new(function: impl Fn(&[Var], &[Var]) -> Vec<Var> + Send + Sync + 'static) -> Self {
        Self { function: Arc::new(function), parameters: Vec::new() }
    }

    /// Gives the layer a parameter with this name and shape, after those that it has.
    pub fn parameter(
        mut self,
        name: impl Into<String>,
        shape: &[usize],
        initializer: Initializer,
    ) -> Self {
        self.parameters.push((name.into(), shape.to_vec(), initializer));
        self
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own").field("parameters", &self.parameters).finish_non_exhaustive()
    }
}

impl From<Dense> for Layer {
    fn from(dense: Dense) -> Self {
        Self::Dense(dense)
    }
}

impl From<LayerNorm> for Layer {
    fn from(norm: LayerNorm) -> Self {
        Self::LayerNorm(norm)
    }
}

impl From<Dropout> for Layer {
    fn from(dropout: Dropout) -> Self {
        Self::Dropout(dropout)
    }
}

impl From<Embedding> for Layer {
    fn from(embedding: Embedding) -> Self {
        Self::Embedding(embedding)
    }
}

impl From<Own> for Layer {
    fn from(own: Own) -> Self {
        Self::Own(own)
    }
}

impl Layer {
    /// Its parameters when it has this many inputs: name, shape, and how they are drawn.
    pub(crate) fn parameters(&self, inputs: usize) -> Vec<(String, Vec<usize>, Initializer)> {
        match self {
            Self::Dense(dense) => {
                let weight = ("weight".to_owned(), vec![dense.outputs, inputs], dense.initializer);
                let bias = ("bias".to_owned(), vec![dense.outputs], Initializer::Zeros);
                if dense.has_bias { vec![weight, bias] } else { vec![weight] }
            }
            Self::LayerNorm(_) => vec![
                ("weight".to_owned(), vec![inputs], Initializer::Constant(1.0)),
                ("bias".to_owned(), vec![inputs], Initializer::Zeros),
            ],
            Self::Dropout(_) => Vec::new(),
            Self::Embedding(embedding) => vec![embedding.parameter()],
            Self::Own(own) => own.parameters.clone(),
        }
    }

    /// How many numbers come out when this many go in, if that shows before it is called.
    pub(crate) fn outputs(&self, inputs: usize) -> Option<usize> {
        match self {
            Self::Dense(dense) => Some(dense.outputs),
            Self::LayerNorm(_) | Self::Dropout(_) => Some(inputs),
            Self::Embedding(embedding) => Some(embedding.outputs(inputs)),
            Self::Own(_) => None,
        }
    }

    /// What it makes of its inputs when the network does not train. `parameters` are all of its own.
    pub(crate) fn apply(&self, parameters: &[Var], inputs: &[Var]) -> Vec<Var> {
        match self {
            Self::Dense(layer) => {
                let (weights, biases) = parameters.split_at(layer.outputs * inputs.len());
                dense(weights, layer.has_bias.then_some(biases), inputs, layer.activation)
            }
            Self::LayerNorm(_) => {
                let (weights, biases) = parameters.split_at(inputs.len());
                layer_norm(weights, biases, inputs)
            }
            // What an embedding looks up is data of the row already.
            Self::Dropout(_) | Self::Embedding(_) => inputs.to_vec(),
            Self::Own(own) => (own.function)(parameters, inputs),
        }
    }
}

/// `dense, 32 outputs, relu`.
impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dense(Dense { outputs, activation, .. }) => {
                let plural = if *outputs == 1 { "" } else { "s" };
                write!(f, "dense, {outputs} output{plural}, {activation}")
            }
            Self::LayerNorm(_) => f.write_str("layer norm"),
            Self::Dropout(Dropout { share }) => {
                write!(f, "dropout of {} % while it trains", 100.0 * share)
            }
            Self::Embedding(embedding) => {
                let (categories, dimensions) = (embedding.categories(), embedding.dimensions());
                write!(
                    f,
                    "embedding, {categories} categories and what is none by {dimensions} numbers"
                )
            }
            Self::Own(_) => f.write_str("a function of its own"),
        }
    }
}
