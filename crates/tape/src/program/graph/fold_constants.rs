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
    if op == Op::Select
        && let Some(condition) = graph.constant_value(operands[0])
    {
        return Some(Folded::Operand(if condition > 0.0 { operands[1] } else { operands[2] }));
    }
    let mut values: SmallVec<[f64; 4]> = SmallVec::new();
    for &operand in operands {
        values.push(graph.constant_value(operand)?);
    }
    Some(Folded::Constant(op.evaluate(&values)))
}
