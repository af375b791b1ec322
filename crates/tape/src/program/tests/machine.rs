//! The machine computes what the graph says: forward to the bit, backward as dual numbers do.

use proptest::prelude::*;

use super::random::{cases, config, points};
use super::{agree, duals, hold, partials, same_bits, scales};
use crate::error::Error;
use crate::guard::Comparison;
use crate::program::graph::passes::optimize;
use crate::program::graph::{Graph, Id};
use crate::program::{Program, Recorded, Rewrites};

/// The program of all outputs, and of each by itself: `gradient` is for one.
fn programs(graph: &Graph) -> Result<(Program, Vec<Program>), Error> {
    let program = |graph| Program::from_graph(graph, Rewrites::Exact, Recorded { nodes: 0 });
    let alone = |&output: &Id| {
        let mut graph = graph.clone();
        graph.outputs = vec![output];
        program(graph)
    };
    let each: Result<_, _> = graph.outputs.iter().map(alone).collect();
    Ok((program(graph.clone())?, each?))
}

fn check(
    (program, each): &(Program, Vec<Program>),
    graph: &Graph,
    x: &[f64],
) -> Result<(), TestCaseError> {
    let values = graph.evaluate(x);
    let outputs = match program.values(x) {
        Err(Error::Diverged { .. }) => {
            let asks_for_sign_of_nan = graph.guards.iter().any(|guard| {
                guard.comparison == Comparison::IsNegative
                    && values[guard.operands[0].index()].is_nan()
            });
            prop_assert!(asks_for_sign_of_nan || !hold(graph, &values));
            return Ok(());
        }
        result => result.map_err(|error| TestCaseError::fail(error.to_string()))?,
    };
    for (output, id) in graph.outputs.iter().enumerate() {
        let [a, b] = [values[id.index()], outputs[output]];
        prop_assert!(same_bits(a, b), "value {:e}, not {:e} at {:?}:\n{}", b, a, x, graph);
    }
    let gradients: Result<Vec<(f64, Vec<f64>)>, Error> =
        each.iter().map(|program| program.gradient(x)).collect();
    let gradients = gradients?;
    let sizes: Vec<Vec<f64>> =
        graph.outputs.iter().map(|&output| sizes_of_adjoints(graph, &values, output)).collect();
    for input in 0..x.len() {
        let (tangents, scales) = (duals(graph, x, input), scales(graph, x, input));
        for (output, id) in graph.outputs.iter().enumerate() {
            // From the front to the back and the other way round, other products over- and underflow.
            if !scales.iter().chain(&sizes[output]).all(|size| is_moderate(*size)) {
                continue;
            }
            let scale = scales[id.index()];
            let [a, b] = [tangents[id.index()].tangent, gradients[output].1[input]];
            prop_assert!(
                agree(a, b, scale, 1e-13),
                "∂/∂x{input} {:e}, not {:e} (scale {:e}) at {:?}:\n{}",
                b,
                a,
                scale,
                x,
                graph
            );
        }
    }
    Ok(())
}

/// Of every node, the sum of |contribution| over all paths from it to the output.
fn sizes_of_adjoints(graph: &Graph, values: &[f64], output: Id) -> Vec<f64> {
    let mut sizes = vec![0.0; graph.len()];
    sizes[output.index()] = 1.0;
    for id in graph.ids().rev() {
        let Some(op) = graph.op(id) else { continue };
        let operands = graph.operands(id);
        let arguments: Vec<f64> = operands.iter().map(|id| values[id.index()]).collect();
        let partials = partials(op, &arguments, values[id.index()]);
        let size = sizes[id.index()];
        for (operand, partial) in operands.iter().zip(partials) {
            if size != 0.0 && partial != 0.0 {
                sizes[operand.index()] += size * partial.abs();
            }
        }
    }
    sizes
}

fn is_moderate(size: f64) -> bool {
    size == 0.0 || (1e-150..1e150).contains(&size)
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn the_machine_computes_what_the_graph_says(case in cases(40), other in points(4..5)) {
        let optimized = optimize(&case.graph, Rewrites::Exact);
        for graph in [case.graph, optimized] {
            let programs = programs(&graph)?;
            // In the same slots, one point after the other.
            for x in [&case.x, &other[..case.x.len()], &case.x] {
                check(&programs, &graph, x)?;
            }
        }
    }
}
