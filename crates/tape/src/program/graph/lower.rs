//! Pass for recorded derivatives: the rules for what is not finite are left out, and guards put in their place.
//!
//! A derivative that was recorded has products of the chain rule, in which an exact 0 wins over ∞ and NaN
//! ([`Op::Chain`]), and partials that are NaN for 0·∞ ([`Op::Cofactor`]). Both are plain products and plain numbers
//! where everything is finite, and only those are quick: they are added up in dot products, and found again where they
//! are computed twice. So a program runs the lowered graph. Where a number is not finite, a guard says so, and the graph
//! as it was recorded runs instead.
//!
//! **Why the guards suffice.** Take the first node at which the two graphs differ. It was a `chain` or a `cofactor` with an
//! operand that is 0, and another that is ∞ or NaN. Each such operand has a guard, or is handed on, by operations that
//! make ∞ or NaN of ∞ and NaN, to something that has one.

use crate::guard::{Comparison, Guard, Outcome};
use crate::op::Op;
use crate::program::graph::builder::{Passes, rebuilt};
use crate::program::graph::{Graph, Id};

/// The graph without the rules for what is not finite, and with guards. `None` where it has no such rules.
pub(crate) fn lower(graph: &Graph) -> Option<Graph> {
    let has_rules = |id| matches!(graph.op(id), Some(Op::Chain | Op::Cofactor));
    if !graph.ids().any(has_rules) {
        return None;
    }
    // A constant that is not finite keeps its rules; what comes to one must be seen to.
    let graph = &rebuilt(graph, Passes::FoldConstants);
    let has_rules = |id| matches!(graph.op(id), Some(Op::Chain | Op::Cofactor));
    let mut suspects: Vec<Id> = Vec::new();
    let mut lowered = graph.rewrite(|lowered, id, operands| {
        let is_infinite = |id: &Id| lowered.constant_value(*id).is_some_and(|x| !x.is_finite());
        if !has_rules(id) || operands.iter().any(is_infinite) {
            return graph.copy(lowered, id, operands);
        }
        suspects.extend(operands.iter().filter(|id| lowered.constant_value(**id).is_none()));
        match graph.op(id) {
            Some(Op::Chain) => lowered.push(Op::Mul, operands),
            _ => operands[1],
        }
    });
    let guarded = guarded(&lowered, &suspects);
    lowered.guards.extend(guarded.into_iter().map(|id| Guard {
        comparison: Comparison::IsFinite,
        operands: [id; 2],
        outcome: Outcome(1),
    }));
    Some(lowered)
}

/// The outputs, and of the suspects those that no guard of another node tells of.
fn guarded(graph: &Graph, suspects: &[Id]) -> Vec<Id> {
    let mut is_suspect = vec![false; graph.len()];
    for id in suspects {
        is_suspect[id.index()] = true;
    }
    let mut is_output = vec![false; graph.len()];
    for id in &graph.outputs {
        is_output[id.index()] = true;
    }
    let mut is_told = vec![false; graph.len()];
    let mut guarded: Vec<Id> = Vec::new();
    for id in graph.ids().rev() {
        if is_output[id.index()] || (is_suspect[id.index()] && !is_told[id.index()]) {
            guarded.push(id);
            is_told[id.index()] = true;
        }
        if is_told[id.index()]
            && let Some(op) = graph.op(id)
        {
            let operands = graph.operands(id);
            for operand in &operands[..handing_on(op, operands.len())] {
                is_told[operand.index()] = true;
            }
        }
    }
    guarded
}

/// How many of an operation's operands, from the first one on, are such that the result is ∞ or NaN wherever one of them is.
fn handing_on(op: Op, operands: usize) -> usize {
    match op {
        Op::Neg
        | Op::Add
        | Op::Sub
        | Op::Mul
        | Op::MulAdd
        | Op::Sum
        | Op::Dot
        | Op::Norm
        | Op::Hypot
        | Op::Abs
        | Op::Sqrt
        | Op::Cbrt
        | Op::Ln
        | Op::Ln1p
        | Op::Log2
        | Op::Log10
        | Op::Sin
        | Op::Cos
        | Op::Tan
        | Op::Sinh
        | Op::Cosh
        | Op::Asinh
        | Op::StopGradient => operands,
        Op::Div | Op::Rem => 1,
        _ => 0,
    }
}
