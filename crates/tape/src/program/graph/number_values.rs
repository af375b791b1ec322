//! Pass: what is computed twice is computed once (global value numbering).

use crate::op::Op;
use crate::program::graph::{Graph, Id, Node};

/// The nodes of a graph, found by what they compute: a hash table of their numbers, which keeps nothing else of them.
/// Constants are equal when their bits are: −0 is not 0.
pub(crate) struct Numbers {
    table: Table,
}

impl Numbers {
    pub(crate) fn with_room(nodes: usize) -> Self {
        Self { table: Table::with_room(nodes) }
    }

    /// The node of a constant. Where there is none, it is the node that is to be appended next.
    #[inline]
    pub(crate) fn constant(&mut self, graph: &Graph, value: f64) -> Option<Id> {
        let is_same = |other| {
            let bits = graph.constant_value(Id(other)).map(f64::to_bits);
            bits == Some(value.to_bits())
        };
        self.find_or_insert(graph, key_of_constant(value), is_same)
    }

    /// The node that computes an operation. Where there is none, it is the node that is to be appended next.
    #[inline]
    pub(crate) fn operation(&mut self, graph: &Graph, op: Op, operands: &[Id]) -> Option<Id> {
        let is_same = |other| {
            let others = graph.operands(Id(other));
            graph.op(Id(other)) == Some(op)
                && match (others, operands) {
                    (&[a], &[b]) => a == b,
                    (&[a, b], &[c, d]) => (a, b) == (c, d) || commutes(op) && (a, b) == (d, c),
                    _ => others == operands,
                }
        };
        self.find_or_insert(graph, key_of_operation(op, operands), is_same)
    }

    /// The call of the same operation with the same operands; likewise.
    pub(crate) fn call(&mut self, graph: &Graph, call: u32, operands: &[Id]) -> Option<Id> {
        let is_same = |other| {
            let of = |node| matches!(node, Node::Call { call: other, .. } if other == call);
            of(graph.node(Id(other))) && graph.operands(Id(other)) == operands
        };
        self.find_or_insert(graph, key_of_call(call, operands), is_same)
    }

    #[inline]
    fn find_or_insert(
        &mut self,
        graph: &Graph,
        key: Key,
        is_same: impl Fn(u32) -> bool,
    ) -> Option<Id> {
        let key_of = |id| match graph.node(Id(id)) {
            Node::Operation { op, .. } => key_of_operation(op, graph.operands(Id(id))),
            Node::Constant(value) => key_of_constant(value),
            Node::Call { call, .. } => key_of_call(call, graph.operands(Id(id))),
            Node::Input(_) => unreachable!("inputs have their own numbers"),
            Node::Result { .. } => unreachable!("results go with their call"),
        };
        self.table.find_or_insert(key, graph.len() as u32, is_same, key_of).map(Id)
    }
}

/// These commute to the bit.
#[inline]
fn commutes(op: Op) -> bool {
    matches!(op, Op::Add | Op::Mul)
}

#[inline]
fn key_of_constant(value: f64) -> Key {
    Key { near: None, hash: mix(1, value.to_bits()) }
}

#[inline]
fn key_of_operation(op: Op, operands: &[Id]) -> Key {
    let start = op as u64 + 2;
    match *operands {
        [Id(a)] => Key { near: Some(a), hash: mix(start, a.into()) },
        [Id(a), Id(b)] => {
            let (first, second) = if commutes(op) { (a.min(b), a.max(b)) } else { (a, b) };
            let hash = mix(mix(start, first.into()), second.into());
            Key { near: Some(a.max(b)), hash }
        }
        ref operands => {
            let near = operands.iter().map(|id| id.0).max();
            let hash = operands.iter().fold(start, |hash, id| mix(hash, id.0.into()));
            Key { near, hash }
        }
    }
}

fn key_of_call(call: u32, operands: &[Id]) -> Key {
    let start = u64::from(call) << 32 | u64::from(u32::MAX);
    Key { near: None, hash: operands.iter().fold(start, |hash, id| mix(hash, id.0.into())) }
}

/// One word more of what is hashed.
#[inline]
pub(crate) fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A hash table of numbers whose keys stand elsewhere: open addressing, no more than two thirds full.
///
/// A number is first looked for near another one, the newest that its key refers to: code is recorded in the order in which it
/// is computed, so that this part of the table was in use just before and is in the cache. Where those places are taken, as
/// of what is used very often, it may be anywhere.
pub(crate) struct Table {
    lines: Vec<Line>,
    len: usize,
}

/// A line of the cache: numbers and 1, each beside 32 bits of its hash, which tell most others apart without a look at the
/// keys. 0 is a free place.
type Line = [(u32, u32); WIDTH];

const WIDTH: usize = 8;

/// The newest number that a key refers to, if there is one, and the key's hash.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    pub(crate) near: Option<u32>,
    pub(crate) hash: u64,
}

impl Key {
    /// The upper bits are the ones that depend on every bit of the key.
    #[inline]
    fn upper_half(self) -> u32 {
        (self.hash >> 32) as u32
    }
}

impl Table {
    pub(crate) fn with_room(numbers: usize) -> Self {
        let lines = (numbers + numbers / 2).div_ceil(WIDTH).next_power_of_two().max(2);
        Self { lines: vec![[(0, 0); WIDTH]; lines], len: 0 }
    }

    /// The number whose key is this one, or `None` after `number` was inserted for it.
    #[inline]
    pub(crate) fn find_or_insert(
        &mut self,
        key: Key,
        number: u32,
        is_same: impl Fn(u32) -> bool,
        key_of: impl Fn(u32) -> Key,
    ) -> Option<u32> {
        if 3 * self.len >= 2 * WIDTH * self.lines.len() {
            self.grow(key_of);
        }
        let hash = key.upper_half();
        let mut line = self.first_line(key);
        let mut is_near = key.near.is_some();
        loop {
            for place in &mut self.lines[line] {
                match *place {
                    (0, _) => {
                        *place = (number + 1, hash);
                        self.len += 1;
                        return None;
                    }
                    (found, of) if of == hash && is_same(found - 1) => return Some(found - 1),
                    _ => {}
                }
            }
            line = self.line_after(line, is_near, key);
            is_near = false;
        }
    }

    /// Where a key is looked for first.
    #[inline]
    fn first_line(&self, key: Key) -> usize {
        match key.near {
            Some(near) => (near as usize / (WIDTH / 2)) & (self.lines.len() - 1),
            None => self.line_anywhere(key),
        }
    }

    /// And after that: lines that only the hash determines, an odd distance from each to the next. (Lines near much used numbers
    /// are full, many in a row: one by one, it would take long to pass these.)
    #[inline]
    fn line_after(&self, line: usize, is_near: bool, key: Key) -> usize {
        let distance = key.upper_half() as usize | 1;
        if is_near {
            self.line_anywhere(key)
        } else {
            line.wrapping_add(distance) & (self.lines.len() - 1)
        }
    }

    #[inline]
    fn line_anywhere(&self, key: Key) -> usize {
        let bits = self.lines.len().trailing_zeros();
        (u64::from(key.upper_half()) >> (32 - bits.min(32))) as usize
    }

    #[cold]
    fn grow(&mut self, key_of: impl Fn(u32) -> Key) {
        let larger = vec![[(0, 0); WIDTH]; 2 * self.lines.len()];
        for (number, hash) in core::mem::replace(&mut self.lines, larger).into_iter().flatten() {
            if number == 0 {
                continue;
            }
            let key = key_of(number - 1);
            let mut line = self.first_line(key);
            let mut is_near = key.near.is_some();
            let free = loop {
                if let Some(free) = self.lines[line].iter().position(|place| place.0 == 0) {
                    break free;
                }
                line = self.line_after(line, is_near, key);
                is_near = false;
            };
            self.lines[line][free] = (number, hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_behind_many_full_lines_is_found_at_once() {
        let mut table = Table::with_room(1 << 17);
        let full = table.lines.len() / 2;
        let no_keys = |_| unreachable!("the table has room");
        for number in 0..(full * WIDTH) as u32 {
            let key = Key { near: Some(number / 2), hash: mix(2, number.into()) };
            assert_eq!(table.find_or_insert(key, number, |_| false, no_keys), None);
        }
        // Its line is among the first ones, and the hash is no other's.
        let key = Key { near: None, hash: 0x1234_5678 << 24 };
        assert!(table.line_anywhere(key) < full / 2);
        let number = u32::MAX - 1;
        assert_eq!(table.find_or_insert(key, number, |_| false, no_keys), None);
        for _ in 0..100_000 {
            let found = table.find_or_insert(key, 0, |found| found == number, no_keys);
            assert_eq!(found, Some(number));
        }
    }
}
