//! Pass: a chain of additions becomes one operation of many operands, its products a part of it.
//!
//! The sum keeps the order in which it was written, and every product is still rounded before it is added: the value
//! stays the same to the bit. A replay then runs one large instruction in place of many small ones.

use core::ops::Range;

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::op::Op;
use crate::program::graph::{Graph, Id, Node};

/// The graph with its chains collected, and without what it does not need.
pub(crate) fn collect_sums(graph: &Graph) -> Graph {
    let uses = graph.uses();
    let mut plan = Plan { graph, uses, terms: Vec::new(), sums: Vec::new(), parts: Vec::new() };
    for id in graph.ids().rev() {
        if plan.uses[id.index()] > 0 && plan.is_sum(id) {
            plan.collect(id);
        }
    }
    let Plan { uses, mut terms, mut sums, .. } = plan;
    let live = graph.ids().filter(|id| uses[id.index()] > 0);
    let (nodes, operands) = live.fold((graph.inputs(), 0), |(nodes, operands), id| {
        (nodes + 1, operands + graph.operands(id).len())
    });
    let operands = operands + 2 * terms.len();
    let mut collected = Collected {
        graph: Graph::with_room(graph.inputs(), nodes, operands).with_calls_of(graph),
        from: graph,
        places: vec![NOWHERE; graph.len()],
        constants: FxHashMap::with_capacity_and_hasher(16, FxBuildHasher),
        operands: Vec::new(),
    };
    for id in graph.ids() {
        let terms = match sums.last() {
            Some((sum, range)) if *sum == id => {
                let range = range.start as usize..range.end as usize;
                sums.pop();
                Some(&mut terms[range])
            }
            _ => None,
        };
        collected.places[id.index()] = match (graph.node(id), terms) {
            (Node::Input(position), _) => Id(position),
            (Node::Operation { .. }, Some(terms)) => collected.push_sum(terms),
            (Node::Operation { op, .. }, None) if uses[id.index()] > 0 => {
                collected.copy(op, graph.operands(id))
            }
            (Node::Call { call, .. }, _) if uses[id.index()] > 0 => {
                collected.copy_call(call, graph.operands(id))
            }
            (Node::Result { .. }, _) if uses[id.index()] > 0 => {
                graph.place_of_result(id, &collected.places)
            }
            // A constant is put where it is needed first.
            _ => NOWHERE,
        };
    }
    collected.finish()
}

/// What is added: a node, or the product of two; `negated` is for a product with a constant.
#[derive(Clone, Copy)]
enum Term {
    Plain(Id),
    Negated(Id),
    Product(Id, Id),
    NegatedProduct(Id, Id),
}

/// No place yet.
const NOWHERE: Id = Id(u32::MAX);

struct Plan<'a> {
    graph: &'a Graph,
    /// How often each node is used; 0 of what is dead, or becomes a part of a sum.
    uses: Vec<u32>,
    terms: Vec<Term>,
    /// The last node of each chain, and where its terms stand, from the end of the graph to its beginning.
    sums: Vec<(Id, Range<u32>)>,
    /// The nodes that the chain in hand takes in.
    parts: Vec<Id>,
}

impl Plan<'_> {
    fn is_sum(&self, id: Id) -> bool {
        matches!(self.graph.op(id), Some(Op::Add | Op::Sub | Op::Sum))
    }

    fn is_used_once(&self, id: Id) -> bool {
        self.uses[id.index()] == 1
    }

    /// Notes the terms of the chain that ends here, from left to right; nothing where there is nothing to gain.
    fn collect(&mut self, root: Id) {
        let start = self.terms.len();
        self.parts.clear();
        self.walk(root);
        // A sum or a difference of two plain numbers is as good as it is.
        if self.parts.is_empty() && self.terms.len() - start == 2 {
            return self.terms.truncate(start);
        }
        for part in self.parts.drain(..) {
            self.uses[part.index()] = 0;
        }
        self.terms[start..].reverse();
        self.sums.push((root, start as u32..self.terms.len() as u32));
    }

    /// Down the chain: its terms from the right to the left.
    fn walk(&mut self, root: Id) {
        let graph = self.graph;
        let mut end = root;
        loop {
            let operands = graph.operands(end);
            let next = match (graph.op(end), operands) {
                (Some(Op::Add), &[a, b]) => {
                    let (next, term) =
                        if self.continues(a) || !self.continues(b) { (a, b) } else { (b, a) };
                    self.add(term);
                    next
                }
                (Some(Op::Sub), &[a, b]) => {
                    self.subtract(b);
                    a
                }
                _ => {
                    for &operand in operands[1..].iter().rev() {
                        self.add(operand);
                    }
                    operands[0]
                }
            };
            if self.continues(next) {
                self.parts.push(next);
                end = next;
                continue;
            }
            if self.is_used_once(next) && graph.op(next) == Some(Op::Dot) {
                self.parts.push(next);
                let operands = graph.operands(next);
                let (start, pairs) = operands.split_at(operands.len() % 2);
                let products = pairs.rchunks_exact(2).map(|pair| Term::Product(pair[0], pair[1]));
                self.terms.extend(products.chain(start.iter().map(|&start| Term::Plain(start))));
            } else {
                self.add(next);
            }
            return;
        }
    }

    /// Whether a chain goes on into this node.
    fn continues(&self, id: Id) -> bool {
        self.is_used_once(id) && self.is_sum(id)
    }

    fn add(&mut self, id: Id) {
        let term = match (self.graph.op(id), self.graph.operands(id)) {
            (Some(Op::Mul), &[a, b]) if self.is_used_once(id) => {
                self.parts.push(id);
                Term::Product(a, b)
            }
            _ => Term::Plain(id),
        };
        self.terms.push(term);
    }

    /// A term that is subtracted. −(a·b) is (−a)·b to the bit; it costs nothing where a is a constant.
    fn subtract(&mut self, id: Id) {
        let term = match (self.graph.op(id), self.graph.operands(id)) {
            (Some(Op::Mul), &[a, b]) if self.is_used_once(id) => {
                let is_constant = |id: Id| matches!(self.graph.node(id), Node::Constant(_));
                match (is_constant(a), is_constant(b)) {
                    (true, _) => Term::NegatedProduct(a, b),
                    (_, true) => Term::NegatedProduct(b, a),
                    _ => Term::Negated(id),
                }
            }
            _ => Term::Negated(id),
        };
        if matches!(term, Term::NegatedProduct(..)) {
            self.parts.push(id);
        }
        self.terms.push(term);
    }
}

/// From how many products on a bias after them is added by itself.
const LONG: usize = 8;

/// The graph in the making.
struct Collected<'a> {
    graph: Graph,
    from: &'a Graph,
    /// Where the old graph's nodes have gone.
    places: Vec<Id>,
    constants: FxHashMap<u64, Id>,
    operands: Vec<Id>,
}

impl Collected<'_> {
    fn place(&mut self, id: Id) -> Id {
        let place = self.places[id.index()];
        if place != NOWHERE {
            return place;
        }
        let place = match self.from.node(id) {
            Node::Constant(value) => self.constant(value),
            _ => unreachable!("what is used comes before what uses it"),
        };
        self.places[id.index()] = place;
        place
    }

    fn constant(&mut self, value: f64) -> Id {
        *self.constants.entry(value.to_bits()).or_insert_with(|| self.graph.constant(value))
    }

    fn copy(&mut self, op: Op, operands: &[Id]) -> Id {
        match *operands {
            [a] => {
                let a = self.place(a);
                return self.graph.push(op, &[a]);
            }
            [a, b] => {
                let (a, b) = (self.place(a), self.place(b));
                return self.graph.push(op, &[a, b]);
            }
            _ => {}
        }
        let mut copied = core::mem::take(&mut self.operands);
        copied.clear();
        for &operand in operands {
            copied.push(self.place(operand));
        }
        let id = self.graph.push(op, &copied);
        self.operands = copied;
        id
    }

    fn copy_call(&mut self, call: u32, operands: &[Id]) -> Id {
        let operands: Vec<Id> = operands.iter().map(|&operand| self.place(operand)).collect();
        self.graph.push_call(call, &operands)
    }

    /// Appends the sum: plain where it has no products, otherwise as products, a plain term among them times 1.
    fn push_sum(&mut self, terms: &mut [Term]) -> Id {
        // The first two terms commute; a plain one in front needs no factor.
        if let [
            Term::Product(..) | Term::NegatedProduct(..) | Term::Negated(_),
            Term::Plain(_),
            ..,
        ] = terms
        {
            terms.swap(0, 1);
        }
        // A bias after a dot product: as a product with 1 it would be the one pair that is not like the others, and cost
        // the whole sum its tiles.
        if let [products @ .., Term::Plain(bias)] = terms
            && products.len() >= LONG
            && products.iter().all(|term| matches!(term, Term::Product(..)))
        {
            let bias = *bias;
            let dot = self.push_sum(products);
            let bias = self.place(bias);
            return self.graph.push(Op::Add, &[dot, bias]);
        }
        let all_plain = terms.iter().all(|term| matches!(term, Term::Plain(_)));
        // Factors that are added here stand where the sum has its constants, so that like terms stay alike.
        let constants_last = self.has_constants_last(terms);
        let mut operands = core::mem::take(&mut self.operands);
        operands.clear();
        for (position, term) in terms.iter().enumerate() {
            let (factor, id) = match *term {
                Term::Plain(id) if all_plain || position == 0 => {
                    operands.push(self.place(id));
                    continue;
                }
                Term::Plain(id) => (self.constant(1.0), id),
                Term::Negated(id) => (self.constant(-1.0), id),
                Term::Product(a, b) => (self.place(a), b),
                Term::NegatedProduct(constant, id) => {
                    let value = self.from.constant_value(constant).unwrap_or(f64::NAN);
                    (self.constant(-value), id)
                }
            };
            let (is_product, id) = (matches!(term, Term::Product(..)), self.place(id));
            operands.extend(if constants_last && !is_product {
                [id, factor]
            } else {
                [factor, id]
            });
        }
        let id = self.graph.push(if all_plain { Op::Sum } else { Op::Dot }, &operands);
        self.operands = operands;
        id
    }

    /// Whether more products of the sum have a constant as their second factor than as their first.
    fn has_constants_last(&self, terms: &[Term]) -> bool {
        let is_constant = |id: Id| matches!(self.from.node(id), Node::Constant(_));
        let mut more = 0;
        for term in terms {
            if let Term::Product(a, b) = *term {
                more += i64::from(is_constant(b)) - i64::from(is_constant(a));
            }
        }
        more > 0
    }

    fn finish(mut self) -> Graph {
        let outputs = self.from.outputs.iter();
        self.graph.outputs = outputs.map(|&output| self.place(output)).collect();
        let guards = self.from.guards.iter();
        self.graph.guards = guards.map(|guard| guard.map(|id| self.place(id))).collect();
        self.graph
    }
}
