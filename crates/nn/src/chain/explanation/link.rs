//! One edge of the chain with the node at its end, as symbols, numbers and partials.

use tape::Var;

use super::layout::{in_product, number};
use super::{Factor, Step};
use crate::Activation;
use crate::chain::Node;

/// An edge and the node at its end.
pub(super) struct Link<'a> {
    pub(super) end: &'a str,
    pub(super) node: &'a Node,
    pub(super) source: Operand,
    pub(super) weight: Operand,
    pub(super) bias: Option<Operand>,
    /// The value of the node at the end.
    pub(super) value: Var,
}

/// What goes into a node.
pub(super) struct Operand {
    pub(super) symbol: String,
    pub(super) value: Var,
}

impl Link<'_> {
    pub(super) fn step(&self) -> Step {
        Step {
            node: self.end.to_owned(),
            formula: self.activated(&self.weighted()),
            numbers: self.activated(&self.weighted_numbers()),
            value: self.value.value(),
        }
    }

    /// Each parameter of the link, with the partial of the node with respect to it.
    pub(super) fn own_factors(&self) -> impl Iterator<Item = (&Operand, Factor)> {
        let [by_weight, _, by_bias] = self.partials();
        let weight = (&self.weight, self.factor(&self.weight, &self.source.symbol, by_weight));
        let bias = self.bias.as_ref().map(|bias| (bias, self.factor(bias, "", by_bias)));
        core::iter::once(weight).chain(bias)
    }

    /// The partial of the node with respect to its source.
    pub(super) fn path_factor(&self) -> Factor {
        let [_, by_source, _] = self.partials();
        self.factor(&self.source, &self.weight.symbol, by_source)
    }

    /// The partials with respect to weight, source and bias, computed again from the values.
    fn partials(&self) -> [f64; 3] {
        let bias = self.bias.as_ref().map_or(0.0, |bias| bias.value.value());
        let operands = [self.weight.value.value(), self.source.value.value(), bias];
        let node = |x: &[Var]| self.node.value(x[0], x[1], self.bias.as_ref().map(|_| x[2]));
        let (_, partials) = tape::gradient(node, &operands);
        [partials[0], partials[1], partials[2]]
    }

    /// The partial with respect to an operand, which the weighted input contains times `cofactor`.
    fn factor(&self, operand: &Operand, cofactor: &str, value: f64) -> Factor {
        let formula = match (self.node.activation, cofactor) {
            (Activation::Identity, "") => "1".to_owned(),
            (Activation::Identity, _) => cofactor.to_owned(),
            (activation, _) => {
                let times = if cofactor.is_empty() { "" } else { "·" };
                format!("{activation}′({}){times}{cofactor}", self.weighted())
            }
        };
        Factor { symbol: derivative(self.end, &operand.symbol), formula, value }
    }

    fn activated(&self, weighted: &str) -> String {
        match self.node.activation {
            Activation::Identity => weighted.to_owned(),
            activation => format!("{activation}({weighted})"),
        }
    }

    fn weighted(&self) -> String {
        let product = format!("{}·{}", self.weight.symbol, self.source.symbol);
        self.bias.as_ref().map_or(product.clone(), |bias| format!("{product} + {}", bias.symbol))
    }

    fn weighted_numbers(&self) -> String {
        let weight = number(self.weight.value.value());
        let product = format!("{weight} × {}", in_product(self.source.value.value()));
        self.bias.as_ref().map_or(product.clone(), |bias| {
            format!("{product} + {}", in_product(bias.value.value()))
        })
    }
}

pub(crate) fn derivative(of: &str, with_respect_to: &str) -> String {
    format!("∂{of}/∂{with_respect_to}")
}

/// The name of an edge, in parentheses where its arrow could be misread in a product.
pub(crate) fn weight_symbol(edge: &str) -> String {
    if edge.contains("->") { format!("({edge})") } else { edge.to_owned() }
}
