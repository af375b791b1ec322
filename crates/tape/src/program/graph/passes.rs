//! The passes in the order in which each finds most.

use crate::program::graph::Graph;
use crate::program::graph::builder::{Builder, Passes, rebuilt, rebuilt_by};
use crate::program::graph::collect_sums::collect_sums;
use crate::program::graph::drop_dead_code::{drop_dead_code, drop_idle_guards};
use crate::program::graph::simplify::Rewrites;

/// All passes.
pub(crate) fn optimize(graph: &Graph, rewrites: Rewrites) -> Graph {
    optimize_from_sums(rebuilt(graph, Passes::NumberValues(rewrites)))
}

/// The passes that a [`Builder`](super::builder::Builder) runs, and then what they leave is dropped.
pub(crate) fn optimize_until_sums(graph: &Graph, rewrites: Rewrites) -> Graph {
    drop_dead_code(&rebuilt(graph, Passes::NumberValues(rewrites)))
}

/// The passes from the collection of chains of additions on. They look at no dead code.
pub(crate) fn optimize_from_sums(mut graph: Graph) -> Graph {
    drop_idle_guards(&mut graph);
    collect_sums(&graph)
}

/// What the graph becomes by each pass in turn, with the pass's name. A chain is collected with new constants, and leaves
/// behind what it was made of; the last pass sees to both as it goes.
pub(crate) fn each_pass(graph: &Graph, rewrites: Rewrites) -> Vec<(&'static str, Graph)> {
    let by = |passes| {
        let builder = Builder::new(graph.inputs(), passes, graph.len());
        rebuilt_by(graph, builder.keeping_what_is_replaced())
    };
    let numbered = by(Passes::NumberValues(rewrites));
    let live = drop_dead_code(&numbered);
    let collected = collect_sums(&live);
    vec![
        ("fold constants", by(Passes::FoldConstants)),
        ("simplify", by(Passes::Simplify(rewrites))),
        ("number values", numbered),
        ("drop dead code", live),
        ("collect sums", collected.clone()),
        ("number values", collected.clone()),
        ("drop dead code", collected),
    ]
}
