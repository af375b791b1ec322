//! Pass for batches: what depends on shared inputs only is taken out, to be computed once for all rows.

use smallvec::SmallVec;

use crate::program::graph::{Graph, Id, Node};

/// A graph of shared inputs and rows, in two parts.
pub(crate) struct Hoisted {
    /// Of the shared inputs: its outputs are what the rows need.
    pub(crate) shared: Graph,
    /// Of the outputs of `shared`, and then the inputs of a row.
    pub(crate) row: Graph,
}

/// Splits a graph whose first `count` inputs are shared. Guards go with what they compare.
pub(crate) fn hoist(graph: &Graph, count: usize) -> Hoisted {
    let is_row = graph.depending_on(|input| input >= count);
    let by_rows = graph.ids().filter(|id| is_row[id.index()]).flat_map(|id| graph.operands(id));
    let is_row_guard = |operands: [Id; 2]| operands.iter().any(|id| is_row[id.index()]);
    let by_guards = graph.guards.iter().filter(|guard| is_row_guard(guard.operands));
    let by_guards = by_guards.flat_map(|guard| guard.operands);
    let needed = by_rows.copied().chain(graph.outputs.iter().copied()).chain(by_guards);
    let mut is_needed = vec![false; graph.len()];
    for id in needed {
        is_needed[id.index()] = !is_row[id.index()] && graph.constant_value(id).is_none();
    }

    let mut shared = Graph::new(count).with_calls_of(graph);
    let mut places: Vec<Option<Id>> = vec![None; graph.len()];
    for id in graph.ids().filter(|id| !is_row[id.index()]) {
        let operands: SmallVec<[Id; 4]> =
            graph.operands(id).iter().filter_map(|operand| places[operand.index()]).collect();
        places[id.index()] = Some(match graph.node(id) {
            Node::Input(position) => Id(position),
            Node::Constant(value) => shared.constant(value),
            Node::Operation { op, .. } => shared.push(op, &operands),
            Node::Call { call, .. } => shared.push_call(call, &operands),
            Node::Result { .. } => {
                let position = graph.result(id).map_or(0, |(_, position)| position);
                Id(operands[0].0 + 1 + position as u32)
            }
        });
    }
    let crossing: Vec<Id> = graph.ids().filter(|id| is_needed[id.index()]).collect();
    shared.outputs = crossing.iter().filter_map(|id| places[id.index()]).collect();
    let name = |id: Id| places[id.index()].unwrap_or(id);
    let guards = graph.guards.iter().filter(|guard| !is_row_guard(guard.operands));
    shared.guards = guards.map(|guard| guard.map(name)).collect();

    let mut row = Graph::new(crossing.len() + graph.inputs() - count).with_calls_of(graph);
    let mut places: Vec<Id> = vec![Id(0); graph.len()];
    for (position, id) in crossing.iter().enumerate() {
        places[id.index()] = Id(position as u32);
    }
    for id in graph.ids() {
        let is_crossing = is_needed[id.index()];
        match graph.node(id) {
            Node::Input(position) if position as usize >= count => {
                places[id.index()] = Id(position - count as u32 + crossing.len() as u32);
            }
            Node::Constant(value) => places[id.index()] = row.constant(value),
            Node::Operation { op, .. } if is_row[id.index()] => {
                let operands: SmallVec<[Id; 4]> =
                    graph.operands(id).iter().map(|operand| places[operand.index()]).collect();
                places[id.index()] = row.push(op, &operands);
            }
            Node::Call { call, .. } if is_row[id.index()] => {
                let operands: Vec<Id> =
                    graph.operands(id).iter().map(|operand| places[operand.index()]).collect();
                places[id.index()] = row.push_call(call, &operands);
            }
            Node::Result { .. } if is_row[id.index()] => {
                places[id.index()] = graph.place_of_result(id, &places);
            }
            _ => debug_assert!(is_crossing || !is_row[id.index()]),
        }
    }
    row.outputs = graph.outputs.iter().map(|output| places[output.index()]).collect();
    let guards = graph.guards.iter().filter(|guard| is_row_guard(guard.operands));
    row.guards = guards.map(|guard| guard.map(|id| places[id.index()])).collect();
    Hoisted { shared, row }
}
