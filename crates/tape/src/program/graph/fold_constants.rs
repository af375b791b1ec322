//! Pass: an operation on constants becomes its value.

use smallvec::SmallVec;

use crate::op::Op;
use crate::program::graph::{Graph, Id};

/// The graph with every operation that depends on no input computed, and every `select` by a constant decided.
pub(crate) fn fold_constants(graph: &Graph) -> Graph {
    graph.rewrite(|folded, id, operands| fold(graph, folded, id, operands))
}

fn fold(graph: &Graph, folded: &mut Graph, id: Id, operands: &[Id]) -> Id {
    let Some(op) = graph.op(id) else { return graph.copy(folded, id, operands) };
    push_folded(folded, op, operands)
}

/// Appends the operation, or the constant that it comes to.
pub(crate) fn push_folded(folded: &mut Graph, op: Op, operands: &[Id]) -> Id {
    if op == Op::Select
        && let Some(condition) = folded.constant_value(operands[0])
    {
        return if condition > 0.0 { operands[1] } else { operands[2] };
    }
    let values: Option<SmallVec<[f64; 8]>> =
        operands.iter().map(|&operand| folded.constant_value(operand)).collect();
    match values {
        Some(values) => folded.constant(op.evaluate(&values)),
        None => folded.push(op, operands),
    }
}
