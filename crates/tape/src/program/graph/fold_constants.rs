//! Pass: an operation on constants becomes its value.

use smallvec::SmallVec;

use crate::op::Op;
use crate::program::graph::{Graph, Id};

/// What an operation is that need not be computed.
pub(crate) enum Folded {
    Constant(f64),
    /// One of its operands.
    Operand(Id),
}

/// What an operation on constants comes to, and a `select` by a constant.
#[inline]
pub(crate) fn folded(graph: &Graph, op: Op, operands: &[Id]) -> Option<Folded> {
    // Asked first, since the answer is mostly no.
    let first = graph.constant_value(operands[0])?;
    if op == Op::Select {
        return Some(Folded::Operand(if first > 0.0 { operands[1] } else { operands[2] }));
    }
    let is_constant = |&operand: &Id| graph.constant_value(operand).is_some();
    operands.iter().all(is_constant).then(|| Folded::Constant(value(graph, op, operands)))
}

#[cold]
fn value(graph: &Graph, op: Op, operands: &[Id]) -> f64 {
    let values = operands.iter().filter_map(|&operand| graph.constant_value(operand));
    op.evaluate(&values.collect::<SmallVec<[f64; 4]>>())
}
