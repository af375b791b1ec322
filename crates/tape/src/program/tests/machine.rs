//! The machine computes what the graph says: forward to the bit, backward as dual numbers do.

use proptest::prelude::*;

use super::random::{cases, config, points};
use super::{agree, duals, hold, same_bits, scales};
use crate::error::Error;
use crate::program::graph::Graph;
use crate::program::passes::optimize;
use crate::program::{Program, Recorded, Rewrites};

fn check(program: &Program, graph: &Graph, x: &[f64]) -> Result<(), TestCaseError> {
    let values = graph.evaluate(x);
    let (outputs, jacobian) = match program.jacobian(x) {
        Err(Error::Diverged { .. }) => {
            prop_assert!(!hold(graph, &values));
            return Ok(());
        }
        result => result.map_err(|error| TestCaseError::fail(error.to_string()))?,
    };
    for (output, id) in graph.outputs.iter().enumerate() {
        let [a, b] = [values[id.index()], outputs[output]];
        prop_assert!(same_bits(a, b), "value {:e}, not {:e} at {:?}:\n{}", b, a, x, graph);
    }
    for input in 0..x.len() {
        let (tangents, scales) = (duals(graph, x, input), scales(graph, x, input));
        for (output, id) in graph.outputs.iter().enumerate() {
            let scale = scales[id.index()];
            let [a, b] = [tangents[id.index()].tangent, jacobian[(output, input)]];
            prop_assert!(
                !scale.is_finite() || agree(a, b, scale, 1e-13),
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

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn the_machine_computes_what_the_graph_says(case in cases(40), other in points(4..5)) {
        let optimized = optimize(&case.graph, Rewrites::Exact);
        for graph in [case.graph, optimized] {
            let program = Program::from_graph(graph, Recorded { nodes: 0 })?;
            // In the same slots, one point after the other.
            for x in [&case.x, &other[..case.x.len()], &case.x] {
                check(&program, &program.graph, x)?;
            }
        }
    }
}
