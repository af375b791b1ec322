//! From a graph to code: instances of one operation are found that can be computed in one step ([`Groups`]), and slots
//! given to their results ([`emit`]).

use crate::error::Error;
use crate::op::Op;
use crate::program::code::emit::emit;
use crate::program::code::groups::{Groups, Rows};
use crate::program::code::{Code, NONE};
use crate::program::graph::Graph;
use crate::program::graph::split_sums::split_sums;

/// The code of a graph. Inputs that `wanted` does not pick get no adjoints.
///
/// # Errors
/// When 32-bit slots do not suffice.
pub(crate) fn schedule(graph: &Graph, wanted: impl Fn(usize) -> bool) -> Result<Code, Error> {
    let active = active(graph, wanted);
    let sole_users = sole_users(graph);
    let groups = Groups::of_like_operations(graph, &active).in_chains(graph, &sole_users);
    emit(graph, &active, &groups, Some(sole_users))
}

/// As [`schedule`], for a machine that computes functions by vectors: small groups stay together.
///
/// # Errors
/// As [`schedule`].
pub(crate) fn schedule_together(
    graph: &Graph,
    wanted: impl Fn(usize) -> bool,
) -> Result<Code, Error> {
    let active = active(graph, wanted);
    let groups = Groups::of_like_operations(graph, &active).whole();
    emit(graph, &active, &groups, None)
}

/// Of every node, the operation that uses it, if there is one only; else [`NONE`].
fn sole_users(graph: &Graph) -> Vec<u32> {
    const MANY: u32 = NONE - 1;
    let mut users = vec![NONE; graph.len()];
    for id in graph.ids() {
        for operand in graph.operands(id) {
            let user = &mut users[operand.index()];
            *user = if *user == NONE || *user == id.0 { id.0 } else { MANY };
        }
    }
    for id in &graph.outputs {
        users[id.index()] = MANY;
    }
    for user in users.iter_mut().filter(|user| **user == MANY) {
        *user = NONE;
    }
    users
}

/// The nodes that need adjoints: on a way from an input that is wanted to an output.
fn active(graph: &Graph, wanted: impl Fn(usize) -> bool) -> Vec<bool> {
    let reaching = graph.needed_by(graph.outputs.iter().copied());
    let mut active = graph.varying_with(wanted);
    for (active, reaching) in active.iter_mut().zip(reaching) {
        *active &= reaching;
    }
    active
}

/// The code of a row's graph, whose first `shared` inputs are the same for all rows, for `lanes` rows at a time. Inputs
/// that `wanted` does not pick get no adjoints.
///
/// # Errors
/// When 32-bit slots do not suffice.
pub(crate) fn schedule_rows(
    graph: &Graph,
    shared: usize,
    wanted: impl Fn(usize) -> bool,
    lanes: u32,
) -> Result<Code, Error> {
    let graph = &*split_sums(graph);
    let active = active(graph, wanted);
    let groups = Groups::of_one_each(graph, Rows { count: lanes, shared });
    emit(graph, &active, &groups, None)
}

/// Which values the reverse sweep reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reads {
    pub(crate) operands: bool,
    pub(crate) result: bool,
}

/// What the partials of an operation are computed from. A test poisons what is not.
pub(crate) fn reads(op: Op) -> Reads {
    let (operands, result) = match op {
        Op::Neg | Op::Add | Op::Sub | Op::Sum | Op::Cofactor => (false, false),
        op if op.is_flat() => (false, false),
        Op::Mul | Op::Dot | Op::Select | Op::Chain | Op::Tip => (true, false),
        Op::Exp | Op::Exp2 | Op::Tan | Op::Sqrt | Op::Cbrt | Op::Recip | Op::Weight => {
            (false, true)
        }
        _ => (true, true),
    };
    Reads { operands, result }
}
