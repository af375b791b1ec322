//! Pass: what no output and no guard depends on is left out.

use crate::program::graph::{Graph, Id};

/// The graph of the nodes that are needed. A guard that compares two constants needs no replay to hold, and is dropped.
pub(crate) fn drop_dead_code(graph: &Graph) -> Graph {
    let is_constant = |id: &Id| graph.constant_value(*id).is_some();
    let guards = graph.guards.iter().filter(|guard| !guard.operands.iter().all(is_constant));
    let by_guards = guards.flat_map(|guard| guard.operands);
    let needed = graph.needed_by(graph.outputs.iter().copied().chain(by_guards));
    let mut kept = graph.clone();
    kept.guards.retain(|guard| !guard.operands.iter().all(is_constant));
    let mut seen = std::collections::HashSet::new();
    kept.guards.retain(|guard| seen.insert(*guard));
    kept.rewrite(|kept, id, operands| {
        // Nothing that is needed refers to a node that is not.
        if needed[id.index()] { graph.copy(kept, id, operands) } else { Id(0) }
    })
}
