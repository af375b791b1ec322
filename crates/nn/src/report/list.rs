//! The Wengert list of one sample's loss: what the tape records, in symbols and numbers, with the sweep's adjoints.

use tape::{Tape, Var};

use crate::Activation;
use crate::chain::explanation::weight_symbol;
use crate::chain::parameters::bias_symbol;
use crate::chain::{Chain, Sample};

/// The rows of the list, after one for the input, which is a constant and on no tape.
pub(super) struct List {
    pub(super) rows: Vec<Row>,
    /// The rows of each link of the chain, first to last.
    pub(super) links: Vec<Link>,
    /// The row of the difference between output and target; the loss, its square, is the one after.
    pub(super) error: usize,
}

/// A recorded variable.
pub(super) struct Row {
    /// Its number on the tape, as `tape` prints it: `v7`. Empty for the input.
    pub(super) number: String,
    /// Its name in the chain, if it has one there.
    pub(super) name: String,
    /// What is recorded: `ab · A`, `input`.
    pub(super) operation: String,
    pub(super) value: f64,
    /// The recorded partials, each with the name of its argument.
    pub(super) partials: Vec<(String, f64)>,
    /// The derivative of the loss with respect to it. `None` for the input, a constant.
    pub(super) adjoint: Option<f64>,
}

/// Where an edge and the node at its end stand in the list.
pub(super) struct Link {
    pub(super) weight: usize,
    pub(super) bias: Option<usize>,
    /// The operations that make the node, in order: the last one is the node.
    pub(super) operations: Vec<usize>,
}

impl List {
    /// Records the loss of the sample, and sweeps from it.
    pub(super) fn record(chain: &Chain, sample: Sample) -> Self {
        let tape = Tape::new();
        let parameters = tape.vars_from(&chain.flat_parameters());
        let names: Vec<&str> = chain.nodes().collect();
        let mut recorder = Recorder::default();

        let mut source = recorder.leaf(names[0], "constant", Var::constant(sample.input));
        let weights = chain.weights().keys().map(|edge| weight_symbol(edge));
        let biases = chain.biases().keys().map(|node| bias_symbol(node));
        for (symbol, &parameter) in weights.chain(biases).zip(&parameters) {
            recorder.leaf(&symbol, "parameter", parameter);
        }

        let mut links = Vec::new();
        let mut weight = source;
        let mut biases = names.len()..;
        for (&name, node) in names[1..].iter().zip(chain.nodes.values()) {
            weight += 1;
            let first = recorder.rows.len();
            let bias = if node.biased { biases.next() } else { None };
            source = recorder.product(weight, source);
            if let Some(bias) = bias {
                let sum = |x: &[Var]| x[0] + x[1];
                source =
                    recorder.operation(|x| format!("{} + {}", x[0], x[1]), &[source, bias], sum);
            }
            if node.activation != Activation::Identity {
                let activation = node.activation;
                let activated = |x: &[Var]| activation.apply(x[0]);
                source =
                    recorder.operation(|x| format!("{activation}({})", x[0]), &[source], activated);
            }
            name.clone_into(&mut recorder.rows[source].name);
            links.push(Link { weight, bias, operations: (first..=source).collect() });
        }

        let difference = |x: &[Var]| x[0] - sample.target;
        let error = recorder.operation(|x| format!("{} − target", x[0]), &[source], difference);
        let loss = recorder.product(error, error);
        chain.loss_symbol().clone_into(&mut recorder.rows[loss].name);

        let adjoints = tape.sweep(recorder.variables[loss]);
        for (row, &variable) in recorder.rows.iter_mut().zip(&recorder.variables) {
            row.adjoint = (!variable.is_constant()).then(|| adjoints.wrt(variable));
        }
        Self { rows: recorder.rows, links, error }
    }
}

/// Keeps a row for everything that is recorded.
#[derive(Default)]
struct Recorder {
    rows: Vec<Row>,
    variables: Vec<Var>,
}

impl Recorder {
    fn leaf(&mut self, name: &str, kind: &str, variable: Var) -> usize {
        let row = self.push(kind.to_owned(), variable, Vec::new());
        name.clone_into(&mut self.rows[row].name);
        row
    }

    fn product(&mut self, a: usize, b: usize) -> usize {
        self.operation(|x| format!("{} · {}", x[0], x[1]), &[a, b], |x| x[0] * x[1])
    }

    /// Applies the operation to the variables of earlier rows. The partials are those that the tape records when it is
    /// recorded alone.
    fn operation(
        &mut self,
        symbols: impl Fn(&[&str]) -> String,
        arguments: &[usize],
        operation: impl Fn(&[Var]) -> Var,
    ) -> usize {
        let variables: Vec<Var> = arguments.iter().map(|&row| self.variables[row]).collect();
        let values: Vec<f64> = variables.iter().map(|variable| variable.value()).collect();
        let (_, partials) = tape::gradient(&operation, &values);
        let names: Vec<&str> = arguments.iter().map(|&row| self.rows[row].called()).collect();
        let partials = names
            .iter()
            .zip(partials)
            .zip(&variables)
            .filter(|(_, variable)| !variable.is_constant())
            .map(|((&name, partial), _)| (name.to_owned(), partial))
            .collect();
        self.push(symbols(&names), operation(&variables), partials)
    }

    fn push(&mut self, operation: String, variable: Var, partials: Vec<(String, f64)>) -> usize {
        // The input comes first and is on no tape, so that the number on the tape, from 1, is that of the row, from 0.
        let row = self.rows.len();
        let number = if variable.is_constant() { String::new() } else { format!("v{row}") };
        let (name, value) = (String::new(), variable.value());
        self.rows.push(Row { number, name, operation, value, partials, adjoint: None });
        self.variables.push(variable);
        row
    }
}

impl Row {
    /// How later rows refer to it.
    fn called(&self) -> &str {
        if self.name.is_empty() { &self.number } else { &self.name }
    }
}

#[cfg(test)]
mod tests {
    use tape::{Tape, Var};

    use super::List;
    use crate::Chain;
    use crate::chain::{Sample, squared_error};

    #[test]
    fn the_list_is_the_one_that_the_tape_prints() {
        let sample = Sample { input: 3.0, target: 17.0 };
        let builder = Chain::builder().biases().activation("B", "sin".parse().unwrap());
        let chain = builder.seed(4).build().unwrap();
        let list = List::record(&chain, sample);

        let tape = Tape::new();
        let parameters = tape.vars_from(&chain.flat_parameters());
        let output = chain
            .steps(&parameters)
            .fold(Var::constant(sample.input), |value, (node, weight, bias)| {
                node.value(weight, value, bias)
            });
        let printed = tape.show(squared_error(output, &sample)).to_string();
        assert_eq!(printed.lines().count(), list.rows.len());
        for (line, row) in printed.lines().zip(&list.rows).skip(1) {
            assert!(line.starts_with(&row.number), "{line}");
            let printed: Vec<f64> =
                line.split([' ', ',']).filter_map(|word| word.parse().ok()).collect();
            let partials = row.partials.iter().map(|(_, partial)| *partial);
            for number in [row.value, row.adjoint.unwrap()].into_iter().chain(partials) {
                let is_number = |printed: &f64| (printed - number).abs() <= 1e-4 * number.abs();
                assert!(printed.iter().any(is_number), "{number} is not in {line}");
            }
        }
    }
}
