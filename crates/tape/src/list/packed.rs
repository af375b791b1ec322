//! A recorded list in little room: what a replay needs of it, without the partials, and where code repeats itself in almost
//! no room at all.
//!
//! A loop records the same operations again and again, and their arguments move on by the same distance each time. So a node
//! is predicted from those one and two periods before: it is as the former, and its arguments have moved on as between the two.
//! How many nodes in a row are predicted right is a number; what stands between such rows is a node that was not, or another
//! period.
//!
//! Nodes are packed a piece at a time, and a piece can be read without those before it: they are read backwards, too.

use crate::leb128;
use crate::list::Node;
use crate::op::Op;

/// Nodes of `f64` that follow each other, and their operations, packed. They are those of whole operations.
pub(crate) struct Piece {
    /// The index of the first node.
    pub(crate) first: u32,
    pub(crate) count: u32,
    bytes: Box<[u8]>,
}

/// Packs pieces, with the room that it takes.
#[derive(Default)]
pub(crate) struct Packer {
    bytes: Vec<u8>,
    /// The latest place after some operations, by their hash; and for every place, the one before it after the same
    /// operations. Both and 1, so that 0 is none.
    latest: Vec<u32>,
    before: Vec<u32>,
}

/// How many former places are tried for another period.
const TRIED: usize = 8;

/// In place of an operation: another period follows.
const PERIOD: u8 = 127;
/// Beside an operation: both partials follow, whatever the arguments are.
const WITH_PARTIALS: u8 = 128;

const _: () = {
    assert!(Op::EVERY.len() <= PERIOD as usize, "operations leave room for what else a byte says");
    let mut place = 0;
    while place < Op::EVERY.len() {
        assert!(Op::EVERY[place] as usize == place, "operations are in order");
        place += 1;
    }
};

impl Packer {
    /// Packs whole operations; the first node has the index `first`.
    pub(crate) fn pack(&mut self, first: u32, nodes: &[Node<f64>], ops: &[Op]) -> Piece {
        const HASHES: u32 = 10;
        self.bytes.clear();
        self.latest.clear();
        self.latest.resize(1 << HASHES, 0);
        self.before.resize(nodes.len(), 0);
        let mut history = 0_u64;
        let (mut period, mut predicted) = (0, 0);
        // The end of the operation in hand, and whether it keeps its partials.
        let (mut end, mut has_partials) = (0, false);
        for (place, (node, &op)) in nodes.iter().zip(ops).enumerate() {
            if place == end {
                let last = place + ops[place..].iter().take_while(|op| **op == Op::Part).count();
                (end, has_partials) = (last + 1, ops[last] == Op::WeightedSum);
            }
            let is_predicted = |period: usize| {
                period > 0
                    && 2 * period <= place
                    && ops[place - period] == op
                    // The former part may be one of an operation that does not keep them.
                    && !(has_partials && op == Op::Part)
                    && is_next(nodes[place - 2 * period], nodes[place - period], node, has_partials)
            };
            history = history << 8 | op as u64;
            let hash = (history << 16).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - HASHES);
            let latest = core::mem::replace(&mut self.latest[hash as usize], place as u32 + 1);
            self.before[place] = latest;
            if is_predicted(period) {
                predicted += 1;
                continue;
            }
            leb128::write(&mut self.bytes, predicted);
            predicted = 0;
            let mut tried = latest;
            let periods = core::iter::from_fn(|| {
                let former = tried.checked_sub(1)? as usize;
                tried = self.before[former];
                Some(place - former)
            });
            if let Some(other) = periods.take(TRIED).find(|&period| is_predicted(period)) {
                period = other;
                self.bytes.push(PERIOD);
                leb128::write(&mut self.bytes, period as u64);
                predicted = 1;
            } else {
                write_node(&mut self.bytes, first + place as u32, node, op, has_partials);
            }
        }
        leb128::write(&mut self.bytes, predicted);
        Piece { first, count: nodes.len() as u32, bytes: self.bytes.as_slice().into() }
    }
}

impl Piece {
    /// Reads the nodes and their operations into room that is used again. Partials that were not packed may be anything.
    pub(crate) fn unpack(&self, nodes: &mut Vec<Node<f64>>, ops: &mut Vec<Op>) {
        nodes.clear();
        ops.clear();
        let count = self.count as usize;
        nodes.reserve(count);
        ops.reserve(count);
        let mut bytes = Bytes(&self.bytes);
        let mut period = 0;
        loop {
            for _ in 0..bytes.number() {
                let place = nodes.len();
                let (before, former) = (nodes[place - 2 * period], nodes[place - period]);
                nodes.push(Node { arguments: moved_on(before, former), ..former });
                ops.push(ops[place - period]);
            }
            if nodes.len() == count {
                return;
            }
            match bytes.next() {
                PERIOD => period = bytes.number() as usize,
                byte => {
                    let (node, op) = bytes.node(byte, self.first + nodes.len() as u32);
                    nodes.push(node);
                    ops.push(op);
                }
            }
        }
    }
}

/// The arguments of a node, from those one and two periods before.
#[inline]
fn moved_on(before: Node<f64>, former: Node<f64>) -> [u32; 2] {
    let on = |side: usize| {
        former.arguments[side]
            .wrapping_add(former.arguments[side])
            .wrapping_sub(before.arguments[side])
    };
    [on(0), on(1)]
}

/// Whether a node is as predicted. (Its operation is.)
#[inline]
fn is_next(before: Node<f64>, former: Node<f64>, node: &Node<f64>, has_partials: bool) -> bool {
    let is_same = |side: usize| {
        let is_equal = || node.partials[side].to_bits() == former.partials[side].to_bits();
        // Of a node that was not kept with its partials, what it is read with is not known.
        match node.indices()[side] {
            _ if has_partials => is_equal(),
            0 => former.indices()[side] == 0 && is_equal(),
            _ => true,
        }
    };
    node.arguments == moved_on(before, former) && is_same(0) && is_same(1)
}

/// An argument is written as its distance, and 1. Instead, 0 stands for the constant 0, and 1 for any other.
fn write_node(bytes: &mut Vec<u8>, index: u32, node: &Node<f64>, op: Op, has_partials: bool) {
    bytes.push(op as u8 | if has_partials { WITH_PARTIALS } else { 0 });
    for (argument, partial) in node.indices().into_iter().zip(node.partials) {
        let bits = partial.to_bits();
        match argument {
            0 => leb128::write(bytes, u64::from(bits != 0)),
            argument => leb128::write(bytes, u64::from(index) - argument as u64 + 1),
        }
        if (argument == 0 && bits != 0) || has_partials {
            bytes.extend(bits.to_le_bytes());
        }
    }
}

/// What is left to be read.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn node(&mut self, byte: u8, index: u32) -> (Node<f64>, Op) {
        let op = Op::EVERY[usize::from(byte & !WITH_PARTIALS)];
        let mut node = Node { partials: [0.0; 2], arguments: [0; 2] };
        for side in 0..2 {
            let number = self.number();
            if number > 1 {
                node.arguments[side] = index + 1 - number;
            }
            if number == 1 || byte & WITH_PARTIALS != 0 {
                node.partials[side] = f64::from_bits(self.word());
            }
        }
        if op == Op::Part {
            node.arguments[0] |= Node::<f64>::JOINED;
        }
        (node, op)
    }

    fn next(&mut self) -> u8 {
        let byte = self.0[0];
        self.0 = &self.0[1..];
        byte
    }

    fn number(&mut self) -> u32 {
        let mut number = 0;
        for shift in (0..32).step_by(7) {
            let byte = self.next();
            number |= u32::from(byte & 127) << shift;
            if byte < 128 {
                break;
            }
        }
        number
    }

    fn word(&mut self) -> u64 {
        let (word, rest) = self.0.split_at(8);
        self.0 = rest;
        word.iter().rev().fold(0, |bits, &byte| bits << 8 | u64::from(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Recorded = (Vec<Node<f64>>, Vec<Op>);

    /// Packs operations in two pieces and reads the second one. What a replay needs must be as before.
    fn check((mut nodes, ops): Recorded, first: usize) -> usize {
        let mut packer = Packer::default();
        packer.pack(0, &nodes[..first], &ops[..first]);
        let piece = packer.pack(first as u32, &nodes[first..], &ops[first..]);
        let (mut read, mut read_ops) = (Vec::new(), Vec::new());
        piece.unpack(&mut read, &mut read_ops);
        let mut read: Recorded = (read, read_ops);
        for (nodes, ops) in [(&mut nodes[first..], &ops[first..]), (&mut read.0[..], &read.1[..])] {
            for place in 0..nodes.len() {
                let last = ops[place..].iter().position(|op| *op != Op::Part).unwrap();
                for side in 0..2 {
                    if nodes[place].indices()[side] != 0 && ops[place + last] != Op::WeightedSum {
                        nodes[place].partials[side] = 0.0;
                    }
                }
            }
        }
        let bits = |nodes: &[Node<f64>]| -> Vec<([u64; 2], [u32; 2])> {
            nodes.iter().map(|node| (node.partials.map(f64::to_bits), node.arguments)).collect()
        };
        assert_eq!((bits(&nodes[first..]), &ops[first..]), (bits(&read.0), &read.1[..]));
        piece.bytes.len()
    }

    /// An operation's arguments, by their distances (0 for a constant), and partials; a pair for each of its nodes.
    type Slots = Vec<[(u8, f64); 2]>;

    fn recorded(operations: &[(u8, Slots)]) -> Recorded {
        const OPS: [Op; 6] = [Op::Add, Op::Mul, Op::Sin, Op::WeightedSum, Op::Dot, Op::Clamp];
        let mut nodes = vec![Node { partials: [0.0; 2], arguments: [0; 2] }];
        let mut ops = vec![Op::Input];
        for (op, slots) in operations {
            let start = nodes.len() as u32;
            for slot in slots {
                let argument = |side: usize| match u32::from(slot[side].0) {
                    0 => 0,
                    distance => start.saturating_sub(distance),
                };
                let arguments = [argument(0) | Node::<f64>::JOINED, argument(1)];
                nodes.push(Node { partials: [slot[0].1, slot[1].1], arguments });
                ops.push(Op::Part);
            }
            let last = nodes.len() - 1;
            nodes[last].arguments[0] &= !Node::<f64>::JOINED;
            ops[last] = OPS[usize::from(*op) % OPS.len()];
        }
        (nodes, ops)
    }

    fn operation() -> impl Strategy<Value = (u8, Vec<[(u8, f64); 2]>)> {
        let number = prop_oneof![Just(0.0), Just(-0.0), Just(1.0), any::<f64>()];
        let slot = || (prop_oneof![Just(0_u8), 1_u8..6, any::<u8>()], number.clone());
        (any::<u8>(), prop::collection::vec([slot(), slot()], 1..4))
    }

    proptest! {
        #[test]
        fn what_is_packed_is_read(operations in prop::collection::vec(operation(), 0..60)) {
            check(recorded(&operations), 1);
        }

        #[test]
        fn what_repeats_itself_is_read(
            body in prop::collection::vec(operation(), 1..8),
            times in 1_usize..30,
            cut in 1_usize..8,
        ) {
            let operations: Vec<_> = (0..times).flat_map(|_| body.clone()).collect();
            let first = recorded(&operations[..cut.min(operations.len())]).0.len();
            check(recorded(&operations), first);
        }
    }

    #[test]
    fn a_loop_takes_almost_no_room() {
        // y = y + h·k, with the numbers of a vector and the same constant each time.
        let body = [(1, vec![[(0, 0.5), (7, 2.0)]]), (0, vec![[(200, 1.0), (1, 1.0)]])];
        let operations: Vec<_> = (0..10_000).flat_map(|_| body.clone()).collect();
        let (nodes, ops) = recorded(&operations);
        assert!(nodes.len() > 20_000);
        let bytes = check((nodes, ops), 1);
        assert!(bytes < 1000, "{bytes} bytes");
    }
}
