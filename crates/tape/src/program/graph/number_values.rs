//! Pass: what is computed twice is computed once (global value numbering).

use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use crate::op::Op;
use crate::program::graph::{Graph, Id, Node};

/// What makes two nodes equal. Constants are equal when their bits are: −0 is not 0.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Input(u32),
    Constant(u64),
    Operation(Op, SmallVec<[Id; 3]>),
}

/// The graph without repetitions. The index of a key in the set *is* the number of its node.
pub(crate) fn number_values(graph: &Graph) -> Graph {
    let mut numbers: IndexSet<Key, FxBuildHasher> =
        (0..graph.inputs() as u32).map(Key::Input).collect();
    graph.rewrite(|numbered, id, operands| {
        let (number, is_fresh) = numbers.insert_full(key(graph.node(id), operands));
        if is_fresh {
            let appended = graph.copy(numbered, id, operands);
            debug_assert_eq!(appended.index(), number);
        }
        Id(number as u32)
    })
}

fn key(node: Node, operands: &[Id]) -> Key {
    match node {
        Node::Input(position) => Key::Input(position),
        Node::Constant(value) => Key::Constant(value.to_bits()),
        Node::Operation { op, .. } => {
            let mut operands = SmallVec::from_slice(operands);
            // These commute to the bit.
            if matches!(op, Op::Add | Op::Mul) {
                operands.sort_unstable();
            }
            Key::Operation(op, operands)
        }
    }
}
