//! The passes that look at a graph once, from its inputs on: constants are folded, expressions simplified, and what is
//! computed twice is found, node by node, while the graph is made.
//!
//! One walk does what three would, and a trace that is built this way never exists as a graph without them. Each pass can
//! still be had by itself, to be shown and tested.

use smallvec::SmallVec;

use crate::op::Op;
use crate::program::graph::fold_constants::{Folded, folded};
use crate::program::graph::number_values::Numbers;
use crate::program::graph::simplify::{Expression, Rewrites, Rewritten, Rules};
use crate::program::graph::{Call, Graph, Id, Node};

/// Which passes are run: each also runs those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passes {
    None,
    FoldConstants,
    Simplify(Rewrites),
    NumberValues(Rewrites),
}

/// A graph in the making.
pub(crate) struct Builder {
    graph: Graph,
    folds: bool,
    rules: Option<&'static Rules>,
    numbers: Option<Numbers>,
    /// Whether what a rule replaces stays, to be seen, until dead code is dropped.
    keeps_replaced: bool,
}

impl Builder {
    /// An empty graph; about so many nodes will be added.
    pub(crate) fn new(inputs: usize, passes: Passes, nodes: usize) -> Self {
        let (rewrites, numbers) = match passes {
            Passes::Simplify(rewrites) => (Some(rewrites), None),
            Passes::NumberValues(rewrites) => (Some(rewrites), Some(Numbers::with_room(nodes))),
            Passes::None | Passes::FoldConstants => (None, None),
        };
        Self {
            graph: Graph::with_room(inputs, nodes, 2 * nodes),
            folds: passes != Passes::None,
            rules: rewrites.map(Rules::of_rewrites),
            numbers,
            keeps_replaced: false,
        }
    }

    /// For people who look at the passes one by one: what a rule replaces stays until dead code is dropped.
    pub(crate) fn keeping_what_is_replaced(self) -> Self {
        Self { keeps_replaced: true, ..self }
    }

    /// The graph without repetitions, and not changed otherwise.
    #[cfg(test)]
    pub(crate) fn only_numbering(inputs: usize) -> Self {
        Self {
            graph: Graph::new(inputs),
            folds: false,
            rules: None,
            numbers: Some(Numbers::with_room(16)),
            keeps_replaced: false,
        }
    }

    pub(crate) fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Notes an operation of one's own, to be called.
    pub(crate) fn note_call(&mut self, call: Call) -> u32 {
        self.graph.note_call(call)
    }

    /// A call and its results: new ones, or those that are the same.
    pub(crate) fn push_call(&mut self, call: u32, operands: &[Id]) -> Id {
        let equal = self.numbers.as_mut().and_then(|n| n.call(&self.graph, call, operands));
        equal.unwrap_or_else(|| self.graph.push_call(call, operands))
    }

    /// The node of a constant.
    pub(crate) fn constant(&mut self, value: f64) -> Id {
        let equal = self.numbers.as_mut().and_then(|n| n.constant(&self.graph, value));
        equal.unwrap_or_else(|| self.graph.constant(value))
    }

    /// The node of an operation: a new one, or one that computes the same.
    #[inline]
    pub(crate) fn push(&mut self, op: Op, operands: &[Id]) -> Id {
        match self.rules {
            Some(rules) if rules.may_apply(&self.graph, op, operands) => {
                self.simplified(rules, op, operands)
            }
            _ => self.push_as_it_is(op, operands),
        }
    }

    /// The same, but no rule is applied to it.
    #[inline]
    pub(super) fn push_as_it_is(&mut self, op: Op, operands: &[Id]) -> Id {
        if self.folds
            && let Some(folded) = folded(&self.graph, op, operands)
        {
            return match folded {
                Folded::Constant(value) => self.constant(value),
                Folded::Operand(id) => id,
            };
        }
        let equal = self.numbers.as_mut().and_then(|n| n.operation(&self.graph, op, operands));
        equal.unwrap_or_else(|| self.graph.push(op, operands))
    }

    /// By as many rules as apply one after the other.
    fn simplified(&mut self, rules: &Rules, op: Op, operands: &[Id]) -> Id {
        // Every rule makes the expression smaller or an operation cheaper; the bound is for rules to come.
        const MOST: usize = 8;
        let mut expression = Expression { op, operands: SmallVec::from_slice(operands) };
        for _ in 0..MOST {
            if folded(&self.graph, expression.op, &expression.operands).is_some() {
                break;
            }
            let Some(found) = rules.applying_to(&self.graph, &expression) else { break };
            if self.keeps_replaced {
                self.push_as_it_is(expression.op, &expression.operands);
            }
            match found.build(self) {
                Rewritten::Node(id) => return id,
                Rewritten::Expression(rewritten) => expression = rewritten,
            }
        }
        self.push_as_it_is(expression.op, &expression.operands)
    }

    pub(crate) fn finish(self) -> Graph {
        self.graph
    }
}

/// The graph as the passes make it.
pub(crate) fn rebuilt(graph: &Graph, passes: Passes) -> Graph {
    rebuilt_by(graph, Builder::new(graph.inputs(), passes, graph.len()))
}

pub(crate) fn rebuilt_by(graph: &Graph, mut builder: Builder) -> Graph {
    builder.graph = builder.graph.with_calls_of(graph);
    let mut places: Vec<Id> = Vec::with_capacity(graph.len());
    places.extend((0..graph.inputs() as u32).map(Id));
    let mut operands: SmallVec<[Id; 8]> = SmallVec::new();
    for id in graph.ids().skip(graph.inputs()) {
        let place = match graph.node(id) {
            Node::Operation { op, .. } => {
                operands.clear();
                operands.extend(graph.operands(id).iter().map(|operand| places[operand.index()]));
                builder.push(op, &operands)
            }
            Node::Call { call, .. } => {
                operands.clear();
                operands.extend(graph.operands(id).iter().map(|operand| places[operand.index()]));
                builder.push_call(call, &operands)
            }
            Node::Result { .. } => graph.place_of_result(id, &places),
            Node::Constant(value) => builder.constant(value),
            Node::Input(position) => Id(position),
        };
        places.push(place);
    }
    let mut rebuilt = builder.finish();
    rebuilt.outputs = graph.outputs.iter().map(|output| places[output.index()]).collect();
    rebuilt.guards = graph.guards.iter().map(|guard| guard.map(|id| places[id.index()])).collect();
    rebuilt
}
