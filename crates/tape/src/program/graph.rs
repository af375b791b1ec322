//! A traced function as data: what the passes rewrite, and what programs are scheduled from.
//!
//! A graph is a list of nodes in an order in which they can be computed. **Invariants**, which [`Graph::push`] checks
//! when debugging and [`Graph::validate`] checks for graphs from outside:
//! 1. The first nodes are the inputs, in order, and no other node is one.
//! 2. An operand's number is smaller than its node's.
//! 3. An operation has as many operands as its [`Op`] takes.
//! 4. The results of a call follow it, all of them, in order.

pub(crate) mod builder;
pub(crate) mod collect_sums;
pub(crate) mod coloring;
pub(crate) mod drop_dead_code;
pub(crate) mod fold_constants;
pub(crate) mod hoist;
pub(crate) mod lower;
pub(crate) mod number_values;
pub(crate) mod passes;
pub(crate) mod simplify;
pub(crate) mod sparsity;
pub(crate) mod split_sums;
pub(crate) mod trace;

use core::fmt::{self, Debug};
use core::ops::Range;
use core::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use smallvec::SmallVec;

use crate::error::Error;
use crate::guard::Guard;
use crate::list::stop::{Called, Erased};
use crate::op::Op;

/// The number of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub(crate) struct Id(pub(crate) u32);

impl Id {
    #[inline(always)]
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a node computes. The operands of an operation stand in [`Graph::operands`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Node {
    /// The input at this position.
    Input(u32),
    Constant(f64),
    Operation {
        op: Op,
        first: u32,
        count: u32,
    },
    /// A call of an operation of one's own, by its place in [`Graph::calls`]. Its results follow it.
    Call {
        call: u32,
        first: u32,
    },
    /// A result of a call, which is its operand. Where it does not depend on all that the call does, what it depends on stands
    /// after that, and `count` is how many operands these are together; otherwise `count` is 0.
    Result {
        first: u32,
        count: u32,
    },
}

/// An operation of one's own that a graph calls.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) operation: Arc<dyn Erased<f64>>,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

/// An operation depends on nothing but its inputs and what it holds, which does not change.
impl UnwindSafe for Call {}
impl RefUnwindSafe for Call {}

impl Call {
    /// A result of a call whose operands stand there among all; its own are appended.
    pub(crate) fn result(
        &self,
        call: Id,
        output: usize,
        operands: Range<usize>,
        all: &mut Vec<Id>,
    ) -> Node {
        let first = all.len() as u32;
        all.push(call);
        let mut count = 0;
        if let Some(inputs) = self.operation.dependencies(output) {
            for input in inputs.into_iter().filter(|&input| input < operands.len()) {
                all.push(all[operands.start + input]);
            }
            count = all.len() as u32 - first;
        }
        Node::Result { first, count }
    }
}

impl Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{} → {}]", self.operation.name(), self.inputs, self.outputs)
    }
}

impl PartialEq for Call {
    fn eq(&self, other: &Self) -> bool {
        (self.inputs, self.outputs) == (other.inputs, other.outputs)
            && self.operation.identity() == other.operation.identity()
    }
}

/// A traced function. See the module's invariants.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Graph {
    inputs: usize,
    nodes: Vec<Node>,
    operands: Vec<Id>,
    /// The operations that calls name.
    calls: Vec<Call>,
    pub(crate) outputs: Vec<Id>,
    pub(crate) guards: Vec<Guard<Id>>,
}

impl Graph {
    /// A graph of nothing but inputs.
    pub(crate) fn new(inputs: usize) -> Self {
        let nodes = (0..inputs as u32).map(Node::Input).collect();
        Self { inputs, nodes, ..Self::default() }
    }

    /// The same, with room for so many nodes and operands.
    pub(crate) fn with_room(inputs: usize, nodes: usize, operands: usize) -> Self {
        let mut room = Vec::with_capacity(nodes.max(inputs));
        room.extend((0..inputs as u32).map(Node::Input));
        Self { inputs, nodes: room, operands: Vec::with_capacity(operands), ..Self::default() }
    }

    /// The same, with the calls of another graph.
    pub(crate) fn with_calls_of(self, other: &Self) -> Self {
        Self { calls: other.calls.clone(), ..self }
    }

    pub(crate) fn inputs(&self) -> usize {
        self.inputs
    }

    /// The number of nodes.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The number of operations.
    pub(crate) fn operations(&self) -> usize {
        let is_operation =
            |node: &&Node| matches!(node, Node::Operation { .. } | Node::Call { .. });
        self.nodes.iter().filter(is_operation).count()
    }

    pub(crate) fn ids(&self) -> impl DoubleEndedIterator<Item = Id> + ExactSizeIterator + use<> {
        (0..self.nodes.len() as u32).map(Id)
    }

    #[inline]
    pub(crate) fn node(&self, id: Id) -> Node {
        self.nodes[id.index()]
    }

    /// The operands of a node; an input and a constant have none.
    #[inline]
    pub(crate) fn operands(&self, id: Id) -> &[Id] {
        match self.nodes[id.index()] {
            Node::Operation { first, count, .. } => {
                &self.operands[first as usize..][..count as usize]
            }
            Node::Call { call, first } => {
                &self.operands[first as usize..][..self.calls[call as usize].inputs]
            }
            Node::Result { first, .. } => &self.operands[first as usize..][..1],
            _ => &[],
        }
    }

    /// What a node calls, if it is a call.
    #[inline]
    pub(crate) fn call(&self, id: Id) -> Option<&Call> {
        match self.nodes[id.index()] {
            Node::Call { call, .. } => Some(&self.calls[call as usize]),
            _ => None,
        }
    }

    /// The call of which a node is a result, and which.
    pub(crate) fn result(&self, id: Id) -> Option<(Id, usize)> {
        match self.nodes[id.index()] {
            Node::Result { first, .. } => {
                let call = self.operands[first as usize];
                Some((call, id.index() - call.index() - 1))
            }
            _ => None,
        }
    }

    /// The operation of a node, if it is one.
    #[inline]
    pub(crate) fn op(&self, id: Id) -> Option<Op> {
        match self.nodes[id.index()] {
            Node::Operation { op, .. } => Some(op),
            _ => None,
        }
    }

    /// The value of a constant node.
    #[inline]
    pub(crate) fn constant_value(&self, id: Id) -> Option<f64> {
        match self.nodes[id.index()] {
            Node::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// Appends a constant.
    pub(crate) fn constant(&mut self, value: f64) -> Id {
        self.append(Node::Constant(value))
    }

    /// Appends an operation.
    #[inline]
    pub(crate) fn push(&mut self, op: Op, operands: &[Id]) -> Id {
        debug_assert!(op.takes(operands.len()), "{op:?} of {} operands", operands.len());
        debug_assert!(operands.iter().all(|operand| operand.index() < self.nodes.len()));
        let first = self.operands.len() as u32;
        match *operands {
            [a] => self.operands.push(a),
            [a, b] => self.operands.extend_from_slice(&[a, b]),
            _ => self.operands.extend_from_slice(operands),
        }
        self.append(Node::Operation { op, first, count: operands.len() as u32 })
    }

    /// Where a result is in another graph, in which nodes have these places.
    pub(crate) fn place_of_result(&self, id: Id, places: &[Id]) -> Id {
        let Some((call, position)) = self.result(id) else { return places[id.index()] };
        Id(places[call.index()].0.wrapping_add(1 + position as u32))
    }

    /// Notes an operation that is called, and returns its place.
    pub(crate) fn note_call(&mut self, call: Call) -> u32 {
        self.calls.push(call);
        self.calls.len() as u32 - 1
    }

    pub(crate) fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// Appends a call and its results; returns the call.
    pub(crate) fn push_call(&mut self, call: u32, operands: &[Id]) -> Id {
        let first = self.operands.len() as u32;
        self.operands.extend_from_slice(operands);
        let id = self.append(Node::Call { call, first });
        let call = self.calls[call as usize].clone();
        debug_assert!(operands.len() == call.inputs);
        for output in 0..call.outputs {
            let range = first as usize..first as usize + call.inputs;
            let node = call.result(id, output, range, &mut self.operands);
            self.append(node);
        }
        id
    }

    fn append(&mut self, node: Node) -> Id {
        let id = Id(self.nodes.len() as u32);
        self.nodes.push(node);
        id
    }

    /// This graph with every node but the inputs replaced by what `visit` makes of it: the frame of a pass.
    ///
    /// `visit` gets the graph that has been made so far, the old node, and the operands' numbers in the new graph; it
    /// returns the number of the node that takes the old one's place.
    pub(crate) fn rewrite(&self, mut visit: impl FnMut(&mut Graph, Id, &[Id]) -> Id) -> Graph {
        let mut rewritten = Graph::new(self.inputs).with_calls_of(self);
        let mut places: Vec<Id> = rewritten.ids().collect();
        let mut operands: SmallVec<[Id; 8]> = SmallVec::new();
        for id in self.ids().skip(self.inputs) {
            operands.clear();
            operands.extend(self.operands(id).iter().map(|operand| places[operand.index()]));
            let place = match self.node(id) {
                Node::Result { .. } => self.place_of_result(id, &places),
                _ => visit(&mut rewritten, id, &operands),
            };
            places.push(place);
        }
        rewritten.outputs = self.outputs.iter().map(|output| places[output.index()]).collect();
        rewritten.guards =
            self.guards.iter().map(|guard| guard.map(|id| places[id.index()])).collect();
        rewritten
    }

    /// The node as it is, appended to another graph: what a pass does with a node that it has nothing to say about.
    pub(crate) fn copy(&self, into: &mut Graph, id: Id, operands: &[Id]) -> Id {
        match self.node(id) {
            Node::Operation { op, .. } => into.push(op, operands),
            Node::Call { call, .. } => into.push_call(call, operands),
            node => into.append(node),
        }
    }

    /// The numbers of times that each node is used, by outputs, guards, and operations that are used themselves.
    pub(crate) fn uses(&self) -> Vec<u32> {
        let mut uses = vec![0_u32; self.nodes.len()];
        for id in self.outputs.iter().copied().chain(self.guards.iter().flat_map(|g| g.operands)) {
            uses[id.index()] += 1;
        }
        for id in self.ids().rev() {
            if uses[id.index()] > 0 {
                for operand in self.operands(id) {
                    uses[operand.index()] += 1;
                }
            }
        }
        uses
    }

    /// Which nodes the given ones depend on, themselves included.
    pub(crate) fn needed_by(&self, roots: impl IntoIterator<Item = Id>) -> Vec<bool> {
        let mut needed = vec![false; self.nodes.len()];
        for root in roots {
            needed[root.index()] = true;
        }
        for id in self.ids().rev() {
            if needed[id.index()] {
                for operand in self.operands(id) {
                    needed[operand.index()] = true;
                }
            }
        }
        needed
    }

    /// Which nodes depend on an input that `wanted` picks by its position.
    pub(crate) fn depending_on(&self, wanted: impl Fn(usize) -> bool) -> Vec<bool> {
        let mut depends = vec![false; self.nodes.len()];
        for id in self.ids() {
            depends[id.index()] = match self.node(id) {
                Node::Input(position) => wanted(position as usize),
                _ => self.operands(id).iter().any(|operand| depends[operand.index()]),
            };
        }
        depends
    }

    /// The operands with respect to which a node's partials are not 0 everywhere.
    pub(crate) fn varying_operands(&self, id: Id) -> &[Id] {
        let operands = self.operands(id);
        if let Node::Result { first, count } = self.nodes[id.index()] {
            let first = first as usize;
            return if count == 0 {
                &self.operands[first..=first]
            } else {
                &self.operands[first + 1..first + count as usize]
            };
        }
        match self.op(id) {
            Some(op) if op.is_flat() => &[],
            // The condition; the other factor.
            Some(Op::Select | Op::Cofactor) => &operands[1..],
            // What is subtracted is a constant, as far as derivatives go; the next two take an integer; a tip has a length.
            Some(Op::Weight | Op::Powi | Op::Polygamma | Op::Tip) => &operands[..1],
            _ => operands,
        }
    }

    /// Which nodes vary with an input that `wanted` picks by its position, so that they have a derivative.
    pub(crate) fn varying_with(&self, wanted: impl Fn(usize) -> bool) -> Vec<bool> {
        let mut varies = vec![false; self.nodes.len()];
        for id in self.ids() {
            varies[id.index()] = match self.node(id) {
                Node::Input(position) => wanted(position as usize),
                _ => self.varying_operands(id).iter().any(|operand| varies[operand.index()]),
            };
        }
        varies
    }

    /// The values of all nodes, in any type of number, one node after the other: the oracle of faster ways, and what
    /// folding and printing use.
    pub(crate) fn evaluate<T: Called>(&self, x: &[T]) -> Vec<T> {
        let mut values: Vec<T> = Vec::with_capacity(self.nodes.len());
        let mut arguments: SmallVec<[T; 8]> = SmallVec::new();
        let mut results: Vec<T> = Vec::new();
        for id in self.ids() {
            let value = match self.node(id) {
                Node::Input(position) => x[position as usize],
                Node::Constant(value) => T::from_f64(value),
                Node::Operation { op, .. } => {
                    arguments.clear();
                    arguments.extend(self.operands(id).iter().map(|o| values[o.index()]));
                    op.evaluate(&arguments)
                }
                Node::Call { call, .. } => {
                    let Call { operation, outputs, .. } = &self.calls[call as usize];
                    arguments.clear();
                    arguments.extend(self.operands(id).iter().map(|o| values[o.index()]));
                    results = vec![T::from_f64(f64::NAN); *outputs];
                    T::call(&**operation, &arguments, &mut results);
                    T::from_f64(f64::NAN)
                }
                Node::Result { .. } => {
                    let position = self.result(id).map_or(0, |(_, position)| position);
                    results[position]
                }
            };
            values.push(value);
        }
        values
    }

    /// A graph from outside: from bytes that anyone may have written.
    ///
    /// # Errors
    /// As [`Graph::validate`].
    pub(crate) fn assemble(
        inputs: usize,
        nodes: Vec<Node>,
        operands: Vec<Id>,
        calls: Vec<Call>,
        outputs: Vec<Id>,
        guards: Vec<Guard<Id>>,
    ) -> Result<Self, Error> {
        let graph = Self { inputs, nodes, operands, calls, outputs, guards };
        graph.validate()?;
        Ok(graph)
    }

    /// Checks what the other methods rely on.
    ///
    /// # Errors
    /// [`Error::Malformed`] when an invariant of the module does not hold, [`Error::TooLarge`] when numbers of nodes,
    /// operands, outputs or guards may not fit into 32 bits.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        let fault = |fault: &'static str| Err(Error::Malformed { fault: fault.into() });
        for (what, size) in [
            ("nodes", self.nodes.len()),
            ("operands", self.operands.len()),
            ("outputs", self.outputs.len()),
            ("guards", self.guards.len()),
        ] {
            // So that sums of these fit into 32 bits too.
            if size >= u32::MAX as usize / 4 {
                return Err(Error::TooLarge { what, size });
            }
        }
        if self.nodes.len() < self.inputs {
            return fault("an input is missing");
        }
        for (place, &node) in self.nodes.iter().enumerate() {
            match node {
                Node::Input(position) if place != position as usize || place >= self.inputs => {
                    return fault("an input is not in its place");
                }
                Node::Input(_) => {}
                _ if place < self.inputs => return fault("an input is missing"),
                Node::Constant(_) => {}
                // Whoever makes a call makes its results.
                Node::Call { .. } | Node::Result { .. } => {
                    if self.operands(Id(place as u32)).iter().any(|id| id.index() >= place) {
                        return fault("an operand does not come before its operation");
                    }
                }
                Node::Operation { op, first, count } => {
                    let operands = (first as usize)
                        .checked_add(count as usize)
                        .and_then(|end| self.operands.get(first as usize..end));
                    let Some(operands) = operands else {
                        return fault("an operation's operands are missing");
                    };
                    if !op.takes(operands.len()) {
                        return fault("an operation has the wrong number of operands");
                    }
                    if operands.iter().any(|operand| operand.index() >= place) {
                        return fault("an operand does not come before its operation");
                    }
                    if op.takes_integer()
                        && !matches!(self.nodes[operands[1].index()], Node::Constant(_))
                    {
                        return fault("an integer argument is not a constant");
                    }
                }
            }
        }
        let by_guards = self.guards.iter().flat_map(|guard| guard.operands);
        if self.outputs.iter().copied().chain(by_guards).any(|id| id.index() >= self.nodes.len()) {
            return fault("an output or a guard is of no node");
        }
        if self.guards.iter().any(|guard| !guard.comparison.can_give(guard.outcome)) {
            return fault("a guard has an outcome that its comparison never has");
        }
        Ok(())
    }
}
