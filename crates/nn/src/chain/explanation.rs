//! Backpropagation spelled out: what the sweep computes for one sample, as chain-rule products in symbols and numbers.

use core::fmt;

use tape::{Op, Tape, Var};

use crate::Activation;
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
    /// What f′ means for each activation f, a line each.
    pub(crate) slopes: Vec<String>,
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
            slopes: self.slopes(),
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

    fn slopes(&self) -> Vec<String> {
        let mut slopes: Vec<String> = Vec::new();
        for node in self.nodes.values() {
            let slope = match node.activation {
                Activation::Identity => continue,
                Activation::Operation(Op::Sin) => {
                    "sin′ is the slope of the sine at the number in parentheses: its cosine, in radians (a full turn is 2π)."
                        .to_owned()
                }
                f => format!("{f}′ is the slope of {f} at the number in parentheses."),
            };
            if !slopes.contains(&slope) {
                slopes.push(slope);
            }
        }
        slopes
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
    /// each. What a line hands on stands in brackets: in symbols the whole product, in numbers the bracket of the line
    /// before times one factor. So each × is one multiplication.
    pub fn backward(&self) -> String {
        let symbols: Vec<_> = self.path.iter().map(|factor| factor.symbol.clone()).collect();
        let mut handed_on = (1, self.path[0].value);
        rows(self.terms.iter().map(|term| {
            let adjoint = number(term.adjoint);
            let bracket = if term.reused_factors == 0 {
                adjoint
            } else if term.path_factors == handed_on.0 {
                format!("[{adjoint}]")
            } else {
                let factor = in_product(self.path[term.path_factors - 1].value);
                format!("[{} × {factor} = {adjoint}]", number(handed_on.1))
            };
            handed_on = (term.path_factors, term.adjoint);
            vec![
                term.symbol.clone(),
                term.product(&symbols),
                format!("{bracket} × {}", in_product(term.own.value)),
                number(term.derivative),
            ]
        }))
    }

    /// What the brackets of [`Explanation::backward`] are.
    fn brackets(&self) -> String {
        let bias = self.terms.windows(2).find(|two| two[0].path_factors == two[1].path_factors);
        let how = match bias {
            None => "It is that of the line before, times one factor.".to_owned(),
            Some(two) => format!(
                "In the line of a weight it is that of the line before, times one factor. In the line of a bias, such as {}, it \
                 is the same as in the line before.",
                two[1].symbol
            ),
        };
        format!("[ ] is the adjoint of the node at the edge's end. It is not computed again. {how}")
    }

    /// How many multiplications all derivatives take.
    ///
    /// ```
    /// let alphabet = nn::Chain::builder().letters(26)?.build()?;
    /// let count = alphabet.explain((3.0, 17.0).into())?.multiplications();
    /// assert_eq!((count.sweep, count.alone), (49, 325));
    /// # Ok::<(), nn::Error>(())
    /// ```
    pub fn multiplications(&self) -> Multiplications {
        Multiplications {
            sweep: self.terms.len() + self.path.len() - 1,
            alone: self.terms.iter().map(|term| term.path_factors).sum(),
        }
    }
}

/// How many multiplications the derivatives with respect to all parameters take.
///
/// The factors (the partials) are given: both ways need the same ones. A product of k factors takes k − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Multiplications {
    /// By the sweep: one for each parameter, and one for each adjoint that is handed back along an edge. Of n edges
    /// without biases, n + (n − 1) = 2n − 1.
    pub sweep: usize,
    /// If each derivative were multiplied out on its own: 1 for the last edge, 2 for the one before, … Of n edges
    /// without biases, n(n + 1)/2. Forward mode, with one pass for each parameter, takes as many.
    pub alone: usize,
}

impl Term {
    /// How many factors the product has.
    pub fn factors(&self) -> usize {
        self.path_factors + 1
    }

    /// The symbols of the factors, those that are reused in brackets.
    fn product(&self, path: &[String]) -> String {
        let path = elided(&path[..self.path_factors]).join("·");
        let own = &self.own.symbol;
        if self.reused_factors == 0 { format!("{path}·{own}") } else { format!("[{path}]·{own}") }
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

/// [`Explanation::forward`], [`Explanation::partials`] and [`Explanation::backward`], under headings, and the count of
/// multiplications.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Multiplications { sweep, alone } = self.multiplications();
        writeln!(f, "Forward\n{}", self.forward())?;
        writeln!(f, "Partials\n{}", self.partials())?;
        for slope in &self.slopes {
            writeln!(f, "{slope}")?;
        }
        if !self.slopes.is_empty() {
            writeln!(f)?;
        }
        writeln!(f, "Backward, last edge to first\n{}", self.backward())?;
        if self.terms.len() > 1 {
            writeln!(f, "{}", self.brackets())?;
        }
        write!(
            f,
            "Each × under Backward is one multiplication: {sweep}. Each derivative multiplied out on its own: {alone}."
        )
    }
}
