//! Pass: what no output and no guard depends on is left out.

use rustc_hash::FxHashSet;

use crate::program::graph::{Graph, Id};

/// The graph of the nodes that are needed.
pub(crate) fn drop_dead_code(graph: &Graph) -> Graph {
    let mut live = graph.clone();
    drop_idle_guards(&mut live);
    let by_guards = live.guards.iter().flat_map(|guard| guard.operands);
    let needed = live.needed_by(live.outputs.iter().copied().chain(by_guards));
    live.rewrite(|live, id, operands| {
        // Nothing that is needed refers to a node that is not.
        if needed[id.index()] { graph.copy(live, id, operands) } else { Id(0) }
    })
}

/// A guard that compares two constants needs no replay to hold, and one that was asked before holds again.
pub(crate) fn drop_idle_guards(graph: &mut Graph) {
    let mut guards = core::mem::take(&mut graph.guards);
    let is_constant = |id: &Id| graph.constant_value(*id).is_some();
    let mut seen = FxHashSet::default();
    guards.retain(|guard| !guard.operands.iter().all(is_constant) && seen.insert(*guard));
    graph.guards = guards;
}
