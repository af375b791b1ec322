//! The numbers that training changes, by name; and, in the same shape, the derivatives with respect to them.

use core::fmt;

use indexmap::IndexMap;

/// One number per edge and one per biased node: the parameters of a chain, or the derivatives with respect to them.
///
/// ```
/// use nn::Chain;
///
/// let chain = Chain::builder().bias("D").build()?;
/// assert_eq!(chain.parameters().to_string(), "ab = 1, bc = 1, cd = 1, d₀ = 0");
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters {
    /// By edge, first to last. For nodes of one letter an edge is named after its two ends in lower case (`ab`), for
    /// others with an arrow between (`input->hidden`).
    pub weights: IndexMap<String, f64>,
    /// By node, first to last; only nodes that have a bias.
    pub biases: IndexMap<String, f64>,
}

impl Parameters {
    /// All weights, then all biases, in order.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.weights.values().chain(self.biases.values()).copied()
    }

    /// The same names with other values, in the order of [`Parameters::values`].
    pub(crate) fn with_values(&self, values: &[f64]) -> Self {
        let mut parameters = self.clone();
        let slots = parameters.weights.values_mut().chain(parameters.biases.values_mut());
        for (slot, &value) in slots.zip(values) {
            *slot = value;
        }
        parameters
    }
}

/// `ab = 1, bc = 1, …`, then the biases as `b₀ = 0, …`. A precision applies to each number: `{:.3}`.
impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weights = self.weights.iter().map(|(edge, value)| (edge.clone(), value));
        let biases = self.biases.iter().map(|(node, value)| (bias_symbol(node), value));
        for (position, (symbol, value)) in weights.chain(biases).enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            write!(f, "{separator}{symbol} = ")?;
            value.fmt(f)?;
        }
        Ok(())
    }
}

/// How a bias is written in formulas: the node's weighted input when its source is 0.
pub(crate) fn bias_symbol(node: &str) -> String {
    let stem = if is_single_letter(node) { node.to_lowercase() } else { node.to_owned() };
    format!("{stem}₀")
}

/// Whether the name and its lower case are one character each.
pub(crate) fn is_single_letter(name: &str) -> bool {
    name.chars().count() == 1 && name.to_lowercase().chars().count() == 1
}
