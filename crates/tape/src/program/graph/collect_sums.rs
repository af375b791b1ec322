//! Pass: a chain of additions becomes one operation of many operands, its products a part of it.
//!
//! The sum keeps the order in which it was written, and every product is still rounded before it is added: the value
//! stays the same to the bit. A replay then runs one large instruction in place of many small ones.

use crate::op::Op;
use crate::program::graph::{Graph, Id, Node};

/// The graph with its chains collected.
pub(crate) fn collect_sums(graph: &Graph) -> Graph {
    let uses = graph.uses();
    let mut plan = Plan { graph, uses, part_of_sum: vec![false; graph.len()] };
    let mut sums: Vec<Option<Vec<Term>>> = vec![None; graph.len()];
    for id in graph.ids().rev() {
        if !plan.part_of_sum[id.index()] && plan.is_sum(id) {
            sums[id.index()] = plan.collect(id);
        }
    }
    let part_of_sum = plan.part_of_sum;
    let mut places: Vec<Id> = Vec::with_capacity(graph.len());
    places.extend((0..graph.inputs() as u32).map(Id));
    graph.rewrite(|collected, id, operands| {
        let place = match &sums[id.index()] {
            Some(terms) => push_sum(graph, collected, &places, terms),
            None if part_of_sum[id.index()] => Id(0),
            None => graph.copy(collected, id, operands),
        };
        places.push(place);
        place
    })
}

/// What is added: a node, or the product of two; `negated` is for a product with a constant.
#[derive(Clone, Copy)]
enum Term {
    Plain(Id),
    Negated(Id),
    Product(Id, Id),
    NegatedProduct(Id, Id),
}

struct Plan<'a> {
    graph: &'a Graph,
    uses: Vec<u32>,
    part_of_sum: Vec<bool>,
}

impl Plan<'_> {
    fn is_sum(&self, id: Id) -> bool {
        matches!(self.graph.op(id), Some(Op::Add | Op::Sub | Op::Sum))
    }

    fn is_used_once(&self, id: Id) -> bool {
        self.uses[id.index()] == 1
    }

    /// The terms of the chain that ends here, from left to right. `None` where there is nothing to gain.
    fn collect(&mut self, root: Id) -> Option<Vec<Term>> {
        // From the right to the left, down the chain.
        let mut reversed = Vec::new();
        let mut parts = Vec::new();
        let mut end = root;
        loop {
            let operands = self.graph.operands(end);
            let next = match (self.graph.op(end)?, operands) {
                (Op::Add, &[a, b]) => {
                    let (next, term) =
                        if self.continues(a) || !self.continues(b) { (a, b) } else { (b, a) };
                    reversed.push(self.term(term, &mut parts));
                    next
                }
                (Op::Sub, &[a, b]) => {
                    reversed.push(self.negated(b, &mut parts));
                    a
                }
                (_, operands) => {
                    for &operand in operands[1..].iter().rev() {
                        reversed.push(self.term(operand, &mut parts));
                    }
                    operands[0]
                }
            };
            if !self.continues(next) {
                if self.is_used_once(next) && self.graph.op(next) == Some(Op::Dot) {
                    parts.push(next);
                    let operands = self.graph.operands(next);
                    let (start, pairs) = operands.split_at(operands.len() % 2);
                    reversed
                        .extend(pairs.rchunks_exact(2).map(|pair| Term::Product(pair[0], pair[1])));
                    reversed.extend(start.iter().map(|&start| Term::Plain(start)));
                } else {
                    reversed.push(self.term(next, &mut parts));
                }
                break;
            }
            parts.push(next);
            end = next;
        }
        // A sum or a difference of two plain numbers is as good as it is.
        if parts.is_empty() && reversed.len() == 2 {
            return None;
        }
        for part in parts {
            self.part_of_sum[part.index()] = true;
        }
        reversed.reverse();
        Some(reversed)
    }

    /// Whether a chain goes on into this node.
    fn continues(&self, id: Id) -> bool {
        self.is_used_once(id) && self.is_sum(id)
    }

    fn term(&self, id: Id, parts: &mut Vec<Id>) -> Term {
        match (self.graph.op(id), self.graph.operands(id)) {
            (Some(Op::Mul), &[a, b]) if self.is_used_once(id) => {
                parts.push(id);
                Term::Product(a, b)
            }
            _ => Term::Plain(id),
        }
    }

    /// A term that is subtracted. −(a·b) is (−a)·b to the bit; it costs nothing where a is a constant.
    fn negated(&self, id: Id, parts: &mut Vec<Id>) -> Term {
        match (self.graph.op(id), self.graph.operands(id)) {
            (Some(Op::Mul), &[a, b]) if self.is_used_once(id) => {
                let is_constant = |id: Id| matches!(self.graph.node(id), Node::Constant(_));
                if is_constant(a) || is_constant(b) {
                    parts.push(id);
                    return if is_constant(a) {
                        Term::NegatedProduct(a, b)
                    } else {
                        Term::NegatedProduct(b, a)
                    };
                }
                Term::Negated(id)
            }
            _ => Term::Negated(id),
        }
    }
}

/// From how many products on a bias after them is added by itself.
const LONG: usize = 8;

/// Appends the sum: plain where it has no products, otherwise as products, a plain term among them times 1.
fn push_sum(graph: &Graph, into: &mut Graph, places: &[Id], terms: &[Term]) -> Id {
    let place = |id: Id| places[id.index()];
    let mut terms = terms.to_vec();
    // The first two terms commute; a plain one in front needs no factor.
    if let [Term::Product(..) | Term::NegatedProduct(..) | Term::Negated(_), Term::Plain(_), ..] =
        terms[..]
    {
        terms.swap(0, 1);
    }
    let plain = terms.iter().filter(|term| matches!(term, Term::Plain(_))).count();
    if plain == terms.len() {
        let operands: Vec<Id> = terms
            .iter()
            .map(|term| match *term {
                Term::Plain(id) => place(id),
                _ => unreachable!("all terms are plain"),
            })
            .collect();
        return into.push(Op::Sum, &operands);
    }
    // A bias after a dot product: as a product with 1 it would be the one pair that is not like the others, and cost the
    // whole sum its tiles.
    if let [products @ .., Term::Plain(bias)] = &terms[..]
        && products.len() >= LONG
        && products.iter().all(|term| matches!(term, Term::Product(..)))
    {
        let dot = push_sum(graph, into, places, products);
        return into.push(Op::Add, &[dot, place(*bias)]);
    }
    let mut operands = Vec::with_capacity(2 * terms.len());
    for (position, term) in terms.into_iter().enumerate() {
        match term {
            Term::Plain(id) if position == 0 => operands.push(place(id)),
            Term::Plain(id) => operands.extend([into.constant(1.0), place(id)]),
            Term::Negated(id) => operands.extend([into.constant(-1.0), place(id)]),
            Term::Product(a, b) => operands.extend([place(a), place(b)]),
            Term::NegatedProduct(constant, b) => {
                let value = graph.constant_value(constant).unwrap_or(f64::NAN);
                operands.extend([into.constant(-value), place(b)]);
            }
        }
    }
    into.push(Op::Dot, &operands)
}
