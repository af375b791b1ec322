//! The Wengert list itself: nodes in the order in which they were recorded.
//!
//! **Invariants** that the unchecked accesses in [`crate::sweep`] and here rely on:
//! 1. Slot 0 is the sink: constants are its "variables", and what flows into it is lost.
//! 2. An argument's index is smaller than the index of its node.
//! 3. `nodes` and `ops` have room for `capacity` entries, of which the first `len` are initialised.
#![allow(
    unsafe_code,
    reason = "recording is the hot path of the engine: see ARCHITECTURE.md for what the checks cost"
)]

use crate::op::Op;
use crate::real::Real;

/// A recorded operation with up to two arguments: the sweep needs nothing else.
///
/// An unused slot has argument 0 and keeps the operation's constant operand as its "partial". An input's value and
/// a custom operation's value are kept the same way.
///
/// An operation with more arguments takes several nodes in a row. All but the last have [`Node::JOINED`] set in
/// `arguments[0]`: their adjoint is that of the node behind them.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Node<T> {
    pub(crate) partials: [T; 2],
    pub(crate) arguments: [u32; 2],
}

impl<T: Copy> Node<T> {
    /// Set in `arguments[0]` of a node whose adjoint is that of the next node.
    pub(crate) const JOINED: u32 = 1 << 31;

    #[inline(always)]
    pub(crate) fn is_joined(&self) -> bool {
        self.arguments[0] & Self::JOINED != 0
    }

    /// The arguments' indices without the mark.
    #[inline(always)]
    pub(crate) fn indices(&self) -> [usize; 2] {
        [(self.arguments[0] & !Self::JOINED) as usize, self.arguments[1] as usize]
    }
}

/// One argument of an operation as it is recorded: its index (0: a constant) and its partial (or the constant).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge<T> {
    pub(crate) partial: T,
    pub(crate) argument: u32,
}

/// A growing list of nodes.
pub(crate) struct List<T> {
    /// The number that the variables of this list carry; it changes when the list is cleared.
    pub(crate) number: u32,
    len: u32,
    capacity: u32,
    /// While set, nothing is swept early: the list will be replayed (see `derivative/replay.rs`).
    pub(crate) tracing: bool,
    nodes: Vec<Node<T>>,
    ops: Vec<Op>,
    /// Adjoint buffers waiting to be used again. Each is all zeros.
    pub(crate) scratch: Vec<Vec<T>>,
}

impl<T: Real> List<T> {
    /// The largest number of nodes: an index must leave room for the mark.
    const MAX_LEN: u32 = Node::<T>::JOINED - 1;

    pub(crate) fn new(number: u32) -> Self {
        let (nodes, ops) = (Vec::new(), Vec::new());
        let mut list =
            Self { number, len: 0, capacity: 0, tracing: false, nodes, ops, scratch: Vec::new() };
        list.clear();
        list
    }

    /// Forgets every node but the sink.
    pub(crate) fn clear(&mut self) {
        let zero = T::from_f64(0.0);
        self.len = 0;
        self.push(Op::Input, Node { partials: [zero; 2], arguments: [0; 2] });
    }

    /// The number of nodes, the sink counted.
    #[inline(always)]
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// Forgets the nodes from `len` on.
    pub(crate) fn truncate(&mut self, len: u32) {
        debug_assert!(len >= 1, "the sink stays");
        self.len = self.len.min(len);
    }

    #[inline(always)]
    pub(crate) fn nodes(&self) -> &[Node<T>] {
        // SAFETY: the first `len` nodes are initialised (invariant 3).
        unsafe { core::slice::from_raw_parts(self.nodes.as_ptr(), self.len as usize) }
    }

    #[inline(always)]
    pub(crate) fn ops(&self) -> &[Op] {
        // SAFETY: the first `len` codes are initialised (invariant 3).
        unsafe { core::slice::from_raw_parts(self.ops.as_ptr(), self.len as usize) }
    }

    /// Appends a node and returns its index.
    ///
    /// The caller has seen that both arguments are smaller than [`List::len`].
    #[inline]
    pub(crate) fn push(&mut self, op: Op, node: Node<T>) -> u32 {
        if !self.has_room() {
            self.grow();
        }
        // SAFETY: there is room, as just seen or made.
        unsafe { self.push_unchecked(op, node) }
    }

    /// Whether a node can be appended without growing.
    #[inline(always)]
    pub(crate) fn has_room(&self) -> bool {
        self.len < self.capacity
    }

    /// [`List::push`] without the check for room.
    ///
    /// # Safety
    /// [`List::has_room`] must hold.
    #[inline(always)]
    pub(crate) unsafe fn push_unchecked(&mut self, op: Op, node: Node<T>) -> u32 {
        let index = self.len;
        // SAFETY: `index < capacity`, and both buffers have room for `capacity` entries (invariant 3).
        unsafe {
            let place = self.nodes.as_mut_ptr().add(index as usize);
            (&raw mut (*place).partials[0]).write(node.partials[0]);
            (&raw mut (*place).partials[1]).write(node.partials[1]);
            (&raw mut (*place).arguments[0]).write(node.arguments[0]);
            (&raw mut (*place).arguments[1]).write(node.arguments[1]);
            self.ops.as_mut_ptr().add(index as usize).write(op);
        }
        self.len = index + 1;
        index
    }

    /// Appends an operation with any number of arguments, two to a node; a spare slot gets `filler`. Returns the index
    /// of its last node.
    ///
    /// The caller has seen that all arguments are smaller than [`List::len`].
    #[inline]
    pub(crate) fn push_all(
        &mut self,
        op: Op,
        edges: impl IntoIterator<Item = Edge<T>>,
        filler: T,
    ) -> u32 {
        let mut edges = edges.into_iter();
        let spare = Edge { partial: filler, argument: 0 };
        let pairs = core::iter::from_fn(|| Some([edges.next()?, edges.next().unwrap_or(spare)]));
        self.push_pairs(op, pairs)
    }

    /// [`List::push_all`] of arguments that come in pairs. There must be at least one.
    #[inline]
    pub(crate) fn push_pairs(&mut self, op: Op, pairs: impl Iterator<Item = [Edge<T>; 2]>) -> u32 {
        let mut begun = Begun { start: self.len, list: self };
        for [first, second] in pairs {
            let partials = [first.partial, second.partial];
            let arguments = [first.argument | Node::<T>::JOINED, second.argument];
            begun.list.push(Op::Part, Node { partials, arguments });
        }
        begun.finish(op)
    }

    /// [`List::push_pairs`] of `count` ≥ 1 pairs by position, whose indices come with them: the loop over long slices.
    #[inline(always)]
    pub(crate) fn push_pairs_at(
        &mut self,
        op: Op,
        count: usize,
        pair: impl Fn(usize) -> ([T; 2], [u32; 2]),
    ) -> u32 {
        while ((self.capacity - self.len) as usize) < count {
            self.grow();
        }
        let start = self.len as usize;
        // SAFETY: there is room for `count` more nodes, as just made sure (invariant 3).
        unsafe {
            let nodes = self.nodes.as_mut_ptr().add(start);
            let ops = self.ops.as_mut_ptr().add(start);
            for position in 0..count {
                let (partials, [first, second]) = pair(position);
                let arguments = [first | Node::<T>::JOINED, second];
                nodes.add(position).write(Node { partials, arguments });
                ops.add(position).write(Op::Part);
            }
        }
        let mut begun = Begun { start: self.len, list: self };
        begun.list.len += count as u32;
        begun.finish(op)
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        assert!(
            self.capacity < Self::MAX_LEN,
            "the tape is full: it holds {} nodes; sweep and clear it, or use sum_over for a long sum",
            Self::MAX_LEN
        );
        let capacity = self.capacity.saturating_mul(2).clamp(1024, Self::MAX_LEN);
        // SAFETY: the first `self.len` entries are initialised, and `T` and `Op` are `Copy`, so that a length of 0
        // on return drops nothing.
        unsafe {
            self.nodes.set_len(self.len as usize);
            self.ops.set_len(self.len as usize);
            self.nodes.reserve_exact((capacity - self.len) as usize);
            self.ops.reserve_exact((capacity - self.len) as usize);
            self.nodes.set_len(0);
            self.ops.set_len(0);
        }
        self.capacity = capacity;
    }
}

/// An operation of several nodes that is being appended. Until it is finished, its nodes are not an operation; should
/// computing a partial panic (as it may, where partials are recorded variables), they are taken back.
struct Begun<'a, T: Real> {
    list: &'a mut List<T>,
    start: u32,
}

impl<T: Real> Begun<'_, T> {
    /// Makes the last node the operation's end, and returns its index.
    #[inline]
    fn finish(&mut self, op: Op) -> u32 {
        assert!(self.list.len > self.start, "an operation has at least one argument");
        let last = self.list.len - 1;
        // SAFETY: `last < len`, so both entries are initialised (invariant 3).
        unsafe {
            (*self.list.nodes.as_mut_ptr().add(last as usize)).arguments[0] &= !Node::<T>::JOINED;
            *self.list.ops.as_mut_ptr().add(last as usize) = op;
        }
        self.start = self.list.len;
        last
    }
}

impl<T: Real> Drop for Begun<'_, T> {
    fn drop(&mut self) {
        self.list.len = self.start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_takes_24_bytes_and_its_operation_one_more() {
        assert_eq!(size_of::<Node<f64>>(), 24);
        assert_eq!(size_of::<Op>(), 1);
    }
}
