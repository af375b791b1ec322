//! What the stepper on a chain's page shows: the steps of the forward pass and of the reverse sweep, and their numbers.

use serde::Serialize;
use tape::Dual;

use super::list::List;
use crate::Explanation;
use crate::chain::error::Error;
use crate::chain::explanation::{derivative, in_product, number};
use crate::chain::{Chain, Multiplications, Nudge, Sample, squared_error};

/// What is the same for every sample and all parameters.
#[derive(Serialize)]
pub(super) struct Script {
    /// The nodes' names, input first.
    pub(super) nodes: Vec<String>,
    /// What each node does after weighting: empty for nothing, otherwise the activation's name.
    activations: Vec<String>,
    loss: &'static str,
    rows: Vec<RowText>,
    links: Vec<LinkRows>,
    /// The partials along the path, last to first.
    path: Vec<FactorText>,
    steps: Vec<Step>,
    /// The parameters as formulas write them, with their rows: weights, then biases.
    parameters: Vec<(String, usize)>,
    /// What the first edge shows about reuse.
    point: String,
    /// Where a number goes in twice and the sweep adds, a sentence.
    twice: String,
    /// What f′ means for each activation f.
    slopes: String,
    /// How many multiplications all derivatives take: by the sweep, and each on its own.
    multiplications: [usize; 2],
    /// How many passes forward mode takes, a sentence.
    passes: String,
}

#[derive(Serialize)]
struct RowText {
    number: String,
    name: String,
    operation: String,
    /// The arguments with respect to which there are partials.
    arguments: Vec<String>,
}

#[derive(Serialize)]
struct LinkRows {
    weight: usize,
    bias: Option<usize>,
    /// The row of the node at the end.
    node: usize,
}

#[derive(Serialize)]
struct FactorText {
    symbol: String,
    formula: String,
}

/// One step of the stepper. `Start` has computed nothing.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Step {
    Start {},
    /// A node gets its value, or the loss.
    Forward {
        symbol: String,
        formula: String,
        /// The rows that get their value; the last one is the node.
        rows: Vec<usize>,
        /// Place among the nodes; the loss is behind the last one.
        node: usize,
    },
    /// The adjoint of the last node, from which the sweep starts.
    Seed {
        symbol: String,
        formula: String,
        rows: Vec<usize>,
        node: usize,
    },
    /// The derivative with respect to a parameter.
    Derivative(Product),
    /// The adjoint of a node, handed back along an edge.
    Adjoint(Product),
}

/// The step of a product of factors: those of the path so far, and a last one.
#[derive(Serialize)]
struct Product {
    symbol: String,
    /// How many factors of the path come before the last factor.
    path: usize,
    /// How many of the factors have been multiplied before.
    reused: usize,
    own: FactorText,
    /// The rows that get their adjoint; the last one is that of the result.
    rows: Vec<usize>,
    /// The row whose adjoint is the product of the factors before the last.
    from: usize,
    /// The edge that is walked, by the place of the node at its end.
    link: usize,
    /// Whether the parameter is a bias.
    bias: bool,
    /// How many multiplications the sweep has made after this step, and how many there would have been if each
    /// derivative had been multiplied out on its own.
    done: usize,
    alone: usize,
}

impl Script {
    /// The steps for the chain. They do not depend on the sample.
    pub(super) fn new(chain: &Chain, sample: Sample) -> Result<Self, Error> {
        let explanation = chain.explain(sample)?;
        let list = List::record(chain, sample);
        let count = explanation.multiplications();
        let nodes: Vec<String> = chain.nodes().map(str::to_owned).collect();
        let activation = |activation: crate::Activation| match activation {
            crate::Activation::Identity => String::new(),
            activation => activation.to_string(),
        };
        let activations = chain.nodes.values().map(|node| activation(node.activation));
        let links = list.links.iter().map(|link| LinkRows {
            weight: link.weight,
            bias: link.bias,
            node: *link.operations.last().expect("a node has an operation"),
        });
        let mut steps = vec![Step::Start {}];
        steps.extend(forward_steps(&nodes, &explanation, &list));
        steps.extend(reverse_steps(&nodes, &explanation, &list));
        Ok(Self {
            activations: [String::new()].into_iter().chain(activations).collect(),
            loss: chain.loss_symbol(),
            links: links.collect(),
            path: explanation.path.iter().map(FactorText::from).collect(),
            parameters: chain.symbols().into_iter().enumerate().map(|(i, s)| (s, i + 1)).collect(),
            point: point(&nodes, &explanation),
            twice: twice(&list),
            slopes: explanation.slopes.join(" "),
            multiplications: [count.sweep, count.alone],
            passes: passes(chain.symbols().len(), count),
            steps,
            rows: list.rows.into_iter().map(RowText::from).collect(),
            nodes,
        })
    }
}

fn forward_steps(nodes: &[String], explanation: &Explanation, list: &List) -> Vec<Step> {
    let node_steps = explanation.steps.iter().zip(&list.links).enumerate();
    let mut steps: Vec<Step> = node_steps
        .map(|(position, (step, link))| Step::Forward {
            symbol: step.node.clone(),
            formula: step.formula.clone(),
            rows: link.operations.clone(),
            node: position + 1,
        })
        .collect();
    let loss = list.error + 1;
    steps.push(Step::Forward {
        symbol: list.rows[loss].name.clone(),
        formula: format!("({} − target)²", nodes[nodes.len() - 1]),
        rows: vec![list.error, loss],
        node: nodes.len(),
    });
    steps
}

fn reverse_steps(nodes: &[String], explanation: &Explanation, list: &List) -> Vec<Step> {
    let loss = list.error + 1;
    let node_row = |link: usize| list.links[link].operations[list.links[link].operations.len() - 1];
    let last = list.links.len() - 1;
    let first_factor = FactorText::from(&explanation.path[0]);
    let mut steps = vec![Step::Seed {
        symbol: first_factor.symbol,
        formula: first_factor.formula,
        rows: vec![loss, list.error, node_row(last)],
        node: nodes.len() - 1,
    }];
    let (mut done, mut alone) = (0, 0);
    let mut terms = explanation.terms.iter();
    for (position, link) in list.links.iter().enumerate().rev() {
        // Within a node the sweep passes its operations on the way to what they are made of.
        let mut passed: Vec<usize> = link.operations.iter().rev().skip(1).copied().collect();
        for row in [Some(link.weight), link.bias].into_iter().flatten() {
            let term = terms.next().expect("there is a term for each parameter");
            done += 1;
            alone += term.path_factors;
            steps.push(Step::Derivative(Product {
                symbol: term.symbol.clone(),
                path: term.path_factors,
                reused: term.reused_factors,
                own: FactorText::from(&term.own),
                rows: core::mem::take(&mut passed).into_iter().chain([row]).collect(),
                from: node_row(position),
                link: position + 1,
                bias: Some(row) == link.bias,
                done,
                alone,
            }));
        }
        if position > 0 {
            let path = list.links.len() - position;
            done += 1;
            steps.push(Step::Adjoint(Product {
                symbol: derivative(&list.rows[loss].name, &nodes[position]),
                path,
                reused: path,
                own: FactorText::from(&explanation.path[path]),
                rows: vec![node_row(position - 1)],
                from: node_row(position),
                link: position + 1,
                bias: false,
                done,
                alone,
            }));
        }
    }
    steps
}

/// What the edge farthest from the loss costs.
fn point(nodes: &[String], explanation: &Explanation) -> String {
    let own = |term: &&crate::Term| term.path_factors == nodes.len() - 1;
    let first = explanation.terms.iter().find(own).expect("the first edge has a term");
    if nodes.len() == 2 {
        return format!(
            "With one edge there is nothing to reuse yet: {} is a product of {} factors. Every edge before it would \
             cost two multiplications, however long the chain.",
            first.symbol,
            first.factors()
        );
    }
    let adjoint = derivative(
        explanation.path[0].symbol.trim_start_matches('∂').split('/').next().unwrap_or_default(),
        &nodes[1],
    );
    format!(
        "{} is a product of {} factors. When the sweep arrives there, {} of them are multiplied already: they are \
         {adjoint}. Even the first edge of the chain costs only one \
         multiplication more.",
        first.symbol,
        first.factors(),
        first.reused_factors,
    )
}

/// The loss is the error times itself: the one place of a chain where the sweep adds.
fn twice(list: &List) -> String {
    let (error, loss) = (&list.rows[list.error], &list.rows[list.error + 1]);
    format!(
        "{} = {} hands two products back to {}, and the adjoint of {} is their sum.",
        loss.name, loss.operation, error.number, error.number
    )
}

/// What both modes cost for this chain.
fn passes(parameters: usize, count: Multiplications) -> String {
    let Multiplications { sweep, alone } = count;
    if parameters == 1 {
        return "With one parameter both modes need one pass and the same multiplication."
            .to_owned();
    }
    format!(
        "Reverse mode gets all {parameters} derivatives from one pass, with {sweep} multiplications. Forward mode needs a pass \
         for each parameter, {parameters} passes with {alone} multiplications together."
    )
}

/// How much each node after the input and then the loss change with the first weight: forward mode, one pass.
fn tangents(chain: &Chain, sample: Sample) -> Vec<f64> {
    let parameters = chain.flat_parameters().into_iter().enumerate();
    let seeded =
        |(index, value): (usize, f64)| Dual::new(value, if index == 0 { 1.0 } else { 0.0 });
    let parameters: Vec<Dual> = parameters.map(seeded).collect();
    let mut value = Dual::constant(sample.input);
    let mut tangents = Vec::with_capacity(chain.nodes.len() + 1);
    for (node, weight, bias) in chain.steps(&parameters) {
        value = node.value(weight, value, bias);
        tangents.push(value.tangent);
    }
    tangents.push(squared_error(value, &sample).tangent);
    tangents
}

/// The numbers of one sample at given parameters, in the order of the script's texts.
#[derive(Serialize)]
pub(super) struct Numbers {
    /// Each node after the input, and the loss, in numbers: `2 × 3`.
    forward: Vec<String>,
    values: Vec<f64>,
    partials: Vec<Vec<f64>>,
    adjoints: Vec<Option<f64>>,
    path: Vec<f64>,
    /// The last factors of the derivatives, in the order of their steps.
    own: Vec<f64>,
    /// Of each node after the input and of the loss, the derivative with respect to the first weight.
    tangents: Vec<f64>,
    nudges: Vec<NudgeNumbers>,
}

/// The check of a parameter's derivative.
#[derive(Serialize)]
struct NudgeNumbers {
    /// By 0.01; and where that does not agree with the derivative, by the largest power of ten that does. Of each: by how
    /// much the parameter is larger, the loss then, how much that is more, and what the derivative says.
    checks: Vec<[f64; 4]>,
    /// Whether the last one agrees.
    agrees: bool,
}

impl From<(Nudge, Option<Nudge>)> for NudgeNumbers {
    fn from((first, agreeing): (Nudge, Option<Nudge>)) -> Self {
        let agrees = agreeing.is_some();
        let smaller = agreeing.filter(|nudge| nudge.by < first.by);
        let numbers = |n: Nudge| [n.by, n.loss[1], n.change(), n.predicted()];
        Self { checks: [Some(first), smaller].into_iter().flatten().map(numbers).collect(), agrees }
    }
}

impl Numbers {
    pub(super) fn new(chain: &Chain, sample: Sample) -> Result<Self, Error> {
        let explanation = chain.explain(sample)?;
        let List { rows, .. } = List::record(chain, sample);
        let output = explanation.steps[explanation.steps.len() - 1].value;
        let loss = format!("({} − {})²", number(output), in_product(sample.target));
        let forward = explanation.steps.iter().map(|step| step.numbers.clone());
        Ok(Self {
            forward: forward.chain([loss]).collect(),
            values: rows.iter().map(|row| row.value).collect(),
            partials: rows
                .iter()
                .map(|row| row.partials.iter().map(|(_, partial)| *partial).collect())
                .collect(),
            adjoints: rows.iter().map(|row| row.adjoint).collect(),
            path: explanation.path.iter().map(|factor| factor.value).collect(),
            own: explanation.terms.iter().map(|term| term.own.value).collect(),
            tangents: tangents(chain, sample),
            nudges: chain.nudges(sample)?.into_iter().map(NudgeNumbers::from).collect(),
        })
    }

    /// About how many numbers there are for a chain, a sample and a snapshot.
    pub(super) fn count(script: &Script) -> usize {
        6 * script.rows.len()
    }
}

impl From<&crate::Factor> for FactorText {
    fn from(factor: &crate::Factor) -> Self {
        Self { symbol: factor.symbol.clone(), formula: factor.formula.replace(" - ", " − ") }
    }
}

impl From<super::list::Row> for RowText {
    fn from(row: super::list::Row) -> Self {
        let arguments = row.partials.into_iter().map(|(argument, _)| argument).collect();
        Self { number: row.number, name: row.name, operation: row.operation, arguments }
    }
}
