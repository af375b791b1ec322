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

    /// The number of a node that computes what this one does. Where there is none, this one is inserted.
    #[inline]
    pub(crate) fn find_or_insert(&mut self, graph: &Graph, id: Id) -> Option<Id> {
        let is_same = |other| computes_the_same(graph, Id(other), id);
        let key_of = |id| key(graph, Id(id));
        self.table.find_or_insert(key_of(id.0), id.0, is_same, key_of).map(Id)
    }
}

/// These commute to the bit.
fn commutes(op: Op) -> bool {
    matches!(op, Op::Add | Op::Mul)
}

#[inline]
fn key(graph: &Graph, id: Id) -> Key {
    match graph.node(id) {
        Node::Input(position) => Key { near: None, hash: mix(0, position.into()) },
        Node::Constant(value) => Key { near: None, hash: mix(1, value.to_bits()) },
        Node::Operation { op, .. } => {
            let start = op as u64 + 2;
            match *graph.operands(id) {
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
    }
}

fn computes_the_same(graph: &Graph, a: Id, b: Id) -> bool {
    match (graph.node(a), graph.node(b)) {
        (Node::Constant(a), Node::Constant(b)) => a.to_bits() == b.to_bits(),
        (Node::Operation { op, .. }, Node::Operation { op: other, .. }) if op == other => {
            let (a, b) = (graph.operands(a), graph.operands(b));
            a == b || (commutes(op) && a[0] == b[1] && a[1] == b[0])
        }
        _ => false,
    }
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
    /// A number and 1, beside 32 bits of its hash, which tell most others apart without a look at the keys. 0 is a free place.
    places: Vec<(u32, u32)>,
    len: usize,
}

/// The newest number that a key refers to, if there is one, and the key's hash.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    pub(crate) near: Option<u32>,
    pub(crate) hash: u64,
}

impl Table {
    pub(crate) fn with_room(numbers: usize) -> Self {
        Self { places: vec![(0, 0); (numbers + numbers / 2).next_power_of_two().max(16)], len: 0 }
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
        if 3 * self.len >= 2 * self.places.len() {
            self.grow(key_of);
        }
        let hash = upper_half(key);
        for place in self.sequence(key) {
            match self.places[place] {
                (0, _) => {
                    self.places[place] = (number + 1, hash);
                    break;
                }
                (found, of) if of == hash && is_same(found - 1) => return Some(found - 1),
                _ => {}
            }
        }
        self.len += 1;
        None
    }

    /// The places at which a key is looked for, in turn: all of them, at last.
    #[inline]
    fn sequence(&self, key: Key) -> impl Iterator<Item = usize> + use<> {
        /// A line of the cache.
        const NEAR: usize = 8;
        let mask = self.places.len() - 1;
        let near = key.near.map(|near| (2 * near as usize) & mask & !(NEAR - 1));
        let near = near.into_iter().flat_map(|first| first..first + NEAR);
        let bits = self.places.len().trailing_zeros();
        let first = (u64::from(upper_half(key)) >> (32 - bits.min(32))) as usize;
        near.chain((first..=mask).chain(0..first))
    }

    #[cold]
    fn grow(&mut self, key_of: impl Fn(u32) -> Key) {
        let larger = vec![(0, 0); 2 * self.places.len()];
        for (number, hash) in core::mem::replace(&mut self.places, larger) {
            if number != 0 {
                let mut sequence = self.sequence(key_of(number - 1));
                if let Some(place) = sequence.find(|&place| self.places[place].0 == 0) {
                    self.places[place] = (number, hash);
                }
            }
        }
    }
}

/// The upper bits are the ones that depend on every bit of the key.
#[inline]
fn upper_half(key: Key) -> u32 {
    (key.hash >> 32) as u32
}
