//! The Wengert list itself: nodes in the order in which they were recorded.
//!
//! A list is reached from its tape and, by its number, from every variable on it, so nobody ever has it alone. All of it
//! stands in cells, and only shared references are made.
//!
//! **Invariants** that the unchecked accesses in [`crate::sweep`] and here rely on:
//! 1. Slot 0 is the sink: constants are its "variables", and what flows into it is lost.
//! 2. An argument's index is smaller than the index of its node, and of the first node of its operation.
//! 3. `nodes` and `ops` have room for the entries from `base` to `capacity`, of which those before `len` are initialised.
//!    `first_node` and `first_op` are where the entry 0 is, or would be: an entry that is not here is never accessed.
//! 4. No slice of `nodes` or `ops` is in use but that of a [`List`]. As long as there is one, `capacity` and `base` do not
//!    change, and `len` stays at or above the length that the slice has.
//!
//! A list that is traced hands its nodes on, a piece at a time, so that its room stays in the cache: `base` is the number of
//! those that are gone.
#![allow(
    unsafe_code,
    reason = "recording is the hot path of the engine: docs/measurements.md has what a node costs"
)]

pub(crate) mod packed;
pub(crate) mod recorded;
pub(crate) mod stop;

use core::cell::{Cell, RefCell, UnsafeCell};
use core::ops::Range;
use std::rc::Rc;

use crate::list::stop::ListStop;
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

/// Where a list is kept, and grows.
pub(crate) struct Storage<T> {
    /// The number that the variables of this list carry; it changes when the list is cleared.
    number: Cell<u32>,
    len: Cell<u32>,
    capacity: Cell<u32>,
    /// What the list is not made shorter than: somebody counts on these nodes. 0 when nobody does.
    floor: Cell<u32>,
    /// How many [`List`]s there are of it.
    held: Cell<u32>,
    /// While set, nothing is swept early: the list will be replayed (see `list/recorded.rs`).
    tracing: Cell<bool>,
    /// How many nodes were handed on.
    base: Cell<u32>,
    /// From how many nodes on they are handed on, and to whom; [`u32::MAX`] where they are not.
    piece: Cell<u32>,
    receiver: Cell<Option<Receiver<T>>>,
    first_node: Cell<*mut Node<T>>,
    first_op: Cell<*mut Op>,
    nodes: UnsafeCell<Vec<Node<T>>>,
    ops: UnsafeCell<Vec<Op>>,
    /// The operations whose results are nodes that are here, in order.
    stops: RefCell<Vec<Rc<ListStop<T>>>>,
    has_stops: Cell<bool>,
    /// Those whose results are gone. What they own is code of others, so they go where that may run.
    gone: RefCell<Vec<Rc<ListStop<T>>>>,
    /// Adjoint buffers waiting to be used again. Each is all zeros.
    scratch: Cell<Vec<Vec<T>>>,
}

/// Takes nodes that follow each other, their operations, all whole, and those of them at which a sweep stops.
pub(crate) type Receiver<T> = Box<dyn FnMut(&[Node<T>], &[Op], Vec<Rc<ListStop<T>>>)>;

/// A list as it stands: what is recorded meanwhile comes after it, and nothing takes its nodes away.
pub(crate) struct List<'a, T> {
    pub(crate) number: u32,
    /// The index of the first node.
    pub(crate) first: u32,
    storage: &'a Storage<T>,
    nodes: &'a [Node<T>],
    ops: &'a [Op],
    /// The storage's floor before.
    floor: u32,
}

impl<T> List<'_, T> {
    #[inline(always)]
    pub(crate) fn nodes(&self) -> &[Node<T>] {
        self.nodes
    }

    #[inline(always)]
    pub(crate) fn ops(&self) -> &[Op] {
        self.ops
    }
}

impl<T: Real> List<'_, T> {
    /// Whether there are operations at which a sweep stops.
    #[inline]
    pub(crate) fn has_stops(&self) -> bool {
        self.storage.has_stops.get()
    }

    /// The last of them that has results before this index.
    pub(crate) fn stop_before(&self, index: usize) -> Option<Rc<ListStop<T>>> {
        let stops = self.storage.stops.borrow();
        let before = stops.partition_point(|stop| stop.results().start < index);
        before.checked_sub(1).map(|last| Rc::clone(&stops[last]))
    }

    /// All of these operations.
    pub(crate) fn stops(&self) -> Vec<Rc<ListStop<T>>> {
        let end = self.first as usize + self.nodes.len();
        let stops = self.storage.stops.borrow();
        stops.iter().filter(|stop| stop.results().start < end).cloned().collect()
    }
}

impl<T> Drop for List<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.storage.floor.set(self.floor);
        self.storage.held.set(self.storage.held.get() - 1);
    }
}

impl<T> Storage<T> {
    #[inline(always)]
    pub(crate) fn number(&self) -> u32 {
        self.number.get()
    }

    pub(crate) fn set_number(&self, number: u32) {
        self.number.set(number);
    }

    /// The number of nodes, the sink counted.
    #[inline(always)]
    pub(crate) fn len(&self) -> u32 {
        self.len.get()
    }

    /// Whether a node can be appended without growing.
    #[inline(always)]
    pub(crate) fn has_room(&self) -> bool {
        self.len.get() < self.capacity.get()
    }

    /// The length that [`Storage::truncate`] and [`Storage::clear`] must leave.
    pub(crate) fn floor(&self) -> u32 {
        self.floor.get()
    }

    /// Makes all nodes so far stay, and returns the former floor, to be set again in reverse order.
    pub(crate) fn raise_floor(&self) -> u32 {
        self.floor.replace(self.len.get())
    }

    pub(crate) fn set_floor(&self, floor: u32) {
        self.floor.set(floor);
    }

    /// Whether a [`List`] of it is in use.
    pub(crate) fn is_held(&self) -> bool {
        self.held.get() > 0
    }

    pub(crate) fn has_handed_on(&self) -> bool {
        self.base.get() > 0
    }

    pub(crate) fn is_tracing(&self) -> bool {
        self.tracing.get()
    }

    pub(crate) fn set_tracing(&self, tracing: bool) {
        self.tracing.set(tracing);
    }

    /// Forgets the nodes from `len` on.
    #[inline]
    pub(crate) fn truncate(&self, len: u32) {
        let least = self.floor.get().max(self.base.get()).max(1);
        assert!(len >= least, "nodes that are in use, and the sink, stay");
        self.len.set(self.len.get().min(len));
        if self.has_stops.get() {
            self.drop_stops_from(self.len.get());
        }
    }

    #[cold]
    fn drop_stops_from(&self, len: u32) {
        let mut stops = self.stops.borrow_mut();
        let kept = stops.partition_point(|stop| stop.first < len);
        self.gone.borrow_mut().extend(stops.drain(kept..));
        self.has_stops.set(!stops.is_empty());
    }

    /// What results of operations that are gone have left behind, to be dropped where code of others may run.
    pub(crate) fn take_gone(&self) -> Vec<Rc<ListStop<T>>> {
        self.gone.take()
    }

    /// An adjoint buffer of zeros, of any length.
    pub(crate) fn take_scratch(&self) -> Vec<T> {
        let mut kept = self.scratch.take();
        let buffer = kept.pop().unwrap_or_default();
        self.scratch.set(kept);
        buffer
    }

    /// Keeps a buffer of zeros for its next use.
    pub(crate) fn keep_scratch(&self, buffer: Vec<T>) {
        let mut kept = self.scratch.take();
        kept.push(buffer);
        self.scratch.set(kept);
    }

    /// How many buffers are kept.
    pub(crate) fn kept_scratch(&self) -> usize {
        let kept = self.scratch.take();
        let count = kept.len();
        self.scratch.set(kept);
        count
    }
}

impl<T: Real> Storage<T> {
    /// The largest number of nodes: an index must leave room for the mark.
    const MAX_LEN: u32 = Node::<T>::JOINED - 1;

    pub(crate) fn new(number: u32) -> Self {
        let storage = Self {
            number: Cell::new(number),
            len: Cell::new(0),
            capacity: Cell::new(0),
            floor: Cell::new(0),
            held: Cell::new(0),
            tracing: Cell::new(false),
            base: Cell::new(0),
            piece: Cell::new(u32::MAX),
            receiver: Cell::new(None),
            first_node: Cell::new(core::ptr::null_mut()),
            first_op: Cell::new(core::ptr::null_mut()),
            nodes: UnsafeCell::default(),
            ops: UnsafeCell::default(),
            stops: RefCell::default(),
            has_stops: Cell::new(false),
            gone: RefCell::default(),
            scratch: Cell::default(),
        };
        storage.clear();
        storage
    }

    /// Forgets every node but the sink.
    pub(crate) fn clear(&self) {
        assert!(self.floor.get() == 0, "nodes that are in use stay");
        let zero = T::from_f64(0.0);
        self.len.set(0);
        if self.has_stops.get() {
            self.drop_stops_from(0);
        }
        if self.base.replace(0) > 0 || self.piece.get() != u32::MAX {
            self.keep();
        }
        self.push(Op::Input, Node { partials: [zero; 2], arguments: [0; 2] });
    }

    /// Shows the list as it stands. (By a closure, so that several are let go in reverse order.)
    #[inline]
    pub(crate) fn hold<R>(&self, look: impl FnOnce(&List<'_, T>) -> R) -> R {
        assert!(self.base.get() == 0, "a list that has handed nodes on is not there as a whole");
        self.hold_rest(look)
    }

    /// Shows what has not been handed on.
    #[inline]
    pub(crate) fn hold_rest<R>(&self, look: impl FnOnce(&List<'_, T>) -> R) -> R {
        look(&self.held_rest())
    }

    /// What has not been handed on. To be used by [`Storage::hold_rest`] alone, which lets it go.
    fn held_rest(&self) -> List<'_, T> {
        let (base, len) = (self.base.get() as usize, self.len.get() as usize);
        self.held.set(self.held.get() + 1);
        // SAFETY: the entries from `base` to `len` are initialised (invariant 3), and as long as this `List` lives, they
        // stay where they are and nobody writes to them (invariant 4): `grow`, `clear` and `truncate` see to it, and
        // appending writes behind them.
        let (nodes, ops) = unsafe {
            let (nodes, ops) = (self.node(base), self.op(base));
            (
                core::slice::from_raw_parts(nodes, len - base),
                core::slice::from_raw_parts(ops, len - base),
            )
        };
        let number = self.number.get();
        let floor = self.raise_floor();
        List { number, first: base as u32, storage: self, nodes, ops, floor }
    }

    /// Whether the first `len` nodes are whole operations.
    pub(crate) fn is_whole(&self, len: u32) -> bool {
        self.hold(|list| !list.nodes()[len as usize - 1].is_joined())
    }

    /// Appends a node and returns its index.
    ///
    /// The caller has seen that both arguments are smaller than [`Storage::len`].
    #[inline]
    pub(crate) fn push(&self, op: Op, node: Node<T>) -> u32 {
        if !self.has_room() {
            self.grow();
        }
        // SAFETY: there is room, as just seen or made.
        unsafe { self.push_unchecked(op, node) }
    }

    /// [`Storage::push`] without the check for room.
    ///
    /// # Safety
    /// [`Storage::has_room`] must hold.
    #[inline(always)]
    pub(crate) unsafe fn push_unchecked(&self, op: Op, node: Node<T>) -> u32 {
        let index = self.len.get();
        // SAFETY: `index < capacity`, and both buffers have room for `capacity` entries (invariant 3). No slice reaches
        // as far as `index` (invariant 4).
        unsafe {
            let place = self.node(index as usize);
            (&raw mut (*place).partials[0]).write(node.partials[0]);
            (&raw mut (*place).partials[1]).write(node.partials[1]);
            (&raw mut (*place).arguments[0]).write(node.arguments[0]);
            (&raw mut (*place).arguments[1]).write(node.arguments[1]);
            self.op(index as usize).write(op);
        }
        self.len.set(index + 1);
        index
    }

    /// Appends an operation of `count` ≥ 1 nodes, each by its position: its partials, and the indices of its arguments.
    /// Returns the index of the last node.
    ///
    /// The caller has seen that all arguments are smaller than [`Storage::len`].
    ///
    /// # Safety
    /// `pair` does nothing to this list.
    #[inline(always)]
    pub(crate) unsafe fn push_pairs(
        &self,
        op: Op,
        count: usize,
        pair: impl Fn(usize) -> ([T; 2], [u32; 2]),
    ) -> u32 {
        assert!(count > 0, "an operation has at least one argument");
        let start = self.len.get();
        while ((self.capacity.get() - start) as usize) < count {
            self.grow();
        }
        // SAFETY: there is room for `count` more nodes, as just made sure (invariant 3), and stays there, because `pair`
        // records nothing here. No slice reaches as far (invariant 4).
        unsafe {
            let (nodes, ops) = (self.node(start as usize), self.op(start as usize));
            for position in 0..count {
                let (partials, [first, second]) = pair(position);
                let arguments = [first | Node::<T>::JOINED, second];
                nodes.add(position).write(Node { partials, arguments });
                ops.add(position).write(Op::Part);
            }
            (*nodes.add(count - 1)).arguments[0] &= !Node::<T>::JOINED;
            ops.add(count - 1).write(op);
        }
        self.len.set(start + count as u32);
        start + count as u32 - 1
    }

    /// Appends an operation with these results; `stop.first` becomes the index of the first.
    ///
    /// The caller has seen that all arguments are smaller than [`Storage::len`].
    pub(crate) fn push_stop(&self, mut stop: ListStop<T>) -> u32 {
        let (start, count) = (self.len.get(), stop.y.len());
        while ((self.capacity.get() - start) as usize) < count {
            self.grow();
        }
        let node = Node { partials: [T::from_f64(0.0); 2], arguments: [0; 2] };
        for _ in 0..count {
            self.push(Op::Result, node);
        }
        stop.first = start;
        self.stops.borrow_mut().push(Rc::new(stop));
        self.has_stops.set(true);
        start
    }

    /// The results of the operation that has all of these and no others.
    pub(crate) fn results_at(&self, range: Range<usize>) -> Option<Rc<[T]>> {
        let stops = self.stops.borrow();
        let place = stops.binary_search_by_key(&range.start, |stop| stop.results().start).ok()?;
        (stops[place].results() == range).then(|| Rc::clone(&stops[place].y))
    }

    /// Makes the last of several nodes the end of their operation, and returns its index.
    #[inline]
    pub(crate) fn finish(&self, op: Op) -> u32 {
        let last = self.len.get() - 1;
        assert!(
            last >= self.floor.get().max(self.base.get()).max(1),
            "nodes that are in use, and the sink, do not change"
        );
        // SAFETY: `base <= last < len`, so both entries are initialised (invariant 3). No slice reaches as far as `last`,
        // which is not below the floor (invariant 4).
        unsafe {
            (*self.node(last as usize)).arguments[0] &= !Node::<T>::JOINED;
            self.op(last as usize).write(op);
        }
        last
    }

    /// Where a node is, or would be.
    #[inline(always)]
    fn node(&self, index: usize) -> *mut Node<T> {
        self.first_node.get().wrapping_add(index)
    }

    #[inline(always)]
    fn op(&self, index: usize) -> *mut Op {
        self.first_op.get().wrapping_add(index)
    }

    /// From now on, nodes are handed on whenever there are so many.
    pub(crate) fn hand_on(&self, piece: u32, receiver: Receiver<T>) {
        assert!(self.base.get() == 0 && !self.is_held(), "the list is there as a whole");
        self.piece.set(piece);
        self.receiver.set(Some(receiver));
        self.capacity.set(self.capacity.get().min(piece.max(self.len.get())));
    }

    /// No node is handed on any more. Those that were are gone until the list is cleared.
    pub(crate) fn keep(&self) {
        self.piece.set(u32::MAX);
        self.receiver.set(None);
        self.note_room();
    }

    #[cold]
    #[inline(never)]
    fn grow(&self) {
        assert!(!self.is_held(), "a tape that is being swept or read cannot grow meanwhile");
        if self.capacity.get() - self.base.get() >= self.piece.get()
            && let Some(mut receiver) = self.receiver.take()
        {
            let has_room = self.hand_on_whole_operations(&mut receiver);
            self.receiver.set(Some(receiver));
            if has_room {
                return;
            }
        }
        let (base, len, capacity) = (self.base.get(), self.len.get(), self.capacity.get());
        assert!(
            capacity < Self::MAX_LEN,
            "the tape is full: it holds {} nodes; sweep and clear it, or use sum_over for a long sum",
            Self::MAX_LEN
        );
        let room = (capacity - base).saturating_mul(2).max(1024).min(Self::MAX_LEN - base);
        let here = (len - base) as usize;
        // SAFETY: no slice is in use, as just seen (invariant 4), and nothing else touches the vectors during this block.
        // Their first `here` entries, those from `base` to `len`, are initialised (invariant 3), and `T` and `Op` are
        // `Copy`, so that a length of 0 on return drops nothing.
        unsafe {
            let (nodes, ops) = (&mut *self.nodes.get(), &mut *self.ops.get());
            nodes.set_len(here);
            ops.set_len(here);
            nodes.reserve_exact(room as usize - here);
            ops.reserve_exact(room as usize - here);
            nodes.set_len(0);
            ops.set_len(0);
        }
        self.note_room();
        self.capacity.set(base + room);
    }

    /// Hands on all operations but one that is being recorded; gives whether there is room after that.
    fn hand_on_whole_operations(&self, receiver: &mut Receiver<T>) -> bool {
        let (base, len, capacity) = (self.base.get(), self.len.get(), self.capacity.get());
        if capacity == Self::MAX_LEN {
            return false;
        }
        let whole = self.hold_rest(|list| {
            let is_whole = |node: &Node<T>| !node.is_joined();
            let whole = list.nodes().iter().rposition(is_whole).map_or(0, |last| last + 1);
            let end = list.first + whole as u32;
            let stops = {
                let mut stops = self.stops.borrow_mut();
                let gone = stops.partition_point(|stop| stop.first < end);
                stops.drain(..gone).collect()
            };
            receiver(&list.nodes()[..whole], &list.ops()[..whole], stops);
            whole
        });
        let rest = len as usize - base as usize - whole;
        // SAFETY: no slice is in use any more: `grow` has seen that there was none, and the receiver cannot reach this list.
        // The entries that are moved, to where the vectors begin, are initialised.
        unsafe {
            let (nodes, ops) = (self.node(base as usize), self.op(base as usize));
            nodes.copy_from(nodes.add(whole), rest);
            ops.copy_from(ops.add(whole), rest);
        }
        let whole = whole as u32;
        self.base.set(base + whole);
        let capacity = capacity.saturating_add(whole).min(Self::MAX_LEN);
        self.note_room();
        self.capacity.set(capacity);
        len < capacity && whole > 0
    }

    /// Notes what the vectors hold: `base` is where they begin.
    fn note_room(&self) {
        let base = self.base.get();
        // SAFETY: nothing else touches the vectors during this block.
        let (node, op, room) = unsafe {
            let (nodes, ops) = (&mut *self.nodes.get(), &mut *self.ops.get());
            (nodes.as_mut_ptr(), ops.as_mut_ptr(), nodes.capacity().min(ops.capacity()))
        };
        self.first_node.set(node.wrapping_sub(base as usize));
        self.first_op.set(op.wrapping_sub(base as usize));
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        self.capacity.set(base.saturating_add(room).min(Self::MAX_LEN));
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

    fn record(storage: &Storage<f64>, count: usize) {
        for _ in 0..count {
            storage.push(Op::Input, Node { partials: [1.0; 2], arguments: [0; 2] });
        }
    }

    #[test]
    #[should_panic(expected = "nodes that are in use")]
    fn a_list_that_is_held_keeps_its_nodes() {
        let storage = Storage::<f64>::new(1);
        record(&storage, 1);
        storage.hold(|_| storage.truncate(1));
    }

    #[test]
    #[should_panic(expected = "nodes that are in use")]
    fn a_list_that_is_held_is_not_cleared() {
        let storage = Storage::<f64>::new(1);
        storage.hold(|_| storage.clear());
    }

    #[test]
    #[should_panic(expected = "cannot grow")]
    fn a_list_that_is_held_stays_where_it_is() {
        let storage = Storage::<f64>::new(1);
        storage.hold(|_| record(&storage, 2000));
    }

    /// Operations of one to seven nodes, recorded in three ways.
    fn record_operations(storage: &Storage<f64>, count: usize) {
        for operation in 0..count {
            let size = operation % 7 + 1;
            let partials = [storage.len().into(), 0.0];
            let arguments = [storage.len() - 1, 0];
            match operation % 3 {
                // SAFETY: the closure does nothing to the list.
                0 => {
                    unsafe { storage.push_pairs(Op::Sum, size, |_| (partials, arguments)) };
                }
                1 => {
                    for _ in 0..size {
                        let arguments = [arguments[0] | Node::<f64>::JOINED, 0];
                        storage.push(Op::Part, Node { partials, arguments });
                    }
                    storage.finish(Op::Sum);
                }
                _ => {
                    for _ in 0..size {
                        storage.push(Op::Sin, Node { partials, arguments });
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_handed_on_and_the_rest_are_the_list() {
        use std::{cell::RefCell, rc::Rc};
        let whole = Storage::<f64>::new(1);
        record_operations(&whole, 3000);
        let whole = whole.hold(|list| format!("{:?} {:?}", list.nodes(), list.ops()));
        for piece in [1, 4, 1000] {
            let storage = Storage::<f64>::new(1);
            let received = Rc::new(RefCell::new((Vec::new(), Vec::new(), Vec::new())));
            let pieces = Rc::clone(&received);
            let receive = move |nodes: &[Node<f64>], ops: &[Op], _| {
                let (all, all_ops, lengths) = &mut *pieces.borrow_mut();
                all.extend_from_slice(nodes);
                all_ops.extend_from_slice(ops);
                lengths.push(nodes.len());
                assert!(nodes.last().is_none_or(|last| !last.is_joined()));
            };
            storage.hand_on(piece, Box::new(receive));
            record_operations(&storage, 3000);
            let (mut nodes, mut ops, lengths) = received.take();
            assert!(lengths.len() > 3, "{} pieces", lengths.len());
            storage.hold_rest(|rest| {
                assert_eq!(rest.first as usize, nodes.len());
                nodes.extend_from_slice(rest.nodes());
                ops.extend_from_slice(rest.ops());
            });
            assert_eq!(format!("{nodes:?} {ops:?}"), whole);
            storage.clear();
            record_operations(&storage, 3000);
            let again = storage.hold(|list| format!("{:?} {:?}", list.nodes(), list.ops()));
            assert_eq!(again, whole);
        }
    }

    #[test]
    #[should_panic(expected = "not there as a whole")]
    fn a_list_that_has_handed_nodes_on_is_not_swept() {
        let storage = Storage::<f64>::new(1);
        storage.hand_on(4, Box::new(|_, _, _| ()));
        record(&storage, 2000);
        storage.hold(|_| ());
    }

    #[test]
    #[should_panic(expected = "nodes that are in use")]
    fn nodes_that_were_handed_on_are_not_taken_back() {
        let storage = Storage::<f64>::new(1);
        storage.hand_on(4, Box::new(|_, _, _| ()));
        record(&storage, 2000);
        storage.truncate(5);
    }

    #[test]
    fn a_list_that_is_held_is_followed_by_what_is_recorded_meanwhile() {
        let storage = Storage::<f64>::new(1);
        storage.hold(|list| {
            record(&storage, 3);
            storage.hold(|longer| assert_eq!(longer.nodes().len(), 4));
            storage.truncate(1);
            assert_eq!((list.nodes().len(), list.ops().len()), (1, 1));
        });
        storage.clear();
        record(&storage, 2000);
        assert_eq!(storage.len(), 2001);
    }
}
