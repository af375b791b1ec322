//! A program made visible: its operations in order, with what they are computed from.

use core::fmt::{self, Debug, Display};

use crate::program::Program;
use crate::program::graph::{Call, Graph, Id, Node};

/// The operations in order, each with a name, then guards and outputs.
///
/// Inputs are `x0`, `x1`, …; constants stand where they are used. A [`dot`](crate::dot) of an odd number of arguments
/// adds its products to the first one.
///
/// ```
/// let program = tape::Program::trace(|x| (x[0] * x[1] + x[2]).exp() * 1.0, &[1.0, 2.0, 3.0])?;
/// assert_eq!(program.to_string(), "\
/// v0 = x2 + x0 * x1
/// v1 = exp(v0)
/// return v1
/// ");
/// # Ok::<(), tape::Error>(())
/// ```
impl Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.graph, f)
    }
}

impl Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("inputs", &self.inputs())
            .field("outputs", &self.outputs())
            .field("recorded nodes", &self.recorded.nodes)
            .field("operations", &self.len())
            .field("steps", &(self.code.steps.len() + self.code.singles.len()))
            .field("guards", &self.guards())
            .finish_non_exhaustive()
    }
}

impl Program {
    /// A guard as the program's display writes it.
    pub(crate) fn condition(&self, guard: usize) -> String {
        let names = Names::new(&self.graph);
        self.graph.guards[guard].map(|id| names.of(id)).to_string()
    }
}

/// What nodes are called.
struct Names<'a> {
    graph: &'a Graph,
    numbers: Vec<u32>,
}

impl<'a> Names<'a> {
    fn new(graph: &'a Graph) -> Self {
        let mut next = 0;
        let numbers = graph.ids().map(|id| {
            let number = next;
            next += u32::from(graph.op(id).is_some() || graph.call(id).is_some());
            number
        });
        Self { graph, numbers: numbers.collect() }
    }

    fn of(&self, id: Id) -> String {
        match self.graph.node(id) {
            Node::Input(position) => format!("x{position}"),
            Node::Constant(value) => value.to_string(),
            Node::Operation { .. } | Node::Call { .. } => {
                format!("v{}", self.numbers[id.index()])
            }
            Node::Result { .. } => {
                let Some((call, position)) = self.graph.result(id) else {
                    unreachable!("it is one")
                };
                let call_name = self.of(call);
                match self.graph.call(call) {
                    Some(Call { outputs: 2.., .. }) => format!("{call_name}[{position}]"),
                    _ => call_name,
                }
            }
        }
    }
}

impl Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Names::new(self);
        for id in self.ids() {
            let operands =
                || self.operands(id).iter().map(|&operand| names.of(operand)).collect::<Vec<_>>();
            if let Some(call) = self.call(id) {
                let operands = operands().join(", ");
                writeln!(f, "{} = {}({operands})", names.of(id), call.operation.name())?;
            }
            let Some(op) = self.op(id) else { continue };
            let operands = operands();
            write!(f, "{} = ", names.of(id))?;
            match (op, op.symbol(), operands.as_slice()) {
                (_, Some(symbol), [x]) => writeln!(f, "{symbol}{x}")?,
                (_, Some(symbol), [x, y]) => writeln!(f, "{x} {symbol} {y}")?,
                (crate::Op::Sum, _, terms) => writeln!(f, "{}", terms.join(" + "))?,
                (crate::Op::Dot, _, operands) => {
                    let (start, pairs) = operands.split_at(operands.len() % 2);
                    let products =
                        pairs.chunks_exact(2).map(|pair| format!("{} * {}", pair[0], pair[1]));
                    let terms: Vec<String> = start.iter().cloned().chain(products).collect();
                    writeln!(f, "{}", terms.join(" + "))?;
                }
                _ => writeln!(f, "{}({})", op.name(), operands.join(", "))?,
            }
        }
        for guard in &self.guards {
            writeln!(f, "guard {}", guard.map(|id| names.of(id)))?;
        }
        let outputs: Vec<String> = self.outputs.iter().map(|&output| names.of(output)).collect();
        writeln!(f, "return {}", outputs.join(", "))
    }
}
