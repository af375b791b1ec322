//! Pass for batches: a long sum is added up as its terms come.
//!
//! A sum that stands at the end needs all its terms, and their adjoints, at a time: of many rows, more than the first-level
//! cache holds. The terms keep their order, so that the value stays the same to the bit.

use core::ops::Range;
use std::borrow::Cow;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::op::Op;
use crate::program::graph::{Graph, Id};

/// How many terms are added at a time.
const TERMS: usize = 8;

/// Some terms of a sum, but not its last ones.
struct Part {
    /// The last of what it needs.
    after: Id,
    sum: Id,
    terms: Range<usize>,
}

/// The graph with its long sums in parts, each where its terms are.
pub(crate) fn split_sums(graph: &Graph) -> Cow<'_, Graph> {
    let mut parts: Vec<Part> = Vec::new();
    for sum in graph.ids().filter(|&id| graph.op(id) == Some(Op::Sum)) {
        let terms = graph.operands(sum);
        let computed = terms.iter().filter(|&&term| graph.op(term).is_some()).count();
        if computed < 2 * TERMS {
            continue;
        }
        let mut after = Id(0);
        for start in (0..terms.len() - TERMS).step_by(TERMS) {
            let terms = start..start + TERMS;
            after = graph.operands(sum)[terms.clone()].iter().copied().fold(after, Id::max);
            parts.push(Part { after, sum, terms });
        }
    }
    if parts.is_empty() {
        return Cow::Borrowed(graph);
    }
    // (Parts of one sum stay in order.)
    parts.sort_by_key(|part| part.after);
    let mut parts = parts.into_iter().peekable();
    let mut places: Vec<Id> = graph.ids().take(graph.inputs()).collect();
    // Of each sum, what has been added up, and how many terms that is.
    let mut begun: FxHashMap<Id, (Id, usize)> = FxHashMap::default();
    Cow::Owned(graph.rewrite(|split, id, operands| {
        while let Some(Part { sum, terms, .. }) = parts.next_if(|part| part.after < id) {
            let (end, terms) = (terms.end, &graph.operands(sum)[terms]);
            let before = begun.get(&sum).map(|&(before, _)| before);
            let terms = terms.iter().map(|term| places[term.index()]);
            let terms: SmallVec<[Id; TERMS + 1]> = before.into_iter().chain(terms).collect();
            begun.insert(sum, (split.push(Op::Sum, &terms), end));
        }
        let place = match begun.remove(&id) {
            Some((before, end)) => split.push(Op::Sum, &[&[before], &operands[end..]].concat()),
            None => graph.copy(split, id, operands),
        };
        places.push(place);
        place
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sum of the first `count` powers of the input, each made of the one before.
    fn powers(count: usize) -> Graph {
        let mut graph = Graph::new(1);
        let mut powers = vec![graph.push(Op::Mul, &[Id(0), Id(0)])];
        while powers.len() < count {
            powers.push(graph.push(Op::Mul, &[powers[powers.len() - 1], Id(0)]));
        }
        let sum = graph.push(Op::Sum, &powers);
        graph.outputs = vec![sum];
        graph
    }

    fn value_at(graph: &Graph, x: f64) -> f64 {
        graph.evaluate(&[x])[graph.outputs[0].index()]
    }

    #[test]
    fn a_sum_in_parts_has_the_bits_of_the_sum() {
        let whole = powers(100);
        let split = split_sums(&whole);
        assert_eq!(value_at(&split, 0.7).to_bits(), value_at(&whole, 0.7).to_bits());
    }

    #[test]
    fn a_term_is_added_a_few_nodes_after_it() {
        let split = split_sums(&powers(100)).into_owned();
        let farthest = split.ids().flat_map(|id| {
            split.operands(id).iter().filter(|o| o.0 > 0).map(move |operand| id.0 - operand.0)
        });
        assert_eq!(farthest.max(), Some(TERMS as u32 + 1));
    }

    #[test]
    fn a_short_sum_stays_whole() {
        assert!(matches!(split_sums(&powers(2 * TERMS - 1)), Cow::Borrowed(_)));
    }
}
