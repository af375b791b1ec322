//! Builds a chain from names, biases, activations and initial weights, and reports what does not fit.

use std::collections::HashSet;

use indexmap::IndexMap;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::Activation;
use crate::chain::error::Error;
use crate::chain::parameters::{Parameters, is_single_letter};
use crate::chain::{Chain, Node};

/// Builds a [`Chain`]. [`Builder::build`] checks everything.
///
/// ```
/// use nn::{Activation, Chain};
///
/// let chain = Chain::builder()
///     .nodes(["input", "hidden", "output"])
///     .bias("hidden")
///     .activation("hidden", "tanh".parse()?)
///     .build()?;
/// assert!(chain.weights().keys().eq(["input->hidden", "hidden->output"]));
/// assert!(chain.biases().keys().eq(["hidden"]));
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Builder {
    names: Vec<String>,
    biased: Vec<String>,
    all_biased: bool,
    activations: Vec<(String, Activation)>,
    seed: Option<u64>,
}

/// Four nodes A…D, no bias, no activation, every weight 1.
impl Default for Builder {
    fn default() -> Self {
        Self {
            names: letters().take(4).collect(),
            biased: Vec::new(),
            all_biased: false,
            activations: Vec::new(),
            seed: None,
        }
    }
}

impl Builder {
    /// The nodes' names, input first. A name is a letter followed by letters, digits and underscores.
    pub fn nodes(mut self, names: impl IntoIterator<Item: Into<String>>) -> Self {
        self.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// Nodes named A, B, C, … in the order of the alphabet.
    ///
    /// # Errors
    /// [`Error::TooManyLetters`] beyond 26.
    ///
    /// ```
    /// let chain = nn::Chain::builder().letters(26)?.build()?;
    /// assert_eq!(chain.nodes().last(), Some("Z"));
    /// # Ok::<(), nn::Error>(())
    /// ```
    pub fn letters(self, count: usize) -> Result<Self, Error> {
        if count > letters().count() {
            return Err(Error::TooManyLetters { count });
        }
        Ok(self.nodes(letters().take(count)))
    }

    /// Gives a node a bias, which starts at 0.
    pub fn bias(mut self, node: impl Into<String>) -> Self {
        self.biased.push(node.into());
        self
    }

    /// Gives every node but the input a bias.
    pub fn biases(mut self) -> Self {
        self.all_biased = true;
        self
    }

    /// Gives a node an activation. The last one given counts.
    pub fn activation(mut self, node: impl Into<String>, activation: Activation) -> Self {
        self.activations.push((node.into(), activation));
        self
    }

    /// Draws the initial weights, as [`Chain::restart`] does. Without a seed every weight is 1.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The chain.
    ///
    /// # Errors
    /// [`Error::TooFewNodes`], [`Error::InvalidName`] and [`Error::DuplicateName`] for the names;
    /// [`Error::UnknownNode`] and [`Error::InputNode`] for a bias or an activation of a node that cannot have it.
    pub fn build(self) -> Result<Chain, Error> {
        let mut nodes = plain_nodes(&self.names)?;
        let input = &self.names[0];
        for name in &self.biased {
            node_mut(&mut nodes, input, name)?.biased = true;
        }
        for (name, activation) in &self.activations {
            node_mut(&mut nodes, input, name)?.activation = *activation;
        }
        if self.all_biased {
            nodes.values_mut().for_each(|node| node.biased = true);
        }
        let parameters = Parameters {
            weights: edge_names(&self.names).map(|edge| (edge, 1.0)).collect(),
            biases: nodes
                .iter()
                .filter(|(_, node)| node.biased)
                .map(|(name, _)| (name.clone(), 0.0))
                .collect(),
        };
        let mut chain = Chain { input: input.clone(), nodes, parameters };
        if let Some(seed) = self.seed {
            chain.restart(seed);
        }
        Ok(chain)
    }
}

impl Chain {
    /// Draws the weights anew, the same for the same seed on every machine; biases return to 0.
    ///
    /// Magnitudes are between ½ and 3⁄2, with either sign: a chain multiplies its weights, so they must be neither so
    /// small that the product vanishes over many edges nor so large that it explodes.
    pub fn restart(&mut self, seed: u64) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        for weight in self.parameters.weights.values_mut() {
            let magnitude = random.random_range(0.5..1.5);
            *weight = if random.random_bool(0.5) { magnitude } else { -magnitude };
        }
        self.parameters.biases.values_mut().for_each(|bias| *bias = 0.0);
    }
}

fn letters() -> impl Iterator<Item = String> {
    ('A'..='Z').map(String::from)
}

/// The nodes after the input, by name.
fn plain_nodes(names: &[String]) -> Result<IndexMap<String, Node>, Error> {
    if names.len() < 2 {
        return Err(Error::TooFewNodes { count: names.len() });
    }
    let mut nodes = IndexMap::with_capacity(names.len() - 1);
    for (position, name) in names.iter().enumerate() {
        if !is_valid(name) {
            return Err(Error::InvalidName { name: name.clone() });
        }
        let is_again = nodes.contains_key(name) || (position > 0 && *name == names[0]);
        if is_again {
            return Err(Error::DuplicateName { name: name.clone() });
        }
        if position > 0 {
            nodes.insert(name.clone(), Node::default());
        }
    }
    Ok(nodes)
}

/// Arrows and subscripts are left to the names of edges and biases, so that those are unambiguous.
fn is_valid(name: &str) -> bool {
    let is_letter = |c: char| c.is_alphabetic();
    name.starts_with(is_letter)
        && name.chars().all(|c| is_letter(c) || c.is_ascii_digit() || c == '_')
}

fn node_mut<'a>(
    nodes: &'a mut IndexMap<String, Node>,
    input: &str,
    name: &str,
) -> Result<&'a mut Node, Error> {
    if name == input {
        return Err(Error::InputNode { name: name.to_owned() });
    }
    nodes.get_mut(name).ok_or_else(|| Error::UnknownNode { name: name.to_owned() })
}

/// `ab` as long as every name is one letter and no two differ in case only, otherwise `input->hidden`.
fn edge_names(names: &[String]) -> impl Iterator<Item = String> {
    let lower: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    let differ = lower.iter().collect::<HashSet<_>>().len() == names.len();
    let (names, separator) = if differ && names.iter().all(|name| is_single_letter(name)) {
        (lower, "")
    } else {
        (names.to_vec(), "->")
    };
    (1..names.len()).map(move |end| format!("{}{separator}{}", names[end - 1], names[end]))
}
