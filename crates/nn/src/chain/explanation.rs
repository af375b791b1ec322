//! Backpropagation spelled out: what the sweep computes for one sample, as chain-rule products in symbols and numbers.

use core::fmt;

use tape::{Tape, Var};

use crate::chain::error::Error;
use crate::chain::parameters::bias_symbol;
use crate::chain::{Chain, Sample, check_samples, squared_error};

mod layout;
mod link;

use layout::rows;
pub(crate) use layout::{in_product, number};
use link::{Link, Operand};
pub(crate) use link::{derivative, weight_symbol};

/// How the loss of one sample depends on every parameter. `Display` prints all of it.
///
/// Adjoints and derivatives are those of one reverse sweep of the tape. Partials are computed again from the values, and
/// equal those of the tape. Printed numbers are rounded to six digits.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The sample explained.
    pub sample: Sample,
    /// (prediction − target)².
    pub loss: f64,
    /// How each node after the input came to its value, first to last.
    pub steps: Vec<Step>,
    /// The partials along the chain, last to first: ∂L/∂D, ∂D/∂C, ∂C/∂B. The products of its beginnings are the
    /// nodes' adjoints.
    pub path: Vec<Factor>,
    /// The derivative with respect to each parameter, last edge to first.
    pub terms: Vec<Term>,
    input: String,
    loss_symbol: &'static str,
}

/// How a node came to its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The node's name.
    pub node: String,
    /// In symbols: `cd·C + d₀`.
    pub formula: String,
    /// In numbers: `2 × 3 + 1`.
    pub numbers: String,
    /// The node's value.
    pub value: f64,
}

/// One factor of a chain-rule product.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    /// As a derivative: `∂D/∂C`.
    pub symbol: String,
    /// What that is in this chain: `cd`.
    pub formula: String,
    /// Its value.
    pub value: f64,
}

/// The derivative of the loss with respect to one parameter: a product of the path as far as the parameter's node, and
/// of a last factor of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The derivative in symbols: `∂L/∂bc`.
    pub symbol: String,
    /// How many factors of the path the product has.
    pub path_factors: usize,
    /// How many of its factors the sweep has multiplied before it comes to this term: those of the path, but for the
    /// first term none.
    pub reused_factors: usize,
    /// The product of the factors of the path, by the sweep: the adjoint of the parameter's node.
    pub adjoint: f64,
    /// The last factor: the partial of the parameter's node with respect to the parameter.
    pub own: Factor,
    /// The derivative, by the sweep.
    pub derivative: f64,
}

impl Chain {
    /// Explains the gradient of one sample's loss.
    ///
    /// # Errors
    /// [`Error::NonFiniteSample`].
    ///
    /// ```
    /// let explanation = nn::Chain::new().explain((3.0, 17.0).into())?;
    /// assert!(explanation.backward().contains("∂L/∂bc = [∂L/∂D·∂D/∂C]·∂C/∂bc"));
    /// # Ok::<(), nn::Error>(())
    /// ```
    pub fn explain(&self, sample: Sample) -> Result<Explanation, Error> {
        check_samples(&[sample])?;

        let tape = Tape::new();
        let parameters = tape.vars_from(&self.flat_parameters());
        let links = self.links(&parameters, Var::constant(sample.input));
        let last = &links[links.len() - 1];
        let loss = squared_error(last.value, &sample);
        let adjoints = tape.sweep(loss);

        let loss_symbol = self.loss_symbol();
        let mut path = vec![Factor {
            symbol: derivative(loss_symbol, last.end),
            formula: format!("2·({} - target)", last.end),
            value: adjoints.wrt(last.value),
        }];
        let mut terms = Vec::with_capacity(parameters.len());
        for (position, link) in links.iter().enumerate().rev() {
            for (parameter, own) in link.own_factors() {
                terms.push(Term {
                    symbol: derivative(loss_symbol, &parameter.symbol),
                    path_factors: path.len(),
                    reused_factors: if terms.is_empty() { 0 } else { path.len() },
                    adjoint: adjoints.wrt(link.value),
                    own,
                    derivative: adjoints.wrt(parameter.value),
                });
            }
            // The input is no parameter: nothing needs the partial with respect to it.
            if position > 0 {
                path.push(link.path_factor());
            }
        }
        Ok(Explanation {
            sample,
            loss: loss.value(),
            steps: links.iter().map(Link::step).collect(),
            path,
            terms,
            input: self.input.clone(),
            loss_symbol,
        })
    }

    fn links<'a>(&'a self, parameters: &'a [Var], input: Var) -> Vec<Link<'a>> {
        let names: Vec<&str> = self.nodes().collect();
        let mut source_value = input;
        let ends = names.windows(2).zip(self.weights().keys());
        ends.zip(self.steps(parameters))
            .map(|((ends, edge), (node, weight, bias))| {
                let value = node.value(weight, source_value, bias);
                let weight = Operand { symbol: weight_symbol(edge), value: weight };
                let bias = bias.map(|value| Operand { symbol: bias_symbol(ends[1]), value });
                let source = Operand { symbol: ends[0].to_owned(), value: source_value };
                source_value = value;
                Link { end: ends[1], node, source, weight, bias, value }
            })
            .collect()
    }

    /// A symbol for the loss that is no node's name: `L` is one in A…Z.
    pub(crate) fn loss_symbol(&self) -> &'static str {
        let is_free = |symbol: &&str| self.nodes().all(|node| node != *symbol);
        ["L", "Loss"].into_iter().find(is_free).unwrap_or("the loss")
    }
}

impl Explanation {
    /// The forward values, in symbols and numbers, a line each.
    pub fn forward(&self) -> String {
        let input = vec![self.input.clone(), number(self.sample.input)];
        let steps = self.steps.iter().map(|step| {
            vec![step.node.clone(), step.formula.clone(), step.numbers.clone(), number(step.value)]
        });
        let output = &self.steps[self.steps.len() - 1];
        let loss = vec![
            self.loss_symbol.to_owned(),
            format!("({} - target)²", output.node),
            format!("({} - {})²", number(output.value), in_product(self.sample.target)),
            number(self.loss),
        ];
        rows([input].into_iter().chain(steps).chain([loss]))
    }

    /// The partial of each node with respect to its parameters and its source, a line each, in the order in which the
    /// sweep needs them.
    pub fn partials(&self) -> String {
        let mut path = self.path.iter();
        let mut shown = 0;
        let factors = self.terms.iter().flat_map(|term| {
            let fresh = term.path_factors - shown;
            shown = term.path_factors;
            path.by_ref().take(fresh).chain([&term.own]).collect::<Vec<_>>()
        });
        rows(factors.map(|factor| {
            vec![factor.symbol.clone(), factor.formula.clone(), number(factor.value)]
        }))
    }

    /// The derivative with respect to each parameter, last edge to first, as a product in symbols and numbers, a line
    /// each; what a line reuses of those above stands in brackets.
    pub fn backward(&self) -> String {
        let symbols: Vec<_> = self.path.iter().map(|factor| factor.symbol.clone()).collect();
        let mut numbers: Vec<_> = self.path.iter().map(|factor| in_product(factor.value)).collect();
        numbers[0] = number(self.path[0].value);
        rows(self.terms.iter().map(|term| {
            let adjoint = match term.path_factors {
                1 => String::new(),
                _ => format!(" = {}", number(term.adjoint)),
            };
            vec![
                term.symbol.clone(),
                term.product(&symbols, "·", "", &term.own.symbol),
                term.product(&numbers, " × ", &adjoint, &in_product(term.own.value)),
                number(term.derivative),
            ]
        }))
    }
}

impl Term {
    /// How many factors the product has.
    pub fn factors(&self) -> usize {
        self.path_factors + 1
    }

    /// The factors as text, those that are reused in brackets together with their product.
    fn product(&self, path: &[String], times: &str, adjoint: &str, own: &str) -> String {
        let path = elided(&path[..self.path_factors]).join(times);
        if self.reused_factors == 0 {
            format!("{path}{times}{own}")
        } else {
            format!("[{path}{adjoint}]{times}{own}")
        }
    }
}

/// Long paths are cut in the middle: the lines above show what is missing.
fn elided(path: &[String]) -> Vec<&str> {
    const LONGEST: usize = 4;
    match path {
        [first, second, .., last] if path.len() > LONGEST => vec![first, second, "…", last],
        _ => path.iter().map(String::as_str).collect(),
    }
}

/// [`Explanation::forward`], [`Explanation::partials`] and [`Explanation::backward`], under headings.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Forward\n{}", self.forward())?;
        writeln!(f, "Partials\n{}", self.partials())?;
        writeln!(f, "Backward, last edge to first\n{}", self.backward())?;
        write!(
            f,
            "[ ] is reused, not computed again: the adjoint of the edge's end, one multiplication from the one before"
        )
    }
}
