//! The passes in the order in which each finds most.

use crate::program::graph::Graph;
use crate::program::graph::collect_sums::collect_sums;
use crate::program::graph::drop_dead_code::drop_dead_code;
use crate::program::graph::fold_constants::fold_constants;
use crate::program::graph::number_values::number_values;
use crate::program::graph::simplify::{Rewrites, simplify};

/// A rewriting of the graph that keeps its values.
struct Pass {
    name: &'static str,
    run: fn(&Graph, Rewrites) -> Graph,
}

const FOLD_CONSTANTS: Pass = Pass { name: "fold constants", run: |graph, _| fold_constants(graph) };
const SIMPLIFY: Pass = Pass { name: "simplify", run: simplify };
const NUMBER_VALUES: Pass = Pass { name: "number values", run: |graph, _| number_values(graph) };
const DROP_DEAD_CODE: Pass = Pass { name: "drop dead code", run: |graph, _| drop_dead_code(graph) };
const COLLECT_SUMS: Pass = Pass { name: "collect sums", run: |graph, _| collect_sums(graph) };

/// What is done before chains of additions are collected.
const UNTIL_SUMS: [Pass; 4] = [FOLD_CONSTANTS, SIMPLIFY, NUMBER_VALUES, DROP_DEAD_CODE];
/// The rest. Sums have new constants, and leave behind what they are made of.
const FROM_SUMS: [Pass; 3] = [COLLECT_SUMS, NUMBER_VALUES, DROP_DEAD_CODE];

/// All passes.
pub(crate) fn optimize(graph: &Graph, rewrites: Rewrites) -> Graph {
    optimize_from_sums(&optimize_until_sums(graph, rewrites))
}

/// The passes before chains of additions are collected.
pub(crate) fn optimize_until_sums(graph: &Graph, rewrites: Rewrites) -> Graph {
    run(&UNTIL_SUMS, graph, rewrites)
}

/// The passes from the collection of chains of additions on.
pub(crate) fn optimize_from_sums(graph: &Graph) -> Graph {
    run(&FROM_SUMS, graph, Rewrites::Exact)
}

/// What the graph becomes by each pass in turn, with the pass's name.
pub(crate) fn each_pass(graph: &Graph, rewrites: Rewrites) -> Vec<(&'static str, Graph)> {
    let mut stages: Vec<(&'static str, Graph)> = Vec::new();
    for pass in UNTIL_SUMS.iter().chain(&FROM_SUMS) {
        let before = stages.last().map_or(graph, |(_, graph)| graph);
        stages.push((pass.name, (pass.run)(before, rewrites)));
    }
    stages
}

fn run(passes: &[Pass], graph: &Graph, rewrites: Rewrites) -> Graph {
    let [first, rest @ ..] = passes else { return graph.clone() };
    rest.iter().fold((first.run)(graph, rewrites), |graph, pass| (pass.run)(&graph, rewrites))
}
